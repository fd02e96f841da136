"""Counting what went wrong at the door, so that nobody may try for ever."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

MOST_FAILURES: Final = 10
WITHIN_S: Final = 60.0
_REMEMBERED: Final = 10_000


class Attempts:
    """Failures of each address within the last minute. Safe from any thread; memory is bounded."""

    def __init__(self, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._lock = threading.Lock()  # guards _failed
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Return how long this address has to wait before it may try; 0 = it may now."""
        with self._lock:
            failed = self._recent(_neighbourhood(address))
            if failed is None or len(failed) < MOST_FAILURES:
                return 0.0
            return failed[0] + WITHIN_S - self._monotonic_s()

    def note_failure(self, address: str) -> None:
        """Count one."""
        key = _neighbourhood(address)
        with self._lock:
            failed = self._recent(key)
            if failed is None:
                failed = self._failed[key] = deque(maxlen=MOST_FAILURES)
            failed.append(self._monotonic_s())
            self._failed.move_to_end(key)
            while len(self._failed) > _REMEMBERED:
                self._failed.popitem(last=False)

    def _recent(self, key: str) -> deque[float] | None:
        failed = self._failed.get(key)
        while failed and failed[0] <= self._monotonic_s() - WITHIN_S:
            failed.popleft()
        return failed


def _neighbourhood(address: str) -> str:
    """Return the address, or the /64 around an IPv6 one: whoever has one of these has all."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))
