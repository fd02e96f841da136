"""Asking what runs now: the curve of each run's main metric, short enough for a cell of a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from weir_dashboard.last_good import Answer, LastGood
from weir_store.base import Reader
from weir_store.records import Reduce, RunRef, SeriesQuery

_FRESH_S: Final = 5.0
_POINTS: Final = 48


@dataclass(frozen=True, slots=True)
class Spark:
    """A short curve.

    Attributes:
        values: Finite values, oldest first; means over the ranks.
        last: The newest value, which may be NaN or infinite.
        step: The newest step.
    """

    values: tuple[float, ...]
    last: float
    step: int


class HomeAsked:
    """What the first page may ask. Safe from any thread."""

    def __init__(self, kept: LastGood, reader: Reader) -> None:
        self._kept = kept
        self._reader = reader

    def sparks(self, metrics: Mapping[RunRef, str]) -> Answer[dict[RunRef, Spark]]:
        """Read one metric of each run; a run without points of it is absent."""
        key = ("sparks", tuple(sorted(metrics.items())))
        return self._kept.ask(key, _FRESH_S, lambda: self._read(metrics))

    def _read(self, metrics: Mapping[RunRef, str]) -> dict[RunRef, Spark]:
        found: dict[RunRef, Spark] = {}
        for metric in dict.fromkeys(metrics.values()):
            refs = tuple(ref for ref, wanted in metrics.items() if wanted == metric)
            found |= self._curves(refs, metric)
        return found

    def _curves(self, refs: tuple[RunRef, ...], metric: str) -> dict[RunRef, Spark]:
        table = self._reader.read_series(
            SeriesQuery(refs, (metric,), max_points=_POINTS, reduce=Reduce.RANKS)
        )
        columns = ("project", "run_id", "step", "mean", "nonfinite")
        curves: dict[RunRef, list[tuple[int, float]]] = {}
        for project, run_id, step, mean, odd in zip(
            *(table.column(name).to_pylist() for name in columns), strict=True
        ):
            value = math.nan if mean is None or (odd and math.isnan(mean)) else mean
            curves.setdefault(RunRef(project, run_id), []).append((step, value))
        return {ref: _spark(points) for ref, points in curves.items()}


def _spark(points: list[tuple[int, float]]) -> Spark:
    step, last = points[-1]
    return Spark(tuple(value for _, value in points if math.isfinite(value)), last, step)
