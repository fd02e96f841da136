"""How often the node is measured: quicker at a run's start and when something changes. Pure.

age of the youngest run    0 … 10 s   10 … 60 s   later
period                     1 s        2 s         as asked, 1 s for a while after a sharp change
"""

from collections.abc import Mapping
from typing import Final

START_S: Final = 10.0
EARLY_S: Final = 60.0
QUICK_PERIOD_S: Final = 1.0
EARLY_PERIOD_S: Final = 2.0
BURST_S: Final = 10.0
REST_S: Final = 110.0
"""After a burst changes are passed over for so long: a load that swings all day is no news."""

SHARP_POINTS: Final = 50.0
"""A step of so many points of utilisation is sharp."""


def period_s(*, asked_s: float, youngest_s: float, restless: bool) -> float:
    """Return the seconds between two samplings; never more than was asked for.

    Args:
        asked_s: The shortest period that a run asks for.
        youngest_s: Age of the youngest run.
        restless: Whether something changed sharply just now.
    """
    if youngest_s < START_S or restless:
        return min(asked_s, QUICK_PERIOD_S)
    if youngest_s < EARLY_S:
        return min(asked_s, EARLY_PERIOD_S)
    return asked_s


def is_sharp(before: Mapping[str, float], after: Mapping[str, float]) -> bool:
    """Whether one of the levels (0…100) made a step, or a state appeared or went."""
    if not before:
        return False
    if before.keys() != after.keys():
        return True
    return any(abs(after[name] - level) >= SHARP_POINTS for name, level in before.items())


class Restlessness:
    """Remembers levels from sampling to sampling; restless for a while after a sharp change."""

    def __init__(self) -> None:
        self._levels: Mapping[str, float] = {}
        self._since_s = float("-inf")

    def note(self, levels: Mapping[str, float], now_s: float) -> None:
        """Take the levels of a sampling."""
        rested = now_s - self._since_s >= BURST_S + REST_S
        if rested and is_sharp(self._levels, levels):
            self._since_s = now_s
        self._levels = levels

    def at(self, now_s: float) -> bool:
        """Whether it is restless now."""
        return now_s - self._since_s < BURST_S
