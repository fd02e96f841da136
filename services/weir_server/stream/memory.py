"""The stream's twin in memory: for tests and for reading what `redis/` must do.

Nothing survives the process. Safe from any thread, like a Redis server is.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from weir_server.clock import Clock, SystemClock
from weir_server.errors import StreamUnavailable
from weir_server.stream.base import (
    AppendResult,
    Inflight,
    Lag,
    NewEntry,
    Outcome,
    StopRequest,
    StreamEntry,
    may_grow,
)


def _order(entry_id: str) -> tuple[int, int]:
    ms, _, number = entry_id.partition("-")
    return int(ms), int(number)


@dataclass(slots=True)
class _Shard:
    log: dict[str, StreamEntry] = field(default_factory=dict)  # in order of arrival
    delivered: set[str] = field(default_factory=set)
    accepted: dict[bytes, int] = field(default_factory=dict)
    committed: dict[bytes, int] = field(default_factory=dict)
    payload_bytes: int = 0
    project_bytes: Counter[str] = field(default_factory=Counter)
    inflight: Inflight | None = None
    owner: str = ""
    owned_until_s: float = 0.0
    last_id: tuple[int, int] = (0, 0)


class MemoryStream:
    """All shards, shared by appenders and consumers.

    Attributes:
        available: False makes every call raise `StreamUnavailable`.
    """

    def __init__(self, *, shards: int, max_bytes: int, clock: Clock | None = None) -> None:
        self.available = True
        self._count = shards
        self._budget_bytes = max_bytes // shards
        self._clock = clock or SystemClock()
        self._changed = threading.Condition()
        self._births: dict[tuple[str, str], int] = {}
        self._stops: dict[tuple[str, str], StopRequest] = {}
        self._shards: list[_Shard] = []
        self.flush()

    def flush(self) -> None:
        """Forget everything, as a Redis that lost its disk does."""
        with self._changed:
            self._shards = [_Shard() for _ in range(self._count)]
            self._births.clear()
            self._stops.clear()

    def appender(self) -> MemoryAppender:
        """Return a gateway's side."""
        return MemoryAppender(self)

    def consumer(self, shard: int, *, owner: str, lease_s: float = 15.0) -> MemoryConsumer:
        """Return a writer's side of one shard."""
        return MemoryConsumer(self, shard, owner=owner, lease_s=lease_s)

    def _shard(self, shard: int) -> _Shard:
        if not self.available:
            raise StreamUnavailable("the stream is away")
        return self._shards[shard]

    def _append(self, entry: NewEntry) -> AppendResult:
        shard = self._shard(entry.shard)
        last = shard.accepted.get(entry.producer)
        if last is None:
            return AppendResult(Outcome.UNKNOWN, 0)
        if entry.seq <= last:
            return AppendResult(Outcome.DUP, last)
        if (entry.first_seq or entry.seq) != last + 1:
            return AppendResult(Outcome.GAP, last)
        size = len(entry.payload)
        if not self._has_room(shard, entry.project, size):
            return AppendResult(Outcome.FULL, last)
        shard.last_id = self._next_id(shard.last_id)
        entry_id = f"{shard.last_id[0]}-{shard.last_id[1]}"
        shard.log[entry_id] = StreamEntry(
            entry_id, entry.producer, entry.seq, entry.payload, entry.project
        )
        shard.accepted[entry.producer] = entry.seq
        shard.payload_bytes += size
        shard.project_bytes[entry.project] += size
        return AppendResult(Outcome.OK, entry.seq)

    def _has_room(self, shard: _Shard, project: str, size: int) -> bool:
        """Whether budget and share allow it; an empty log takes any one entry."""
        if shard.payload_bytes == 0:
            return True
        held, most = shard.payload_bytes, self._budget_bytes
        return held + size <= most and may_grow(
            shard.project_bytes[project],
            size,
            held_bytes=held,
            most_bytes=most,
            projects=sum(1 for bytes_ in shard.project_bytes.values() if bytes_ > 0),
        )

    def _next_id(self, last_id: tuple[int, int]) -> tuple[int, int]:
        now_ms = self._clock.unix_us() // 1_000
        return (now_ms, 0) if now_ms > last_id[0] else (last_id[0], last_id[1] + 1)


class MemoryAppender:
    """`Appender` on a `MemoryStream`."""

    def __init__(self, stream: MemoryStream) -> None:
        self._stream = stream

    async def append(self, entries: Sequence[NewEntry]) -> list[AppendResult]:
        """See `Appender.append`."""
        with self._stream._changed:
            results = [self._stream._append(entry) for entry in entries]
            self._stream._changed.notify_all()
            return results

    async def raise_to(self, shard: int, producer: bytes, seq: int) -> int:
        """See `Appender.raise_to`."""
        with self._stream._changed:
            accepted = self._stream._shard(shard).accepted
            accepted[producer] = max(accepted.get(producer, 0), seq)
            return accepted[producer]

    async def read_accepted(self, shard: int, producer: bytes) -> int | None:
        """See `Appender.read_accepted`."""
        with self._stream._changed:
            return self._stream._shard(shard).accepted.get(producer)

    async def read_committed(self, shard: int, producers: Sequence[bytes]) -> dict[bytes, int]:
        """See `Appender.read_committed`."""
        with self._stream._changed:
            committed = self._stream._shard(shard).committed
            return {
                producer: committed[producer] for producer in producers if producer in committed
            }

    async def register_run(self, project: str, run_id: str, created_unix_us: int) -> int:
        """See `Appender.register_run`."""
        with self._stream._changed:
            self._stream._shard(0)
            return self._stream._births.setdefault((project, run_id), created_unix_us)

    async def read_registered(self, project: str, run_id: str) -> int | None:
        """See `Appender.read_registered`."""
        with self._stream._changed:
            self._stream._shard(0)
            return self._stream._births.get((project, run_id))

    async def request_stop(self, project: str, run_id: str, stop: StopRequest) -> None:
        """See `Appender.request_stop`."""
        with self._stream._changed:
            self._stream._shard(0)
            self._stream._stops[project, run_id] = stop

    async def read_stops(
        self, runs: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], StopRequest]:
        """See `Appender.read_stops`."""
        with self._stream._changed:
            self._stream._shard(0)
            return {run: self._stream._stops[run] for run in runs if run in self._stream._stops}

    async def close(self) -> None:
        """See `Appender.close`."""


