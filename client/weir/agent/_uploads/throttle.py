"""Bandwidth: a bucket of bytes that fills with time."""

import threading

from weir._clock import Clock
from weir.agent._uploads.stopping import Stopping

_BURST_S = 0.25  # so much may be sent at once after a rest


class Throttle:
    """Lets bytes pass at a rate, shared by any number of threads.

    Args:
        bytes_per_s: The rate; 0 = no limit.
        clock: Tells when.
        stopping: Ends every wait.
    """

    def __init__(self, bytes_per_s: float, clock: Clock, stopping: Stopping) -> None:
        self._bytes_per_s = bytes_per_s
        self._clock = clock
        self._stopping = stopping
        self._lock = threading.Lock()
        self._free_at_s = clock.monotonic_s()  # when all that was let through has passed

    def take(self, size_bytes: int) -> None:
        """Wait until so many bytes may be sent. Raises Stopped."""
        if self._bytes_per_s <= 0:
            self._stopping.check()
            return
        with self._lock:
            now_s = self._clock.monotonic_s()
            begin_s = max(self._free_at_s, now_s - _BURST_S)
            self._free_at_s = begin_s + size_bytes / self._bytes_per_s
        self._stopping.rest(begin_s - now_s)
