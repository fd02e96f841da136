"""The stream in Redis, 6.2 or newer: the only file that knows the vendor.

What lies in Redis: docs/formats/stream.md. Scripts are the `*.lua` beside this file. Every call
but `read_new` may be repeated without harm, so a connection that breaks is tried once more;
reading new entries is not, because entries of a lost reply are delivered and never seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import redis
import redis.asyncio
import redis.asyncio.retry
from redis import exceptions
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from weir_server.errors import StartupError, StreamUnavailable
from weir_server.log import get_logger
from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.base import (
    AppendResult,
    Inflight,
    Lag,
    NewEntry,
    Outcome,
    StopRequest,
    StreamEntry,
)

PRODUCER_KEPT_S: Final = 14 * 86_400
STOP_KEPT_S: Final = 7 * 86_400
MOST_WATERMARKS: Final = 100_000
_OLDEST_REDIS: Final = (6, 2)
_APPENDER_CONNECTIONS: Final = 8
_CONNECT_TIMEOUT_S: Final = 2.0
_ANSWER_TIMEOUT_S: Final = 5.0
_LONGEST_BLOCK_S: Final = (
    4.0  # below the socket timeout, or every quiet second looks like an outage
)
_PAUSE_BEFORE_RETRY_S: Final = 0.05
_CLOSED_PENDING: Final = 1_000  # entries without content looked at in one go


class _Script:
    """A Lua script, called by its hash and sent again when Redis has forgotten it."""

    def __init__(self, name: str) -> None:
        self.text = Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def call(self, client: redis.Redis, names: Sequence[str], *args: str | bytes | int) -> Any:
        try:
            return _ask(client, "EVALSHA", self.sha, len(names), *names, *args)
        except exceptions.NoScriptError:
            return _ask(client, "EVAL", self.text, len(names), *names, *args)


_APPEND = _Script("append")
_RAISE = _Script("raise")
_ACQUIRE = _Script("acquire")
_RELEASE = _Script("release")
_INFLIGHT = _Script("inflight")
_COMMIT = _Script("commit")

_HINTS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (exceptions.OutOfMemoryError, "raise maxmemory of redis, or lower stream.max_bytes"),
    (exceptions.AuthenticationError, "check user and password in stream.url"),
    (exceptions.AuthorizationError, "check user and password in stream.url"),
    (exceptions.NoPermissionError, "let this redis user run scripts and use the keys weir:*"),
    (exceptions.ReadOnlyError, "stream.url names a replica, name the primary"),
    (exceptions.BusyLoadingError, "redis reads its data back from disk, wait for it"),
    (exceptions.ClusterError, "check the redis cluster, it does not serve all slots"),
    (
        exceptions.MovedError,
        "stream.url names a node of a redis cluster that does not hold the key",
    ),
)

# redis-py has several roots beside RedisError; a release that adds one is covered as well.
_VENDOR_ERRORS: Final[tuple[type[Exception], ...]] = (
    *(
        kind
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
    OSError,
    EOFError,
)


def _ask(client: redis.Redis, *command: str | bytes | int) -> Any:
    execute: Any = client.execute_command  # redis-py leaves it untyped
    return execute(*command)


def translate(error: Exception, url: str) -> StreamUnavailable:
    """Return what a vendor's error means for us: nothing was decided, and what to do."""
    hint = next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")
    said = " ".join(str(error).split()) or type(error).__name__
    return StreamUnavailable(
        f"no answer from redis: {said}", hint=hint or f"check that redis answers at {_shown(url)}"
    )


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except _VENDOR_ERRORS as error:
        raise translate(error, url) from error