class MemoryConsumer:
    """`Consumer` on a `MemoryStream`."""

    def __init__(self, stream: MemoryStream, shard: int, *, owner: str, lease_s: float) -> None:
        self._stream = stream
        self._number = shard
        self._owner = owner
        self._lease_s = lease_s

    def acquire(self) -> bool:
        """See `Consumer.acquire`."""
        with self._stream._changed:
            shard = self._stream._shard(self._number)
            if self._owned(shard, by_other=True):
                return False
            shard.owner = self._owner
            shard.owned_until_s = self._stream._clock.monotonic_s() + self._lease_s
            return True

    def keep(self) -> bool:
        """See `Consumer.keep`."""
        with self._stream._changed:
            shard = self._stream._shard(self._number)
            if not self._owned(shard):
                return False
            shard.owned_until_s = self._stream._clock.monotonic_s() + self._lease_s
            return True

    def release(self) -> None:
        """See `Consumer.release`."""
        with self._stream._changed:
            shard = self._stream._shard(self._number)
            if shard.owner == self._owner:
                shard.owner = ""

    def read_inflight(self) -> Inflight | None:
        """See `Consumer.read_inflight`."""
        with self._stream._changed:
            return self._stream._shard(self._number).inflight

    def write_inflight(self, inflight: Inflight) -> bool:
        """See `Consumer.write_inflight`."""
        with self._stream._changed:
            shard = self._stream._shard(self._number)
            if not self._owned(shard):
                return False
            shard.inflight = inflight
            return True

    def read_range(self, first_id: str, last_id: str) -> list[StreamEntry]:
        """See `Consumer.read_range`."""
        first, last = _order(first_id), _order(last_id)
        with self._stream._changed:
            log = self._stream._shard(self._number).log
            return [entry for entry in log.values() if first <= _order(entry.id) <= last]

    def read_pending(self, count: int) -> list[StreamEntry]:
        """See `Consumer.read_pending`."""
        with self._stream._changed:
            shard = self._stream._shard(self._number)
            return [entry for entry in shard.log.values() if entry.id in shard.delivered][:count]

    def read_new(self, count: int, wait_s: float) -> list[StreamEntry]:
        """See `Consumer.read_new`."""
        with self._stream._changed:
            self._stream._changed.wait_for(lambda: bool(self._undelivered()), timeout=wait_s)
            entries = self._undelivered()[:count]
            self._stream._shard(self._number).delivered.update(entry.id for entry in entries)
            return entries

    def commit(self, entries: Sequence[StreamEntry], committed: Mapping[bytes, int]) -> bool:
        """See `Consumer.commit`."""
        with self._stream._changed:
            shard = self._stream._shard(self._number)
            if not self._owned(shard):
                return False
            for entry in entries:
                if shard.log.pop(entry.id, None) is not None:
                    shard.payload_bytes -= len(entry.payload)
                    shard.project_bytes[entry.project] -= len(entry.payload)
                shard.delivered.discard(entry.id)
            shard.inflight = None
            for producer, seq in committed.items():
                shard.committed[producer] = max(shard.committed.get(producer, 0), seq)
            return True

    def read_lag(self) -> Lag:
        """See `Consumer.read_lag`."""
        with self._stream._changed:
            shard = self._stream._shard(self._number)
            if not shard.log:
                return Lag(entries=0, bytes=shard.payload_bytes, oldest_s=0.0)
            oldest_ms = _order(next(iter(shard.log)))[0]
            now_ms = self._stream._clock.unix_us() // 1_000
            oldest_s = max(0.0, (now_ms - oldest_ms) / 1_000)
            return Lag(entries=len(shard.log), bytes=shard.payload_bytes, oldest_s=oldest_s)

    def close(self) -> None:
        """See `Consumer.close`."""

    def _undelivered(self) -> list[StreamEntry]:
        shard = self._stream._shard(self._number)
        return [entry for entry in shard.log.values() if entry.id not in shard.delivered]

    def _owned(self, shard: _Shard, *, by_other: bool = False) -> bool:
        """Whether the lease is alive and ours, or alive and another's."""
        alive = bool(shard.owner) and self._stream._clock.monotonic_s() < shard.owned_until_s
        return alive and (shard.owner != self._owner if by_other else shard.owner == self._owner)
