"""One block into the store, whatever it takes: wait, repeat, and if need be find the poison."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from weir_server import fault, telemetry
from weir_server.writer.block import Item, halve, token_of
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.lease import Lease
from weir_server.writer.patience import StorePatience
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import Frame
from weir_store.base import Block, Inserter
from weir_store.errors import StoreRejected, StoreUnavailable

_LONGEST_REASON: Final = 2_000  # characters; an error of ClickHouse may quote the rows


class Persister:
    """Stores items in stream order; returns only when all of them are settled."""

    def __init__(
        self,
        shard: int,
        inserter: Inserter,
        lease: Lease,
        patience: StorePatience,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._shard = shard
        self._inserter = inserter
        self._lease = lease
        self._patience = patience
        self._log = log

    def store(self, items: Sequence[Item]) -> None:
        """Store every item, those that the store will never take as dead letters.

        A refused block is halved until the refused frame stands alone. The
        first half is settled before the second is begun: a watermark must not
        pass a frame that is neither stored nor kept as a dead letter.

        Raises:
            StoreUnavailable: The process is to stop and the store is not there.
            LeaseLost: Another writer has the shard.
        """
        try:
            self._insert(items)
        except StoreRejected as error:
            if len(items) == 1:
                self._bury(items[0], str(error))
                return
            self._log.warning("block refused, halving it", entries=len(items), error=str(error))
            for half in halve(items):
                self.store(half)
                fault.hit("writer.after_half")

    def _bury(self, item: Item, reason: str) -> None:
        self._log.error("frame can not be stored, set aside", seq=item.source.seq, reason=reason)
        fault.hit("writer.before_dead_letter")
        self._insert([_letter(item, reason[:_LONGEST_REASON])], last_resort=True)

    def _insert(self, items: Sequence[Item], *, last_resort: bool = False) -> None:
        block, token = rows_of(items), token_of(self._shard, items)

        def attempt() -> None:
            try:
                self._inserter.insert(block, token)
            except StoreRejected as error:
                if not last_resort:
                    raise
                # There is no place behind this one: keep the entries until a person looks.
                raise StoreUnavailable(f"a dead letter was refused: {error}") from error

        self._repeat(attempt)
        telemetry.WRITER_BLOCK_ROWS.observe(sum(rows.num_rows for rows in block.values()))
        _count(items)

    def _repeat(self, attempt: Callable[[], None]) -> None:
        started_s = time.monotonic()
        self._patience.keep_trying(lambda: self._lease.keep_during(attempt))
        telemetry.WRITER_INSERT_SECONDS.observe(time.monotonic() - started_s)


def rows_of(items: Sequence[Item]) -> Block:
    """Return the rows of items; a frame must never stop its shard.

    Raises:
        StoreRejected: None can be made.
    """
    try:
        return build_block(items)
    except (ValueError, OverflowError) as error:
        raise StoreRejected(f"no rows can be made of it: {error}") from error


def _letter(item: Item, reason: str) -> DeadLetter:
    if isinstance(item, DeadLetter):
        return item
    return DeadLetter.of(item.source, item.entry, reason, points=item.point_count, body=item.body)


def _count(items: Sequence[Item]) -> None:
    for item in items:
        if isinstance(item, Frame):
            outcome, points = "stored", item.point_count
        else:
            outcome, points = "dead_lettered", item.points
        telemetry.WRITER_ENTRIES.labels(outcome).inc()
        telemetry.WRITER_POINTS.labels(outcome).inc(points)
