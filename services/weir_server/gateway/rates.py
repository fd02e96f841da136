"""How much each project may send per second through this gateway. Pure: time is handed in."""

from __future__ import annotations

from typing import Final

# A project that was quiet may send so many seconds' worth at once.
_BURST_S: Final = 2.0
_LONGEST_WAIT_S: Final = 10.0
_SHORTEST_WAIT_S: Final = 0.05
_MOST_PROJECTS: Final = 10_000


class Rates:
    """Points and bytes per second and project; 0 = no limit.

    A frame is let in whole while anything is left, so one above the limit is late and never stuck:
    the next one waits until it is paid for.
    """

    def __init__(self, *, points_per_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        self._points = _Rate(points_per_s) if points_per_s else None
        self._bytes = _Rate(bytes_per_s) if bytes_per_s else None

    def wait_s(self, project: str, now_s: float) -> float:
        """Return how long the project's next frame has to wait, seconds; 0 = it may come in."""
        limits = [limit for limit in (self._points, self._bytes) if limit is not None]
        wait_s = max((limit.wait_s(project, now_s) for limit in limits), default=0.0)
        return min(max(wait_s, _SHORTEST_WAIT_S), _LONGEST_WAIT_S) if wait_s else 0.0

    def spend(self, project: str, points: int, body_bytes: int, now_s: float) -> None:
        """Count a frame that was let in."""
        if self._points is not None:
            self._points.spend(project, points, now_s)
        if self._bytes is not None:
            self._bytes.spend(project, body_bytes, now_s)


class _Rate:
    """A bucket for each project, that fills at `per_s`; below empty it has to be waited for."""

    def __init__(self, per_s: float) -> None:
        self._per_s = per_s
        self._full = per_s * _BURST_S
        self._left: dict[str, tuple[float, float]] = {}  # project → how much was left, and when

    def wait_s(self, project: str, now_s: float) -> float:
        return max(0.0, -self._left_now(project, now_s) / self._per_s)

    def spend(self, project: str, amount: int, now_s: float) -> None:
        self._left[project] = (self._left_now(project, now_s) - amount, now_s)
        if len(self._left) > _MOST_PROJECTS:
            self._forget_full(now_s)

    def _left_now(self, project: str, now_s: float) -> float:
        left, at_s = self._left.get(project, (self._full, now_s))
        return min(self._full, left + max(0.0, now_s - at_s) * self._per_s)

    def _forget_full(self, now_s: float) -> None:
        """A full bucket is as good as none."""
        self._left = {
            project: kept
            for project, kept in self._left.items()
            if self._left_now(project, now_s) < self._full
        }
