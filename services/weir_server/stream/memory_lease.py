"""Leases in memory: the twin of Redis for tests."""

from __future__ import annotations

import threading

from weir_server.clock import Clock, SystemClock
from weir_server.errors import StreamUnavailable


class MemoryLeases:
    """What all owners share: who holds it, and until when.

    Attributes:
        available: False makes every call raise `StreamUnavailable`.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.available = True
        self.clock = clock or SystemClock()
        self.lock = threading.Lock()  # guards owner and until_s
        self.owner = ""
        self.until_s = 0.0

    def flush(self) -> None:
        """Forget everything, as a Redis that lost its disk does."""
        with self.lock:
            self.owner = ""


class MemoryLease:
    """`Lease` of one owner."""

    def __init__(self, leases: MemoryLeases, *, owner: str, lease_s: float) -> None:
        self._leases = leases
        self._owner = owner
        self._lease_s = lease_s

    def acquire(self) -> bool:
        """See `Lease.acquire`."""
        return self._take((self._owner, ""))

    def keep(self) -> bool:
        """See `Lease.keep`."""
        return self._take((self._owner,))

    def release(self) -> None:
        """See `Lease.release`."""
        self._meet()
        with self._leases.lock:
            if self._leases.owner == self._owner:
                self._leases.owner = ""

    def close(self) -> None:
        """See `Lease.close`."""

    def _take(self, good: tuple[str, ...]) -> bool:
        self._meet()
        leases = self._leases
        with leases.lock:
            now_s = leases.clock.monotonic_s()
            owner = leases.owner if now_s < leases.until_s else ""
            if owner not in good:
                return False
            leases.owner, leases.until_s = self._owner, now_s + self._lease_s
            return True

    def _meet(self) -> None:
        if not self._leases.available:
            raise StreamUnavailable("the stream is away")
