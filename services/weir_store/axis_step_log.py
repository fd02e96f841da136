"""The step along a logarithmic axis: buckets that grow with the step.

From some octave on a bucket is a whole number of the roll-up's 64 steps wide,
and an octave is cut as a linear axis is: there the roll-up serves.

    steps   1   2    4       8              16                              32
    slots   |..|.|.|.|.|.|.|.|. . .|. . .|. . .|. . .|   four to an octave
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from weir_store import thinning
from weir_store.axis_step import StepAxis
from weir_store.log_buckets import LogRuler, ruler_of_whole
from weir_store.parameters import Parameters
from weir_store.plan import ROLLUP_SHIFT, SeriesKey, Span, StepRange, make_plan, wants_rollup
from weir_store.reader_spans import by_metric

_HIGHEST = 63  # octaves of a step


class LogStepAxis(StepAxis):
    """Buckets of which each octave has `2**parts`, the same for all the series of a metric."""

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        """Return up to two SELECTs for each metric: from the points, from the roll-up."""
        if self._max_points is None:  # every step is a bucket, whatever the axis
            return super().buckets(pack, parameters)
        return [
            select
            for metric, spans in sorted(by_metric(pack).items())
            for select in self._of_metric(self._ruler(metric), spans, parameters)
        ]

    def _ruler(self, metric: str) -> LogRuler:
        low, high = self._reach[metric]
        return ruler_of_whole(low, high, self._steps, self._max_points or 1)

    def _of_metric(
        self, ruler: LogRuler, spans: Sequence[Span], parameters: Parameters
    ) -> list[str]:
        points, rollup = _plan(ruler, spans, self._steps)
        selects = []
        if points:
            slot = ruler.slot_sql("step", parameters)
            source = self._points.points(points, parameters)
            selects.append(thinning.points_buckets(source, x="step", bucket=slot, order="step"))
        if rollup:
            slot = ruler.slot_sql(f"bitShiftLeft(bucket, {ROLLUP_SHIFT})", parameters)
            source = self._points.rollup(rollup, parameters)
            selects.append(thinning.rollup_buckets(source, slot=slot))
        return selects


def _plan(
    ruler: LogRuler, spans: Sequence[Span], steps: StepRange
) -> tuple[dict[StepRange, list[SeriesKey]], dict[StepRange, list[SeriesKey]]]:
    """Tell which steps come from which table: octave by octave above the first that the roll-up serves."""
    points: dict[StepRange, list[SeriesKey]] = defaultdict(list)
    rollup: dict[StepRange, list[SeriesKey]] = defaultdict(list)
    above = steps[1]
    last = min(steps[1] - 1, max(span.last_step for span in spans))
    whole_rows = range(ruler.parts + ROLLUP_SHIFT, max(0, last).bit_length())
    for octave in whole_rows if ruler.parts >= 0 else ():
        within = _within(octave, steps)
        if above == steps[1] and not wants_rollup(spans, octave - ruler.parts, within):
            continue
        above = min(above, within[0])
        plan = make_plan(spans, octave - ruler.parts, within)
        for of_octave, together in ((plan.points, points), (plan.rollup, rollup)):
            for those, keys in of_octave.items():
                together[those].extend(keys)
    if steps[0] < above or not (points or rollup):  # an empty range is asked for, too
        points[steps[0], above].extend(span.key for span in spans)
    return points, rollup


def _within(octave: int, steps: StepRange) -> StepRange:
    end = 1 << min(octave + 1, _HIGHEST)
    return max(steps[0], 1 << octave), min(steps[1], end)
