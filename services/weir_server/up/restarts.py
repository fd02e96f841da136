"""How long to wait before a dead part is started again. Pure: no clock, no sleep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FIRST_S: Final = 0.25
LONGEST_S: Final = 15.0
SETTLED_S: Final = 10.0


@dataclass(slots=True)
class Restarts:
    """The restarts of one part; there is always another, only later.

    A part that holds unsaved points is never given up: the wait doubles from 0.25 s up to 15 s
    and starts anew once the part has lived for ten seconds: it was killed, it did not fail to start.

    Attributes:
        count: Times the part was started again, in all.
    """

    count: int = 0
    _in_a_row: int = 0

    def ended(self, lived_s: float) -> float:
        """Return how long to wait now that the part has ended after `lived_s`, in seconds."""
        if lived_s >= SETTLED_S:
            self._in_a_row = 0
        wait_s = min(LONGEST_S, FIRST_S * 2.0 ** min(self._in_a_row, 32))
        self._in_a_row += 1
        self.count += 1
        return wait_s
