"""The time: a real clock, and one that tests turn by hand."""

import time
from typing import Protocol


class Clock(Protocol):
    """Two ways to tell the time; safe to call from any thread."""

    def unix_us(self) -> int:
        """Return the wall clock, Unix microseconds. May jump."""

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment. Never goes back."""


class SystemClock:
    """The clock of the machine."""

    def unix_us(self) -> int:
        """Return the wall clock, Unix microseconds."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()


class ManualClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, unix_us: int = 1_700_000_000_000_000) -> None:
        self._unix_us = unix_us
        self._monotonic_s = 0.0

    def unix_us(self) -> int:
        """Return the wall clock, Unix microseconds."""
        return self._unix_us

    def monotonic_s(self) -> float:
        """Return the seconds advanced so far."""
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        """Move both readings forward."""
        self._monotonic_s += seconds
        self._unix_us += round(seconds * 1e6)

    def set_wall(self, unix_us: int) -> None:
        """Set the wall clock, as an administrator or NTP does; the other one does not notice."""
        self._unix_us = unix_us
