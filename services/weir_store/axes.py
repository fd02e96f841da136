"""What runs along the horizontal axis: each kind knows its points, its range and its buckets.

    STEP      the step; long series come from the roll-up where it is exact
    TIME      Unix µs, and RELATIVE, µs since the run's first point
    METRIC    the value of another metric at the same step and rank
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from weir_store import thinning
from weir_store.buckets import step_shift, value_width
from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey, Span, StepRange, make_plan, wants_rollup
from weir_store.reader_live import of_runs
from weir_store.reader_spans import SpanReader
from weir_store.records import RunRef, SeriesQuery, XAxis

_INT64 = (-(1 << 63), (1 << 63) - 1)
_MICROS = "toUnixTimestamp64Micro(ts)"


class Axis(Protocol):
    """One kind of horizontal axis, for one question."""

    by_step: bool
    """The axis is the step itself."""

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        """Return a FROM clause: the series' points in range, with their `x`."""
        ...

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        """Return SELECTs that together give every bucket of the pack once."""
        ...


def axis_of(
    query: SeriesQuery, reader: SpanReader, runs: Sequence[RunRef], spans: Sequence[Span]
) -> Axis:
    """Return the question's axis. `spans` are all its series: buckets fit all that share a metric."""
    match query.x:
        case XAxis.STEP:
            return _StepAxis(query, reader, spans)
        case XAxis.TIME | XAxis.RELATIVE:
            births = reader.births(runs) if query.x is XAxis.RELATIVE else {}
            return _TimeAxis(query, reader.database, runs, spans, births)
        case XAxis.METRIC:
            buckets_wanted = query.max_points is not None and spans
            reach = reader.values(runs, query.x_metric, query.ranks) if buckets_wanted else None
            return _MetricAxis(query, reader.database, runs, reach)


class _StepAxis:
    by_step = True

    def __init__(self, query: SeriesQuery, reader: SpanReader, spans: Sequence[Span]) -> None:
        self._reader = reader
        self._ranks = query.ranks
        self._steps = _whole_range(query)
        by_metric = _by(lambda span: span.key[2], spans)
        reach = {
            metric: (min(s.first_step for s in group), max(s.last_step for s in group))
            for metric, group in by_metric.items()
        }
        self._shifts = _shifts(reach, self._steps, query.max_points)

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        return self._read({self._steps: keys}, "points", "FINAL", parameters, "step AS x, ts, ")

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        selects = []
        for shift, spans in sorted(_by(lambda span: self._shifts[span.key[2]], pack).items()):
            overlaps = self._overlaps(spans, shift)
            plan = make_plan(spans, shift, self._steps, overlaps)
            if plan.points:
                source = self._read(plan.points, "points", "FINAL", parameters)
                bucket = f"bitShiftRight(step, {shift})"
                selects.append(
                    thinning.points_buckets(source, x="step", bucket=bucket, by_step=True)
                )
            if plan.rollup:
                source = self._read(plan.rollup, "points_64", "", parameters)
                selects.append(thinning.rollup_buckets(source, shift=shift))
        return selects

    def _overlaps(self, spans: Sequence[Span], shift: int) -> Mapping[SeriesKey, StepRange]:
        if not wants_rollup(spans, shift, self._steps):
            return {}
        resumed = [span.key for span in spans if not (span.one_session or span.rewritten)]
        return self._reader.overlaps(resumed)

    def _read(
        self,
        ranges: Mapping[StepRange, Sequence[SeriesKey]],
        table: str,
        final: str,
        parameters: Parameters,
        more: str = "",
    ) -> str:
        """Return a FROM clause for ranges of steps of a table; bounds that exclude nothing are left out."""
        low, high = ("step", "step") if table == "points" else ("bucket * 64", "bucket * 64")
        parts = []
        for (first, end), keys in ranges.items():
            part = thinning.of_series(keys, parameters)
            if first > _INT64[0]:
                part += f" AND {low} >= {parameters.int(first)}"
            if end < _INT64[1]:
                part += f" AND {high} < {parameters.int(end)}"
            parts.append(f"({part})")
        chosen = " OR ".join(parts)
        table_ = f"{self._reader.database}.{table}"
        columns = f"{more}step, value" if table == "points" else ""
        where = f"({chosen}){thinning.of_ranks(self._ranks, parameters)}"
        if not columns:
            return f"{table_} WHERE {where}"
        return f"{table_} {final} WHERE {where}"


