"""Whether it is this process that evaluates rules: kept by a thread of its own, and known without asking."""

from __future__ import annotations

import threading
from typing import Final

from weir_server.clock import Clock
from weir_server.errors import StreamUnavailable
from weir_server.log import get_logger
from weir_server.stream.lease import Lease
from weir_server.telemetry import RULES_LEASE

_SURE: Final = 0.8  # of a lease's length: then others cannot have it yet, whatever the clocks do


class NotOurs(Exception):
    """Another process may evaluate rules by now: change nothing more."""


class Tenure:
    """start, close; `held` and `require` from any thread, at once.

    A process that slept past its lease finds out before it writes or sends: what it knows may be old.
    """

    def __init__(self, lease: Lease, lease_s: float, clock: Clock) -> None:
        self._lease = lease
        self._lease_s = lease_s
        self._clock = clock
        self._until_s = float("-inf")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="weir-rules-lease", daemon=True)
        self.times = 0
        """How often it was taken: whoever remembers something remembers it of one time."""

    @property
    def held(self) -> bool:
        """Whether nobody else can hold it now."""
        return self._clock.monotonic_s() < self._until_s

    def require(self) -> None:
        """Raise `NotOurs` unless it is held."""
        if not self.held:
            raise NotOurs

    def start(self) -> None:
        """Begin to take and keep it."""
        self._thread.start()

    def close(self) -> None:
        """Give it back, so that another can take over at once."""
        self._stop.set()
        self._thread.join()
        self._until_s = float("-inf")
        RULES_LEASE.set(0)
        try:
            self._lease.release()
        except StreamUnavailable as error:
            get_logger().warning("lease not given back, it will run out", error=str(error))
        self._lease.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._renew()
            except StreamUnavailable as error:
                get_logger().warning("cannot tell who evaluates rules", error=str(error))
            RULES_LEASE.set(self.held)
            self._stop.wait(self._lease_s / 4)

    def _renew(self) -> None:
        asked_s = self._clock.monotonic_s()
        if self.held and self._lease.keep():
            self._until_s = asked_s + self._lease_s * _SURE
            return
        self._until_s = float("-inf")
        if self._lease.acquire():
            self.times += 1
            self._until_s = asked_s + self._lease_s * _SURE
