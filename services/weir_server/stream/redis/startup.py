"""Before the start: can this Redis be trusted with entries?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import redis
from redis import exceptions

from weir_server.errors import StartupError, StreamUnavailable
from weir_server.log import get_logger
from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.redis.vendor import VENDOR_ERRORS, as_text, connect, translated

_OLDEST_REDIS: Final = (6, 2)


def ping(url: str) -> bool:
    """Return whether a Redis answers at `url`."""
    client = connect(url, retries=0, answer_timeout_s=1.0)
    try:
        return bool(client.ping())
    except VENDOR_ERRORS:
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
    client = connect(settings.url)
    try:
        with translated(settings.url):
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
    config = {as_text(name): as_text(value) for name, value in found.items()}
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
