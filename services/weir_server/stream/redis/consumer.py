"""The writer's side of the stream, on Redis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import redis
from redis import exceptions

from weir_server import fault
from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.base import Inflight, Lag, StreamEntry
from weir_server.stream.redis.vendor import Script, as_text, ask, connect, translated

MOST_WATERMARKS: Final = 100_000
# Below the socket timeout, or every quiet second looks like an outage.
_LONGEST_BLOCK_S: Final = 4.0
_ACQUIRE: Final = Script("acquire")
_KEEP: Final = Script("keep")
_RELEASE: Final = Script("release")
_INFLIGHT: Final = Script("inflight")
_COMMIT: Final = Script("commit")
_GROUP: Final = Script("group")


class RedisConsumer:
    """`Consumer` on Redis: one shard, one thread, two connections (one of them waits)."""

    def __init__(
        self, settings: StreamSettings, shard: int, *, owner: str, lease_s: float = 15.0
    ) -> None:
        self._url = settings.url
        self._shard = shard
        self._owner = owner
        self._lease_ms = max(1, round(lease_s * 1_000))
        self._log = keys.log(shard)
        self._lease = keys.lease(shard)
        self._redis = connect(settings.url)
        self._waiting = connect(settings.url, retries=0)

    def acquire(self) -> bool:
        """See `Consumer.acquire`."""
        with translated(self._url):
            taken = _ACQUIRE.call(self._redis, [self._lease], self._owner, self._lease_ms)
            return bool(taken)

    def keep(self) -> bool:
        """See `Consumer.keep`."""
        with translated(self._url):
            return bool(_KEEP.call(self._redis, [self._lease], self._owner, self._lease_ms))

    def release(self) -> None:
        """See `Consumer.release`."""
        with translated(self._url):
            _RELEASE.call(self._redis, [self._lease], self._owner)

    def read_inflight(self) -> Inflight | None:
        """See `Consumer.read_inflight`."""
        with translated(self._url):
            found: Any = self._redis.hgetall(keys.inflight(self._shard))
        noted = {as_text(name): as_text(value) for name, value in found.items()}
        return Inflight(noted["first_id"], noted["last_id"], noted["token"]) if noted else None

    def write_inflight(self, inflight: Inflight) -> bool:
        """See `Consumer.write_inflight`."""
        names = [self._lease, keys.inflight(self._shard)]
        with translated(self._url):
            noted = _INFLIGHT.call(
                self._redis, names, self._owner, inflight.first_id, inflight.last_id, inflight.token
            )
            return bool(noted)

    def read_range(self, first_id: str, last_id: str) -> list[StreamEntry]:
        """See `Consumer.read_range`."""
        with translated(self._url):
            found = ask(self._redis, "XRANGE", self._log, first_id, last_id)
        return _entries(found)

    def read_pending(self, count: int) -> list[StreamEntry]:
        """See `Consumer.read_pending`.

        Read from the log, not from the group's list. What was committed is gone from the log, so
        what lies there up to the last one delivered is pending; and only the log knows of an entry
        that came back alone: a Redis whose file was torn inside a transaction leaves that one open,
        and its next start carries out the half of it that it had taken back (seen with 6.2 and 7.0).
        """
        with translated(self._url):
            delivered = self._last_delivered()
            if not delivered:
                return []
            found = ask(self._redis, "XRANGE", self._log, "-", delivered, "COUNT", count)
        return _entries(found)

    def _last_delivered(self) -> str:
        """Return the id of the newest entry handed out; "" when there is no group yet."""
        try:
            groups: Any = self._redis.xinfo_groups(self._log)
        except exceptions.ResponseError as error:
            if "no such key" not in str(error):
                raise
            return ""
        ids = (
            group["last-delivered-id"] for group in groups if as_text(group["name"]) == keys.GROUP
        )
        return as_text(next(ids, ""))

    def read_new(self, count: int, wait_s: float) -> list[StreamEntry]:
        """See `Consumer.read_new`."""
        wait_ms = round(min(wait_s, _LONGEST_BLOCK_S) * 1_000)
        # BLOCK 0 would wait for ever.
        block = ("BLOCK", wait_ms) if wait_ms > 0 else ()
        with translated(self._url):
            return _entries(self._read_group(self._waiting, ">", *block, count=count))

    def commit(self, entries: Sequence[StreamEntry], committed: Mapping[bytes, int]) -> bool:
        """See `Consumer.commit`."""
        shard = self._shard
        names = [
            self._log,
            self._lease,
            keys.payload_bytes(shard),
            keys.inflight(shard),
            keys.committed(shard),
            keys.project_bytes(shard),
        ]
        args: list[str | bytes | int] = [self._owner, keys.GROUP, MOST_WATERMARKS, len(entries)]
        for entry in entries:
            args += (entry.id, len(entry.payload), entry.project)
        for producer, seq in committed.items():
            args += (producer, seq)
        with translated(self._url):
            return bool(_COMMIT.call(self._redis, names, *args))

    def read_lag(self) -> Lag:
        """See `Consumer.read_lag`."""
        with translated(self._url), self._redis.pipeline(transaction=False) as pipe:
            ask(pipe, "XLEN", self._log)
            ask(pipe, "GET", keys.payload_bytes(self._shard))
            ask(pipe, "XRANGE", self._log, "-", "+", "COUNT", 1)
            ask(pipe, "TIME")
            entries, held_bytes, oldest, now = pipe.execute()
        return Lag(entries=entries, bytes=int(held_bytes or 0), oldest_s=_age_s(oldest, now))

    def close(self) -> None:
        """See `Consumer.close`."""
        self._redis.close()
        self._waiting.close()

    def _read_group(
        self, client: redis.Redis, after: str, *block: str | int, count: int
    ) -> list[tuple[bytes, Any]]:
        """Read as the group; made on first use, and again after Redis was emptied."""
        command = ("XREADGROUP", "GROUP", keys.GROUP, keys.GROUP, "COUNT", count, *block)
        try:
            found: Any = ask(client, *command, "STREAMS", self._log, after)
        except exceptions.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            fault.hit("stream.before_group")
            self._make_group()
            fault.hit("stream.after_group")
            found = ask(client, *command, "STREAMS", self._log, after)
        return _of_one_stream(found)

    def _make_group(self) -> None:
        try:
            _GROUP.call(self._redis, [self._log, keys.nothing(self._shard)], keys.GROUP)
        except exceptions.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise


def _of_one_stream(found: Any) -> list[tuple[bytes, Any]]:
    """Return the (id, fields) of a reply that may be a list of pairs, a mapping, or nothing."""
    if not found:
        return []
    entries = next(iter(found.values())) if isinstance(found, dict) else found[0][1]
    # Where a mapping came, redis-py wraps the entries of each stream once more.
    nested = bool(entries) and isinstance(entries[0], list) and isinstance(entries[0][0], tuple)
    return list(entries[0] if nested else entries)


def _entries(found: Sequence[tuple[bytes, Any]]) -> list[StreamEntry]:
    return [
        StreamEntry(
            as_text(entry_id),
            fields[b"p"],
            int(fields[b"q"]),
            fields[b"d"],
            as_text(fields.get(b"j", b"")),
        )
        for entry_id, fields in found
        if fields
    ]


def _age_s(oldest: Sequence[tuple[bytes, Any]], now: tuple[int, int]) -> float:
    if not oldest:
        return 0.0
    born_ms = int(as_text(oldest[0][0]).partition("-")[0])
    return max(0.0, now[0] + now[1] / 1e6 - born_ms / 1e3)
