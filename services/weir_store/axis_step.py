"""The step along the axis: cheap, because the tables are sorted and rolled up by it."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store import thinning
from weir_store.buckets import shifts, whole_range
from weir_store.parameters import Parameters
from weir_store.plan import ROLLUP_SHIFT, SeriesKey, Span, make_plan
from weir_store.points_source import PointsSource
from weir_store.reader_spans import by_metric
from weir_store.records import SeriesQuery


class StepAxis:
    """Buckets of `2**s` steps, one s for all the series of a metric so that runs line up."""

    x = "step"

    def __init__(self, query: SeriesQuery, points: PointsSource, spans: Sequence[Span]) -> None:
        self._points = points
        self._steps = whole_range(query.x_min, query.x_max)
        self._max_points = query.max_points
        self._reach = {
            metric: (min(each.first_step for each in group), max(each.last_step for each in group))
            for metric, group in by_metric(spans).items()
        }
        self._shifts = shifts(self._reach, self._steps, query.max_points)

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        """Return the points in range."""
        return self._points.points({self._steps: keys}, parameters)

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        """Return up to two SELECTs for each bucket width: from the points, from the roll-up."""
        by_shift: dict[int, list[Span]] = {}
        for span in pack:
            by_shift.setdefault(self._shifts[span.key[2]], []).append(span)
        return [
            select
            for shift, spans in sorted(by_shift.items())
            for select in self._of_width(shift, spans, parameters)
        ]

    def _of_width(self, shift: int, spans: Sequence[Span], parameters: Parameters) -> list[str]:
        plan = make_plan(spans, shift, self._steps)
        selects = []
        if plan.points:
            source = self._points.points(plan.points, parameters)
            selects.append(_buckets(source, shift))
        if plan.rollup:
            source = self._points.rollup(plan.rollup, parameters)
            slot = f"bitShiftRight(bucket, {shift - ROLLUP_SHIFT})"
            selects.append(thinning.rollup_buckets(source, slot=slot))
        return selects


def _buckets(source: str, shift: int) -> str:
    if shift == 0:  # a rank has one point of a step
        return thinning.single_buckets(source)
    bucket = f"bitShiftRight(step, {shift})"
    return thinning.points_buckets(source, x="step", bucket=bucket, order="step")
