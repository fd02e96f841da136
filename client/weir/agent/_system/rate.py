"""Counters into rates."""

from typing import Final

_SHORTEST_S: Final = 0.1  # over less than this a rate is noise


class Rates:
    """Turns counters that only rise into amounts per second. Pure but for what it remembers."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[float, float]] = {}

    def per_s(self, name: str, device: str, count: float, now_s: float) -> float | None:
        """Return the mean rate since the last call for this name and device.

        None the first time, when too little time has passed, and when the counter began anew.
        """
        last = self._last.get((name, device))
        if last is not None and now_s - last[1] < _SHORTEST_S:
            return None
        self._last[name, device] = (count, now_s)
        if last is None or count < last[0]:
            return None
        return (count - last[0]) / (now_s - last[1])
