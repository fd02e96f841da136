"""One block into the store, whatever it takes: wait, repeat, and if need be find the poison."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import structlog

from weir_server import telemetry
from weir_server.writer.block import halve, token_of
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.lease import Lease
from weir_server.writer.patience import StorePatience
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import Frame
from weir_store.base import Inserter
from weir_store.errors import StoreRejected, StoreUnavailable


class Persister:
    """Stores frames and dead letters in stream order; returns only when they are stored."""

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

    def store(self, frames: Sequence[Frame], dead: Sequence[DeadLetter]) -> None:
        """Store everything, or as much as can be stored and the rest as dead letters.

        Raises:
            StoreUnavailable: The process is to stop and the store is not there.
            LeaseLost: Another writer has the shard.
        """
        try:
            self._insert(frames, dead)
        except StoreRejected as error:
            self._log.warning("block refused, looking for the frame", frames=len(frames), error=str(error))
            self._bisect(frames, error)
            if dead:
                self._insert((), dead)

    def _bisect(self, frames: Sequence[Frame], error: StoreRejected) -> None:
        """Store halves, first half first: a watermark must not pass a frame that is not settled."""
        if len(frames) == 1:
            self._bury(frames[0], str(error))
            return
        for half in halve(frames):
            try:
                self._insert(half, ())
            except StoreRejected as narrower:
                self._bisect(half, narrower)

    def _bury(self, frame: Frame, reason: str) -> None:
        self._log.error("frame can not be stored, set aside", seq=frame.source.seq, reason=reason)
        self._insert((), [DeadLetter.of(frame.source, frame.entry, reason)])

    def _insert(self, frames: Sequence[Frame], dead: Sequence[DeadLetter]) -> None:
        block, token = build_block(frames, dead), token_of(self._shard, frames, dead)
        started_s = time.monotonic()
        attempt = self._attempt(lambda: self._inserter.insert(block, token), only_dead=not frames)
        self._patience.keep_trying(lambda: self._lease.keep_during(attempt))
        telemetry.WRITER_INSERT_SECONDS.observe(time.monotonic() - started_s)
        telemetry.WRITER_BLOCK_ROWS.observe(sum(rows.num_rows for rows in block.values()))
        _count(frames, dead)

    @staticmethod
    def _attempt(insert: Callable[[], None], *, only_dead: bool) -> Callable[[], None]:
        if not only_dead:
            return insert

        def bury() -> None:
            try:
                insert()
            except StoreRejected as error:
                # There is no place behind the last one: keep the entries until a person looks.
                raise StoreUnavailable(f"a dead letter was refused: {error}") from error

        return bury


def _count(frames: Sequence[Frame], dead: Sequence[DeadLetter]) -> None:
    telemetry.WRITER_ENTRIES.labels("stored").inc(len(frames))
    telemetry.WRITER_ENTRIES.labels("dead_lettered").inc(len(dead))
    telemetry.WRITER_POINTS.labels("stored").inc(sum(frame.point_count for frame in frames))
