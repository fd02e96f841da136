"""What measuring may cost: a hundredth of a core, whatever the machine is. Pure.

A purse fills with 10 ms of processor time per second and is emptied by samplings. It may go below
nothing: then the next sampling waits until it is paid for. So over any T seconds the samplings
take at most T/100 + the purse, and one more sampling.
"""

from typing import Final

SHARE: Final = 0.01
PURSE_S: Final = 0.3
"""Lets a run's first minute be measured every second or two where a sampling costs 10 ms."""


class Purse:
    """Processor seconds that may be spent. Told the time, has no clock."""

    def __init__(self, now_s: float, *, share: float = SHARE, most_s: float = PURSE_S) -> None:
        self._share = share
        self._most_s = most_s
        self._held_s = most_s
        self._at_s = now_s

    def allows(self, now_s: float) -> bool:
        """Whether the last sampling is paid for."""
        return self._fill(now_s) > 0

    def wait_s(self, now_s: float) -> float:
        """Return seconds until it is."""
        return max(0.0, -self._fill(now_s) / self._share)

    def spend(self, cpu_s: float, now_s: float) -> None:
        """Take what a sampling cost."""
        self._held_s = self._fill(now_s) - cpu_s

    def _fill(self, now_s: float) -> float:
        gained_s = (now_s - self._at_s) * self._share
        self._held_s = min(self._most_s, self._held_s + gained_s)
        self._at_s = now_s
        return self._held_s
