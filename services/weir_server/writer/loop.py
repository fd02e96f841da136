"""The turns of one shard's writer, from taking the lease to forgetting what is stored.

    lease ─▶ inflight? repeat exactly that block ─▶ pending ─▶ new ─▶ new ─▶ … ─▶ pending ─▶ …
                                                    └ fill a block ─▶ note it ─▶ insert ─▶ commit

Whatever goes wrong in between, the block is noted, inserted and committed again
by this writer or the next one: rows that are inserted twice are read once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from weir_server import fault, telemetry
from weir_server.clock import Clock
from weir_server.errors import StreamUnavailable
from weir_server.stream.base import Consumer, Inflight, StreamEntry
from weir_server.writer.block import Item, Limits, OpenBlock, entries_to_read, token_of
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.lease import Lease, LeaseLost
from weir_server.writer.patience import StorePatience, wait_s
from weir_server.writer.persist import Persister
from weir_server.writer.unpack import Undecodable, unpack
from weir_server.writer.watermarks import Verdict, Watermarks
from weir_store.base import Inserter
from weir_store.errors import SchemaMismatch, StoreError

PENDING_EVERY_S: Final = 30.0
LAG_EVERY_S: Final = 1.0


class MissedEntries(Exception):
    """New entries arrived without the ones before them: those are pending and were never seen."""


class ShardWriter:
    """Serves one shard; everything in here belongs to one thread.

    Args:
        shard: Its number.
        consumer: The shard's side of the stream.
        inserter: The store.
        limits: When a block is full.
        lease_s: How long a silent writer keeps the shard.
        poll_s: Longest wait for new entries.
        clock: Time.
        stop: Set from outside: finish the block at hand, give the lease back, return.
        log: Bound to the shard.
    """

    def __init__(
        self,
        shard: int,
        consumer: Consumer,
        inserter: Inserter,
        *,
        limits: Limits,
        lease_s: float,
        poll_s: float,
        clock: Clock,
        stop: threading.Event,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._shard = shard
        self._consumer = consumer
        self._limits = limits
        self._poll_s = poll_s
        self._clock = clock
        self._stop = stop
        self._log = log
        self._lease = Lease(consumer, lease_s, clock, stop)
        patience = StorePatience(stop, self._lease.sleep, self._tell_failure)
        self._persister = Persister(shard, inserter, self._lease, patience, log)
        self._watermarks = Watermarks(
            lambda producers: patience.keep_trying(lambda: inserter.read_committed(producers))
        )
        self._waiting: deque[StreamEntry] = deque()  # read and in no block yet
        self._failures = 0  # in a row, without a block committed in between
        self._entries_seen = 0
        self._bytes_seen = 0
        self._lag_read_s = float("-inf")

    # ── the turns ────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Serve the shard until `stop` is set, over every outage of stream and store."""
        while not self._stop.is_set():
            try:
                if self._hold():
                    self.serve()
                else:
                    self._stop.wait(self._lease.period_s)
            except (LeaseLost, MissedEntries) as reason:
                self._log.warning("starting over", reason=type(reason).__name__)
            except (StreamUnavailable, StoreError) as error:
                self._log.warning("no answer, will come back", error=str(error))
                self._wait_after_failure()
            except Exception:  # noqa: BLE001  a bug must not quietly end one shard of many
                self._log.exception("writer failed, starting over")
                self._wait_after_failure()
        self._give_back()

    def serve(self) -> None:
        """Carry entries while the lease is ours and nothing breaks; return when asked to stop."""
        fault.hit("writer.after_lease")
        self._waiting.clear()
        self._watermarks.forget()
        self._replay_inflight()
        while not self._stop.is_set():
            while not self._stop.is_set() and self._carry_pending():
                self._lease.keep()
            pending_due_s = self._clock.monotonic_s() + PENDING_EVERY_S
            while not self._stop.is_set() and self._before(pending_due_s):
                self._lease.keep()
                self._carry_new()
                self._show_lag()

    def _before(self, pending_due_s: float) -> bool:
        # What waits was read as new and must go on as new before pending entries are read.
        return bool(self._waiting) or self._clock.monotonic_s() < pending_due_s

    def _wait_after_failure(self) -> None:
        self._failures += 1
        self._stop.wait(wait_s(self._failures))

    def _hold(self) -> bool:
        held = self._lease.take()
        telemetry.WRITER_LEASE.labels(str(self._shard)).set(held)
        return held

    def _give_back(self) -> None:
        telemetry.WRITER_LEASE.labels(str(self._shard)).set(0)
        try:
            self._lease.give_back()
        except StreamUnavailable as error:
            self._log.warning("lease not given back, it will run out", error=str(error))

    # ── one block ────────────────────────────────────────────────────────────

    def _replay_inflight(self) -> None:
        """Insert again exactly the block that was under way, if there is one."""
        inflight = self._consumer.read_inflight()
        if inflight is None:
            return
        fault.hit("writer.before_replay")
        # No limit here: the range is a block that was cut by the limits before.
        entries = self._consumer.read_range(inflight.first_id, inflight.last_id)
        telemetry.WRITER_REDELIVERED.inc(len(entries))
        block = OpenBlock(self._clock.monotonic_s())
        self._watermarks.learn(entries)
        for entry in entries:
            self._place(entry, block, may_gap=True)
        same = token_of(self._shard, block.items) == inflight.token
        self._log.info("repeating the block under way", entries=len(entries), same_content=same)
        self._store(block)

    def _carry_pending(self) -> bool:
        """Store one block of entries that were delivered before; False when there are none.

        Pending entries stay pending until they are committed: reading on before
        that would return the same ones again.
        """
        if not self._waiting:
            entries = self._consumer.read_pending(self._how_many())
            telemetry.WRITER_REDELIVERED.inc(len(entries))
            self._take_in(entries)
        block = OpenBlock(self._clock.monotonic_s())
        self._place_waiting(block, may_gap=True)
        self._store(block)
        return bool(block.entries)

    def _carry_new(self) -> None:
        """Fill a block until it is full or old enough, and store it."""
        block = OpenBlock(self._clock.monotonic_s())
        self._place_waiting(block, may_gap=False)
        while not self._waiting and not block.is_full(self._limits):
            entries = self._consumer.read_new(self._how_many(), self._wait_s(block))
            if entries and not block.entries:
                block.opened_s = self._clock.monotonic_s()
            self._take_in(entries)
            self._place_waiting(block, may_gap=False)
            if not entries or not self._wait_s(block):
                break
        self._store(block)

    def _wait_s(self, block: OpenBlock) -> float:
        """Return how long to wait for the next entry; with an empty block there is no hurry."""
        if not block.entries:
            return min(self._poll_s, self._lease.period_s)
        return block.left_s(self._limits, self._clock.monotonic_s())

    def _how_many(self) -> int:
        return entries_to_read(self._entries_seen, self._bytes_seen)

    def _take_in(self, entries: Sequence[StreamEntry]) -> None:
        self._entries_seen += len(entries)
        self._bytes_seen += sum(len(entry.payload) for entry in entries)
        self._waiting.extend(entries)
        if entries:
            fault.hit("writer.after_read")

    def _place_waiting(self, block: OpenBlock, *, may_gap: bool) -> None:
        self._watermarks.learn(self._waiting)
        while self._waiting and not block.is_full(self._limits):
            self._place(self._waiting.popleft(), block, may_gap=may_gap)

    def _place(self, entry: StreamEntry, block: OpenBlock, *, may_gap: bool) -> None:
        """Put an entry into the block, as rows or as one to forget.

        Args:
            entry: Of a producer whose watermark was learned.
            block: Where it goes.
            may_gap: Entries come in the order of the log with none left out, so a gap
                is one the gateway agreed to (the client had lost what was before).
        """
        verdict = self._watermarks.judge(entry)
        if verdict is Verdict.SKIP:
            telemetry.WRITER_ENTRIES.labels("skipped").inc()
            block.skip(entry)
            return
        if verdict is Verdict.GAP and not may_gap:
            raise MissedEntries
        self._watermarks.take(entry)
        block.add(self._open(entry))

    def _open(self, entry: StreamEntry) -> Item:
        try:
            return unpack(entry)
        except Undecodable as error:
            self._log.error("entry can not be read, set aside", seq=entry.seq, reason=str(error))
            return DeadLetter.of(entry, error.entry, str(error))

    def _store(self, block: OpenBlock) -> None:
        """Note the block, insert it, commit it: in this order, and never the last without the first."""
        if not block.entries:
            return
        if block.items:
            self._note(block)
            self._persister.store(block.items)
        fault.hit("writer.before_commit")
        if not self._consumer.commit(block.entries, self._watermarks.of(block.entries)):
            raise LeaseLost
        fault.hit("writer.after_commit")
        self._watermarks.commit()
        self._failures = 0

    def _note(self, block: OpenBlock) -> None:
        fault.hit("writer.before_inflight")
        first_id, last_id = block.entries[0].id, block.entries[-1].id
        token = token_of(self._shard, block.items)
        if not self._consumer.write_inflight(Inflight(first_id, last_id, token)):
            raise LeaseLost
        fault.hit("writer.before_insert")

    # ── what people see ──────────────────────────────────────────────────────

    def _show_lag(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._lag_read_s < LAG_EVERY_S:
            return
        self._lag_read_s = now_s
        lag, shard = self._consumer.read_lag(), str(self._shard)
        telemetry.STREAM_ENTRIES.labels(shard).set(lag.entries)
        telemetry.STREAM_BYTES.labels(shard).set(lag.bytes)
        telemetry.STREAM_LAG_SECONDS.labels(shard).set(lag.oldest_s)

    def _tell_failure(self, error: BaseException, wait_s: float) -> None:
        telemetry.WRITER_RETRIES.inc()
        with suppress(StreamUnavailable):
            self._show_lag()  # it grows now, and that is what people are woken by
        # An older schema needs a person; a store that is away usually comes back by itself.
        tell = self._log.error if isinstance(error, SchemaMismatch) else self._log.warning
        tell("store gives no answer, will repeat", error=str(error), wait_s=round(wait_s, 2))