class _TimeAxis:
    by_step = False

    def __init__(
        self,
        query: SeriesQuery,
        database: str,
        runs: Sequence[RunRef],
        spans: Sequence[Span],
        births: Mapping[RunRef, int],
    ) -> None:
        self._database = database
        self._relative = query.x is XAxis.RELATIVE
        self._runs = runs
        self._ranks = query.ranks
        self._range = _whole_range(query)
        reach: dict[str, tuple[int, int]] = {}
        for span in spans:
            born = births.get(RunRef(*span.key[:2]), 0)
            first, last = reach.get(span.key[2], (_INT64[1], _INT64[0]))
            reach[span.key[2]] = (
                min(first, span.first_unix_us - born),
                max(last, span.last_unix_us - born),
            )
        self._shifts = _shifts(reach, self._range, query.max_points)

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        x = f"{_MICROS} - born" if self._relative else _MICROS
        births = self._births(parameters) if self._relative else ""
        first, end = self._range
        return f"""(
  SELECT {thinning.SERIES}, rank, step, value, ts, {x} AS x
  FROM (SELECT * FROM {self._database}.points FINAL
    WHERE {thinning.of_series(keys, parameters)}{thinning.of_ranks(self._ranks, parameters)}) AS chosen
  {births}
  WHERE x >= {parameters.int(first)} AND x < {parameters.int(end)})"""

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        return [
            thinning.points_buckets(
                self.source([span.key for span in spans], parameters),
                x="x",
                bucket=f"bitShiftRight(x, {shift})",
            )
            for shift, spans in sorted(_by(lambda span: self._shifts[span.key[2]], pack).items())
        ]

    def _births(self, parameters: Parameters) -> str:
        return f"""INNER JOIN (
    SELECT project, run_id, toUnixTimestamp64Micro(min(min_ts)) AS born
    FROM {self._database}.series WHERE {of_runs(self._runs, parameters)}
    GROUP BY project, run_id) AS births USING (project, run_id)"""


class _MetricAxis:
    by_step = False

    def __init__(
        self,
        query: SeriesQuery,
        database: str,
        runs: Sequence[RunRef],
        reach: tuple[float, float] | None,
    ) -> None:
        self._database = database
        self._metric = query.x_metric
        self._runs = runs
        self._ranks = query.ranks
        self._min, self._max = query.x_min, query.x_max
        self._bucket = "x"
        if reach is not None and query.max_points is not None:
            low = reach[0] if self._min is None else max(reach[0], self._min)
            high = reach[1] if self._max is None else min(reach[1], self._max)
            width = value_width(low, max(low, high), query.max_points)
            self._bucket = f"floor(x / exp2({math.frexp(width)[1] - 1}))"

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        ranks = thinning.of_ranks(self._ranks, parameters)
        bounds = ""
        if self._min is not None:
            bounds += f" AND x >= {parameters.float(_finite(self._min))}"
        if self._max is not None:
            bounds += f" AND x < {parameters.float(_finite(self._max))}"
        return f"""(
  SELECT {thinning.SERIES}, rank, step, value, ts, x
  FROM (SELECT * FROM {self._database}.points FINAL
    WHERE {thinning.of_series(keys, parameters)}{ranks}) AS chosen
  INNER JOIN (SELECT project, run_id, rank, step, value AS x FROM {self._database}.points FINAL
    WHERE {of_runs(self._runs, parameters)} AND metric = {parameters.string(self._metric)}{ranks}
  ) AS across USING (project, run_id, rank, step)
  WHERE isFinite(x){bounds})"""

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        source = self.source([span.key for span in pack], parameters)
        return [thinning.points_buckets(source, x="x", bucket=self._bucket)]


def _by(key, spans):  # type: ignore
    groups = defaultdict(list)
    for span in spans:
        groups[key(span)].append(span)
    return groups


def _whole_range(query: SeriesQuery) -> StepRange:
    """Return [first, end) of an axis of whole numbers."""
    first = _INT64[0] if query.x_min is None else _whole(query.x_min)
    end = _INT64[1] if query.x_max is None else _whole(query.x_max)
    return first, end


def _whole(bound: float) -> int:
    """Round up, within 64 bits: n >= 1.5 means n >= 2, and n < 1.5 means n < 2."""
    if math.isinf(bound):
        return _INT64[bound > 0]
    return min(max(math.ceil(bound), _INT64[0]), _INT64[1])


def _finite(bound: float) -> float:
    return min(max(bound, -1.797e308), 1.797e308)


def _shifts(
    reach: Mapping[str, tuple[int, int]], wanted: StepRange, max_points: int | None
) -> dict[str, int]:
    """Return each metric's bucket width as a power of two; 0 where every x is its own bucket."""
    if max_points is None:
        return dict.fromkeys(reach, 0)
    shifts = {}
    for metric, (low, high) in reach.items():
        first, last = max(low, wanted[0]), min(high, wanted[1] - 1)
        shifts[metric] = step_shift(first, last, max_points) if first <= last else 0
    return shifts


__all__ = ["Axis", "Iterable", "axis_of", "dataclass"]
