"""The stream for the laws: the twin in memory or a real Redis, each able to go back in time."""

from __future__ import annotations

import copy
from typing import Any, Protocol

from tests.contract.fixtures_redis import RedisServer
from weir_server.clock import ManualClock
from weir_server.errors import StreamUnavailable
from weir_server.stream.base import Appender, AppendResult, Consumer, NewEntry, Outcome, StreamEntry
from weir_server.stream.memory import MemoryStream
from weir_server.stream.redis import RedisAppender, RedisConsumer

SHARDS = 1
MAX_BYTES = 20_000  # a few dozen frames: small enough to be full now and then
LEASE_S = 3_000.0  # of the manual clock; of the machine's, longer than any test


class Backend(Protocol):
    """One stream, and what may happen to it."""

    def appender(self) -> Appender: ...
    def consumer(self, owner: str) -> Consumer: ...
    def snapshot(self) -> Any:
        """Return what lies on its disk."""

    def roll_back(self, snapshot: Any) -> None:
        """Be again what lay on its disk then."""

    def flush(self) -> None:
        """Be empty."""

    def expire_leases(self) -> None:
        """Let the leases run out."""


class MemoryBackend:
    """The twin; `ManualClock` moves its leases.

    Args:
        clock: Time.
        checks_seq: False switches off the check that finds frames appended before.
    """

    def __init__(self, clock: ManualClock, *, checks_seq: bool = True) -> None:
        self._clock = clock
        kind = MemoryStream if checks_seq else ForgetfulStream
        self._stream = kind(shards=SHARDS, max_bytes=MAX_BYTES, clock=clock)

    def appender(self) -> Appender:
        return self._stream.appender()

    def consumer(self, owner: str) -> Consumer:
        return self._stream.consumer(0, owner=owner, lease_s=LEASE_S)

    def snapshot(self) -> Any:
        return copy.deepcopy((self._stream._shards, self._stream._births))

    def roll_back(self, snapshot: Any) -> None:
        self._stream._shards, self._stream._births = copy.deepcopy(snapshot)

    def flush(self) -> None:
        self._stream.flush()

    def expire_leases(self) -> None:
        self._clock.advance(LEASE_S + 1)


class ForgetfulStream(MemoryStream):
    """A stream whose check of seqs does not find duplicates: it takes them in again."""

    def _append(self, entry: NewEntry) -> AppendResult:
        shard = self._shard(entry.shard)
        last = shard.accepted.get(entry.producer)
        if last is None or entry.seq > last:
            return super()._append(entry)
        shard.last_id = self._next_id(shard.last_id)
        entry_id = f"{shard.last_id[0]}-{shard.last_id[1]}"
        shard.log[entry_id] = StreamEntry(
            entry_id, entry.producer, entry.seq, entry.payload, entry.project
        )
        shard.payload_bytes += len(entry.payload)
        shard.project_bytes[entry.project] += len(entry.payload)
        return AppendResult(Outcome.OK, last)


class RedisBackend:
    """A real Redis. Going back is `RESTORE` of every key as `DUMP` told it, groups included."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._client = server.client()
        self._settings = server.settings(shards=SHARDS, max_bytes=1 << 20)
        self._consumers: list[RedisConsumer] = []
        self._client.flushall()

    def appender(self) -> Appender:
        return RedisAppender(self._settings)

    def consumer(self, owner: str) -> Consumer:
        self._consumers.append(RedisConsumer(self._settings, 0, owner=owner, lease_s=LEASE_S))
        return self._consumers[-1]

    def snapshot(self) -> Any:
        found = self._client.keys("*")
        return [(k, max(self._client.pttl(k), 0), self._client.dump(k)) for k in found]

    def roll_back(self, snapshot: Any) -> None:
        self._client.flushall()
        for name, ttl_ms, content in snapshot:
            self._client.restore(name, ttl_ms, content)

    def flush(self) -> None:
        self._client.flushall()

    def expire_leases(self) -> None:
        for name in self._client.keys("*:lease"):
            self._client.delete(name)

    def close(self) -> None:
        for consumer in self._consumers:
            consumer.close()
        self._client.close()


class Trouble:
    """What is wrong with the way to the stream just now.

    Attributes:
        away: No call gets through.
        lose_replies: That many calls get through and nobody hears of it.
    """

    def __init__(self) -> None:
        self.away = False
        self.lose_replies = 0

    def before(self) -> None:
        if self.away:
            raise StreamUnavailable("the stream is away")

    def after(self) -> None:
        if self.lose_replies:
            self.lose_replies -= 1
            raise StreamUnavailable("the reply was lost")


class TroubledAppender:
    """An appender behind trouble."""

    def __init__(self, appender: Appender, trouble: Trouble) -> None:
        self._appender = appender
        self._trouble = trouble

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._appender, name)

        async def through(*args: Any) -> Any:
            if name == "close":
                return await call()
            self._trouble.before()
            answer = await call(*args)
            self._trouble.after()
            return answer

        return through
