"""The step along the axis: cheap, because the tables are sorted and rolled up by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from weir_store import thinning
from weir_store.buckets import INT64, shifts, whole_range
from weir_store.parameters import Parameters
from weir_store.plan import ROLLUP_SHIFT, SeriesKey, Span, StepRange, make_plan, wants_rollup
from weir_store.reader_spans import SpanReader, by_metric
from weir_store.records import SeriesQuery


class StepAxis:
    """Buckets of `2**s` steps, one s for all the series of a metric so that runs line up."""

    x = "step"

    def __init__(self, query: SeriesQuery, reader: SpanReader, spans: Sequence[Span]) -> None:
        self._reader = reader
        self._ranks = query.ranks
        self._steps = whole_range(query.x_min, query.x_max)
        reach = {
            metric: (min(each.first_step for each in group), max(each.last_step for each in group))
            for metric, group in by_metric(spans).items()
        }
        self._shifts = shifts(reach, self._steps, query.max_points)

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        """Return the points in range."""
        return self._points({self._steps: keys}, parameters)

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
        plan = make_plan(spans, shift, self._steps, self._overlaps(spans, shift))
        selects = []
        if plan.points:
            source = self._points(plan.points, parameters)
            bucket = f"bitShiftRight(step, {shift})"
            selects.append(thinning.points_buckets(source, x="step", bucket=bucket, order="step"))
        if plan.rollup:
            where = self._where(plan.rollup, f"bitShiftLeft(bucket, {ROLLUP_SHIFT})", parameters)
            source = f"{self._reader.database}.points_64 WHERE {where}"
            selects.append(thinning.rollup_buckets(source, shift=shift))
        return selects

    def _overlaps(self, spans: Sequence[Span], shift: int) -> Mapping[SeriesKey, StepRange]:
        if not wants_rollup(spans, shift, self._steps):
            return {}
        resumed = [span.key for span in spans if not (span.one_session or span.rewritten)]
        return self._reader.overlaps(resumed)

    def _points(
        self, ranges: Mapping[StepRange, Sequence[SeriesKey]], parameters: Parameters
    ) -> str:
        where = self._where(ranges, "step", parameters)
        return f"{self._reader.database}.points FINAL WHERE {where}"

    def _where(
        self,
        ranges: Mapping[StepRange, Sequence[SeriesKey]],
        step: str,
        parameters: Parameters,
    ) -> str:
        """Return the condition for ranges of steps; a bound that excludes nothing is left out."""
        parts = []
        for (first, end), keys in ranges.items():
            part = thinning.of_series(keys, parameters)
            part += f" AND {step} >= {parameters.whole(first)}" if first > INT64[0] else ""
            part += f" AND {step} < {parameters.whole(end)}" if end < INT64[1] else ""
            parts.append(f"({part})")
        return f"({' OR '.join(parts)}){thinning.of_ranks(self._ranks, parameters)}"
