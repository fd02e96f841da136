"""redis-py itself: connections, scripts, and what its errors mean for us.

Every call but reading new entries may be repeated without harm, so a connection that breaks is
tried once more; reading new entries is not, because entries of a lost reply are delivered and
never seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
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

from weir_server.errors import StreamUnavailable

CONNECT_TIMEOUT_S: Final = 2.0
ANSWER_TIMEOUT_S: Final = 5.0
PAUSE_BEFORE_RETRY_S: Final = 0.05


class Script:
    """A Lua script, called by its hash and sent again when Redis has forgotten it."""

    def __init__(self, name: str) -> None:
        self.text = Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def call(self, client: redis.Redis, names: Sequence[str], *args: str | bytes | int) -> Any:
        """Run it and return its answer."""
        try:
            return ask(client, "EVALSHA", self.sha, len(names), *names, *args)
        except exceptions.NoScriptError:
            return ask(client, "EVAL", self.text, len(names), *names, *args)


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
VENDOR_ERRORS: Final[tuple[type[Exception], ...]] = (
    *(
        kind
        for kind in vars(exceptions).values()
        if isinstance(kind, type) and issubclass(kind, Exception)
    ),
    OSError,
    EOFError,
)


def ask(client: redis.Redis, *command: str | bytes | int) -> Any:
    """Send one command and return its answer as it came."""
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
def translated(url: str) -> Iterator[None]:
    """Turn what redis-py raises into `StreamUnavailable`, chained."""
    try:
        yield
    except VENDOR_ERRORS as error:
        raise translate(error, url) from error


def _shown(url: str) -> str:
    """Return the address without its secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def connect(
    url: str, *, retries: int = 1, answer_timeout_s: float = ANSWER_TIMEOUT_S
) -> redis.Redis:
    """Return a client; nothing is sent before its first call."""
    return redis.Redis.from_url(
        url,
        protocol=2,  # the shapes of XREADGROUP and XRANGE differ in RESP3
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=answer_timeout_s,
        retry=Retry(ConstantBackoff(PAUSE_BEFORE_RETRY_S), retries),
        health_check_interval=0,
    )


def connect_async(url: str, *, connections: int) -> redis.asyncio.Redis:
    """Return a client for one event loop; who finds all its connections taken waits for one."""
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        max_connections=connections,
        timeout=ANSWER_TIMEOUT_S,
        protocol=2,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=ANSWER_TIMEOUT_S,
        retry=redis.asyncio.retry.Retry(ConstantBackoff(PAUSE_BEFORE_RETRY_S), 1),
    )
    return redis.asyncio.Redis.from_pool(pool)


def as_text(value: bytes | str) -> str:
    """Return what Redis sent as text."""
    return value.decode() if isinstance(value, bytes) else value
