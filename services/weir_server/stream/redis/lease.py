"""A lease on Redis."""

from __future__ import annotations

from typing import Final

from weir_server.settings import StreamSettings
from weir_server.stream.redis.vendor import Script, connect, translated

_ACQUIRE: Final = Script("acquire")
_KEEP: Final = Script("keep")
_RELEASE: Final = Script("release")


class RedisLease:
    """`Lease` on Redis: a key that names the owner and ends by itself."""

    def __init__(self, settings: StreamSettings, key: str, *, owner: str, lease_s: float) -> None:
        self._url = settings.url
        self._key = key
        self._owner = owner
        self._lease_ms = max(1, round(lease_s * 1_000))
        self._redis = connect(settings.url)

    def acquire(self) -> bool:
        """See `Lease.acquire`."""
        with translated(self._url):
            return bool(_ACQUIRE.call(self._redis, [self._key], self._owner, self._lease_ms))

    def keep(self) -> bool:
        """See `Lease.keep`."""
        with translated(self._url):
            return bool(_KEEP.call(self._redis, [self._key], self._owner, self._lease_ms))

    def release(self) -> None:
        """See `Lease.release`."""
        with translated(self._url):
            _RELEASE.call(self._redis, [self._key], self._owner)

    def close(self) -> None:
        """See `Lease.close`."""
        self._redis.close()
