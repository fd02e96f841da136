"""What time it is: handed down, so that tests can turn the hands."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Wall time and a clock that never goes back."""

    def unix_us(self) -> int:
        """Return Unix microseconds."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment."""
        ...


class SystemClock:
    """The machine's clocks."""

    def unix_us(self) -> int:
        """Return Unix microseconds."""
        return time.time_ns() // 1_000

    def monotonic_s(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()


class ManualClock:
    """A clock that moves when told."""

    def __init__(self, unix_us: int = 1_700_000_000_000_000) -> None:
        self._start_us = unix_us
        self._elapsed_s = 0.0

    def unix_us(self) -> int:
        """Return Unix microseconds."""
        return self._start_us + round(self._elapsed_s * 1e6)

    def monotonic_s(self) -> float:
        """Return seconds since the clock was made."""
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Move both hands forward."""
        self._elapsed_s += seconds
