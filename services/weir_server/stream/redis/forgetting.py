"""Taking out of Redis what is left there of runs that were deleted."""

from __future__ import annotations

from collections.abc import Iterable

from weir_server.settings import StreamSettings
from weir_server.stream import keys
from weir_server.stream.redis.vendor import ask, connect, translated


class RedisRuns:
    """The caches and notes of runs. What processes hold in the log leaves it by itself, once stored."""

    def __init__(self, settings: StreamSettings) -> None:
        """Prepare; nothing is sent yet."""
        self._url = settings.url
        self._redis = connect(settings.url)

    def forget(self, project: str, run_ids: Iterable[str]) -> int:
        """Delete what is kept of these runs by name; return how many keys. May raise `StreamUnavailable`."""
        names = [
            name
            for run_id in run_ids
            for name in (keys.run(project, run_id), keys.stop(project, run_id))
        ]
        with translated(self._url):
            # One by one: in a cluster they lie in different slots.
            return sum(int(ask(self._redis, "UNLINK", name)) for name in names)

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()