def _shown(url: str) -> str:
    """Return the address without its secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _client(
    url: str, *, retries: int = 1, answer_timeout_s: float = _ANSWER_TIMEOUT_S
) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        protocol=2,  # the shapes of XREADGROUP and XRANGE differ in RESP3
        socket_connect_timeout=_CONNECT_TIMEOUT_S,
        socket_timeout=answer_timeout_s,
        retry=Retry(ConstantBackoff(_PAUSE_BEFORE_RETRY_S), retries),
        health_check_interval=0,
    )


# ── before the start ─────────────────────────────────────────────────────────


def ping(url: str) -> bool:
    """Return whether a Redis answers at `url`."""
    client = _client(url, retries=0, answer_timeout_s=1.0)
    try:
        return bool(client.ping())
    except _VENDOR_ERRORS:
        return False
    finally:
        client.close()


def prepare_stream(settings: StreamSettings) -> None:
    """Check that this Redis can be trusted with entries, and fix the number of shards.

    Raises:
        StartupError: Redis is away, too old, evicts keys, or was set up with another number of
            shards.
    """
    with _examined(settings) as (client, _):
        _fix_shards(client, settings.shards)


def check_stream(settings: StreamSettings) -> str:
    """Check the same, changing nothing; return the name and version of what answers.

    Raises:
        StartupError: Redis is away, too old, evicts keys, or was set up with another number of
            shards.
    """
    with _examined(settings) as (client, version):
        fixed: Any = client.get(keys.SHARDS)
        if fixed is not None:
            _compare_shards(int(fixed), settings.shards)
        return f"redis {version}"


@contextmanager
def _examined(settings: StreamSettings) -> Iterator[tuple[redis.Redis, str]]:
    client = _client(settings.url)
    try:
        with _translated(settings.url):
            version = _check_version(client)
            _check_config(client, settings)
            yield client, version
    except StreamUnavailable as error:
        raise StartupError(str(error)) from error
    finally:
        client.close()


def _check_version(client: redis.Redis) -> str:
    version = str(_text_info(client, "server").get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_REDIS:
        raise StartupError(f"redis {version} is too old", hint="install redis 6.2 or newer")
    return version


def _text_info(client: redis.Redis, section: str) -> Mapping[str, Any]:
    info: Any = client.info(section)
    return {str(name): value for name, value in info.items()}


def _check_config(client: redis.Redis, settings: StreamSettings) -> None:
    log = get_logger()
    try:
        found: Any = client.config_get("*")
    except exceptions.ResponseError:
        log.warning(
            "redis does not show its configuration, make sure of it yourself",
            needed="maxmemory-policy noeviction, appendonly yes",
        )
        return
    config = {_str(name): _str(value) for name, value in found.items()}
    policy = config.get("maxmemory-policy", "noeviction")
    if policy.startswith("allkeys"):
        raise StartupError(
            f"redis may evict accepted entries: maxmemory-policy is {policy}",
            hint="redis-cli config set maxmemory-policy noeviction",
        )
    if policy != "noeviction":
        log.warning(
            "redis may evict watermarks", policy=policy, hint="set maxmemory-policy noeviction"
        )
    if config.get("appendonly") == "no":
        log.warning(
            "redis keeps nothing over a restart, clients will send again what was not committed",
            hint="redis-cli config set appendonly yes",
        )
    maxmemory = int(config.get("maxmemory", "0"))
    if 0 < maxmemory < settings.max_bytes * 1.25:
        log.warning(
            "redis may run out of memory before the stream is full",
            maxmemory_bytes=maxmemory,
            stream_max_bytes=settings.max_bytes,
            hint="lower stream.max_bytes to three quarters of maxmemory",
        )


def _fix_shards(client: redis.Redis, shards: int) -> None:
    client.set(keys.SHARDS, shards, nx=True)
    fixed: Any = client.get(keys.SHARDS)
    _compare_shards(int(fixed), shards)


def _compare_shards(fixed: int, shards: int) -> None:
    if fixed != shards:
        raise StartupError(
            f"stream.shards is {shards}, but this redis was set up with {fixed}",
            hint=f"set stream.shards to {fixed}; other numbers need an empty redis",
        )


# ── the gateway's side ───────────────────────────────────────────────────────


class RedisAppender:
    """`Appender` on Redis; belongs to one event loop."""

    def __init__(self, settings: StreamSettings) -> None:
        self._url = settings.url
        self._budget_bytes = settings.max_bytes // settings.shards
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.url,
            max_connections=_APPENDER_CONNECTIONS,
            timeout=_ANSWER_TIMEOUT_S,
            protocol=2,
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            socket_timeout=_ANSWER_TIMEOUT_S,
            retry=redis.asyncio.retry.Retry(ConstantBackoff(_PAUSE_BEFORE_RETRY_S), 1),
        )
        self._redis = redis.asyncio.Redis.from_pool(pool)

    async def append(self, entries: Sequence[NewEntry]) -> list[AppendResult]:
        """See `Appender.append`."""
        calls = [
            (
                (
                    keys.log(e.shard),
                    keys.producer(e.shard, e.producer),
                    keys.payload_bytes(e.shard),
                ),
                (e.producer, e.seq, self._budget_bytes, PRODUCER_KEPT_S, e.payload),
            )
            for e in entries
        ]
        answers = await self._call_all(_APPEND, calls)
        return [AppendResult(Outcome(_str(outcome)), int(last)) for outcome, last in answers]

    async def raise_to(self, shard: int, producer: bytes, seq: int) -> int:
        """See `Appender.raise_to`."""
        call = ((keys.producer(shard, producer),), (seq, PRODUCER_KEPT_S))
        return int((await self._call_all(_RAISE, [call]))[0])

    async def read_accepted(self, shard: int, producer: bytes) -> int | None:
        """See `Appender.read_accepted`."""
        last = await self._execute("HGET", keys.producer(shard, producer), "last")
        return None if last is None else int(last)

    async def read_committed(self, shard: int, producers: Sequence[bytes]) -> dict[bytes, int]:
        """See `Appender.read_committed`."""
        if not producers:
            return {}
        seqs = await self._execute("HMGET", keys.committed(shard), *producers)
        found = zip(producers, seqs, strict=True)
        return {producer: int(seq) for producer, seq in found if seq is not None}

    async def register_run(self, project: str, run_id: str, created_unix_us: int) -> int:
        """See `Appender.register_run`."""
        key = keys.run(project, run_id)
        await self._execute("HSETNX", key, "created_unix_us", created_unix_us)
        return int(await self._execute("HGET", key, "created_unix_us"))

    async def read_registered(self, project: str, run_id: str) -> int | None:
        """See `Appender.read_registered`."""
        created = await self._execute("HGET", keys.run(project, run_id), "created_unix_us")
        return None if created is None else int(created)

    async def request_stop(self, project: str, run_id: str, stop: StopRequest) -> None:
        """See `Appender.request_stop`."""
        key = keys.stop(project, run_id)
        await self._execute("HSET", key, "reason", stop.reason, "by", stop.by)
        await self._execute("EXPIRE", key, STOP_KEPT_S)

    async def read_stops(
        self, runs: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], StopRequest]:
        """See `Appender.read_stops`."""
        with _translated(self._url):
            async with self._redis.pipeline(transaction=False) as pipe:
                for project, run_id in runs:
                    pipe.execute_command("HMGET", keys.stop(project, run_id), "reason", "by")
                notes = await pipe.execute() if runs else []
        return {
            run: StopRequest(reason=_str(reason), by=_str(by or b""))
            for run, (reason, by) in zip(runs, notes, strict=True)
            if reason is not None
        }

    async def close(self) -> None:
        """See `Appender.close`."""
        with _translated(self._url):
            await self._redis.aclose()

    async def _execute(self, *command: str | bytes | int) -> Any:
        with _translated(self._url):
            execute: Any = self._redis.execute_command
            return await execute(*command)

    async def _call_all(
        self, script: _Script, calls: Sequence[tuple[Sequence[str], Sequence[str | bytes | int]]]
    ) -> list[Any]:
        """Call a script for each (keys, arguments), in order, in one round trip."""
        with _translated(self._url):
            answers = await self._pipelined(script, calls)
            # Only a Redis that restarted or failed over lacks the script, and then from some
            # call on for all that follow: these are repeated, the ones before were done.
            forgotten = [
                i for i, said in enumerate(answers) if isinstance(said, exceptions.NoScriptError)
            ]
            if forgotten:
                await self._redis.script_load(script.text)
                again = await self._pipelined(script, [calls[i] for i in forgotten])
                for i, answer in zip(forgotten, again, strict=True):
                    answers[i] = answer
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
        return answers

    async def _pipelined(
        self, script: _Script, calls: Sequence[tuple[Sequence[str], Sequence[str | bytes | int]]]
    ) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for names, args in calls:
                pipe.execute_command("EVALSHA", script.sha, len(names), *names, *args)
            answers: list[Any] = await pipe.execute(raise_on_error=False)
            return answers


# ── the writer's side ────────────────────────────────────────────────────────


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
        self._redis = _client(settings.url)
        self._waiting = _client(settings.url, retries=0)

    def acquire(self) -> bool:
        """See `Consumer.acquire`."""
        with _translated(self._url):
            taken = _ACQUIRE.call(self._redis, [self._lease], self._owner, self._lease_ms)
            return bool(taken)

    def release(self) -> None:
        """See `Consumer.release`."""
        with _translated(self._url):
            _RELEASE.call(self._redis, [self._lease], self._owner)

    def read_inflight(self) -> Inflight | None:
        """See `Consumer.read_inflight`."""
        with _translated(self._url):
            found: Any = self._redis.hgetall(keys.inflight(self._shard))
        noted = {_str(name): _str(value) for name, value in found.items()}
        return Inflight(noted["first_id"], noted["last_id"], noted["token"]) if noted else None

    def write_inflight(self, inflight: Inflight) -> bool:
        """See `Consumer.write_inflight`."""
        names = [self._lease, keys.inflight(self._shard)]
        with _translated(self._url):
            noted = _INFLIGHT.call(
                self._redis, names, self._owner, inflight.first_id, inflight.last_id, inflight.token
            )
            return bool(noted)

    def read_range(self, first_id: str, last_id: str) -> list[StreamEntry]:
        """See `Consumer.read_range`."""
        with _translated(self._url):
            found = _ask(self._redis, "XRANGE", self._log, first_id, last_id)
        return _entries(found)

    def read_pending(self, count: int) -> list[StreamEntry]:
        """See `Consumer.read_pending`."""
        with _translated(self._url):
            while True:
                found = self._read_group(self._redis, "0", count=count)
                entries = _entries(found)
                gone = [entry_id for entry_id, fields in found if not fields]
                if gone:  # removed by hand; left alone they would hide the rest for ever
                    self._redis.xack(self._log, keys.GROUP, *gone[:_CLOSED_PENDING])
                if entries or not gone:
                    return entries

    def read_new(self, count: int, wait_s: float) -> list[StreamEntry]:
        """See `Consumer.read_new`."""
        wait_ms = round(min(wait_s, _LONGEST_BLOCK_S) * 1_000)
        # BLOCK 0 would wait for ever.
        block = ("BLOCK", wait_ms) if wait_ms > 0 else ()
        with _translated(self._url):
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
        ]
        args: list[str | bytes | int] = [self._owner, keys.GROUP, MOST_WATERMARKS, len(entries)]
        for entry in entries:
            args += (entry.id, len(entry.payload))
        for producer, seq in committed.items():
            args += (producer, seq)
        with _translated(self._url):
            return bool(_COMMIT.call(self._redis, names, *args))

    def read_lag(self) -> Lag:
        """See `Consumer.read_lag`."""
        with _translated(self._url), self._redis.pipeline(transaction=False) as pipe:
            _ask(pipe, "XLEN", self._log)
            _ask(pipe, "GET", keys.payload_bytes(self._shard))
            _ask(pipe, "XRANGE", self._log, "-", "+", "COUNT", 1)
            _ask(pipe, "TIME")
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
            found: Any = _ask(client, *command, "STREAMS", self._log, after)
        except exceptions.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
            self._make_group()
            found = _ask(client, *command, "STREAMS", self._log, after)
        return _of_one_stream(found)

    def _make_group(self) -> None:
        try:
            self._redis.xgroup_create(self._log, keys.GROUP, id="0", mkstream=True)
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
        StreamEntry(_str(entry_id), fields[b"p"], int(fields[b"q"]), fields[b"d"])
        for entry_id, fields in found
        if fields
    ]


def _age_s(oldest: Sequence[tuple[bytes, Any]], now: tuple[int, int]) -> float:
    if not oldest:
        return 0.0
    born_ms = int(_str(oldest[0][0]).partition("-")[0])
    return max(0.0, now[0] + now[1] / 1e6 - born_ms / 1e3)


def _str(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
