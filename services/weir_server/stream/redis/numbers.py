"""Version numbers from Redis."""

from __future__ import annotations

from typing import Any, Final

from redis import exceptions

from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.numbers import CLAIM_KEPT_S, SERIES_KEPT_S
from weir_server.stream.redis.vendor import (
    Script,
    connect_async,
    translated,
)

_ALLOCATE: Final = Script("allocate")
_CONNECTIONS: Final = 2


class RedisNumbers:
    """`VersionNumbers` on Redis; belongs to one event loop."""

    def __init__(self, settings: StreamSettings) -> None:
        self._url = settings.url
        self._redis = connect_async(settings.url, connections=_CONNECTIONS)

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
