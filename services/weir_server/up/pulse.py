"""When a part that runs and answers nothing is given up. Pure: no clock, no probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# So many questions in a row without an answer. Counted rather than timed: a machine that slept, or
# a supervisor that was itself stopped, must not take the pause for the part's.
_MISSES: Final = 6


@dataclass(slots=True)
class Pulse:
    """The questions put to one part since it became ready.

    Attributes:
        patience_s: How long it may answer nothing.
    """

    patience_s: float
    _misses: int = 0
    _ask_at_s: float = 0.0

    def due(self, now_s: float) -> bool:
        """Return whether it is time to ask."""
        return now_s >= self._ask_at_s

    def hangs(self, answered: bool, now_s: float) -> bool:
        """Note whether it answered when asked at `now_s`; return whether it is to be given up."""
        self._ask_at_s = now_s + self.patience_s / _MISSES
        self._misses = 0 if answered else self._misses + 1
        return self._misses >= _MISSES

    def begin(self) -> None:
        """Forget what was: it was started again."""
        self._misses = 0
