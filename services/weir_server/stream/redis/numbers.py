"""Version numbers from Redis."""

from __future__ import annotations

from typing import Any, Final

import redis.asyncio
import redis.asyncio.retry
from redis import exceptions
from redis.backoff import ConstantBackoff

from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.numbers import CLAIM_KEPT_S, SERIES_KEPT_S
from weir_server.stream.redis.vendor import (
    ANSWER_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    PAUSE_BEFORE_RETRY_S,
    Script,
    translated,
)

_ALLOCATE: Final = Script("allocate")
_CONNECTIONS: Final = 2


class RedisNumbers:
    """`VersionNumbers` on Redis; belongs to one event loop."""

    def __init__(self, settings: StreamSettings) -> None:
        self._url = settings.url
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            settings.url,
            max_connections=_CONNECTIONS,
            timeout=ANSWER_TIMEOUT_S,
            protocol=2,
            socket_connect_timeout=CONNECT_TIMEOUT_S,
            socket_timeout=ANSWER_TIMEOUT_S,
            retry=redis.asyncio.retry.Retry(ConstantBackoff(PAUSE_BEFORE_RETRY_S), 1),
        )
        self._redis = redis.asyncio.Redis.from_pool(pool)

    async def allocate(self, project: str, series: str, claim: str, floor: int) -> int:
        """See `VersionNumbers.allocate`."""
        names = (keys.numbers(project, series), keys.claim(project, series, claim))
        args = (floor, SERIES_KEPT_S, CLAIM_KEPT_S)
        execute: Any = self._redis.execute_command
        with translated(self._url):
            try:
                number = await execute("EVALSHA", _ALLOCATE.sha, 2, *names, *args)
            except exceptions.NoScriptError:
                number = await execute("EVAL", _ALLOCATE.text, 2, *names, *args)
        return int(number)

    async def close(self) -> None:
        """See `VersionNumbers.close`."""
        with translated(self._url):
            await self._redis.aclose()
