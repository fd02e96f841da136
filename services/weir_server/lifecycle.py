"""How a process is asked to stop."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Final

_ASKING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignals:
    """Counts the requests to stop: the first asks, the second insists. Main thread only."""

    def __init__(self) -> None:
        self._count = 0

    def install(self) -> None:
        """Count SIGINT, SIGTERM and SIGHUP from now on."""
        for number in _ASKING:
            signal.signal(number, self._count_one)

    @property
    def asked(self) -> bool:
        """Whether to stop, in order."""
        return self._count > 0

    @property
    def insisted(self) -> bool:
        """Whether to stop at once."""
        return self._count > 1

    def _count_one(self, number: int, frame: FrameType | None) -> None:
        self._count += 1
