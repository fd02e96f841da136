"""Version numbers in memory: the twin of Redis for tests."""

from __future__ import annotations

from weir_server.errors import StreamUnavailable


class MemoryNumbers:
    """`VersionNumbers` that nobody else sees.

    Attributes:
        available: False makes every call raise `StreamUnavailable`.
    """

    def __init__(self) -> None:
        self.available = True
        self._last: dict[tuple[str, str], int] = {}
        self._claims: dict[tuple[str, str, str], int] = {}

    async def allocate(self, project: str, series: str, claim: str, floor: int) -> int:
        """See `VersionNumbers.allocate`."""
        if not self.available:
            raise StreamUnavailable("the stream is away")
        claimed = (project, series, claim)
        if claimed not in self._claims:
            last = max(self._last.get((project, series), floor), floor)
            self._last[project, series] = self._claims[claimed] = last + 1
        return self._claims[claimed]

    def flush(self) -> None:
        """Forget everything, as a Redis that lost its disk does."""
        self._last.clear()
        self._claims.clear()

    async def close(self) -> None:
        """See `VersionNumbers.close`."""
