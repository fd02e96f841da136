"""Thinning in plain Python over a list of points: the model that the SQL is judged by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias

import pyarrow as pa

from weir_store import answers
from weir_store.buckets import shifts, value_width, whole_range
from weir_store.log_buckets import log_ruler, ruler_of_whole
from weir_store.records import Reduce, SeriesQuery, XAxis

SeriesName: TypeAlias = tuple[str, str, str]
BucketOf: TypeAlias = Callable[["Point"], float]


@dataclass(frozen=True, slots=True)
class Point:
    """One point on its axis."""

    series: SeriesName
    rank: int
    x: float  # whole when the axis is STEP, TIME or RELATIVE
    step: int
    time_unix_us: int
    value: float


def read_points(
    points: Iterable[Point],
    across: Mapping[tuple[str, str, int, int], float],
    query: SeriesQuery,
    births: Mapping[tuple[str, str], int],
) -> pa.Table:
    """Answer a series query.

    Args:
        points: The newest version of every point of the runs that exist.
        across: Finite values of the axis metric by (project, run_id, rank, step).
        query: The question.
        births: When the runs logged their first point, Unix µs; used when x is RELATIVE.
    """
    chosen = [
        each
        for each in points
        if each.series[2] in query.metrics and (query.ranks is None or each.rank in query.ranks)
    ]
    placed = _placed(chosen, across, query, births)
    placed.sort(key=lambda each: (each.series, each.rank, each.x, each.step))
    bucket_of = _buckets(placed, across, query)
    wanted = [each for each in placed if _in_range(each.x, query)]
    if query.reduce is Reduce.RANKS:
        return pa.Table.from_pylist(_reduced(wanted, bucket_of), schema=answers.REDUCED)
    if query.max_points is None:
        return pa.Table.from_pylist([_full(each) for each in wanted], schema=answers.FULL)
    rows = [
        {**_names(points_[0]), "rank": points_[0].rank, **_thinned(points_)}
        for points_ in _grouped(wanted, lambda each: (each.series, each.rank, bucket_of(each)))
    ]
    return pa.Table.from_pylist(rows, schema=answers.THINNED)


def _placed(
    chosen: Sequence[Point],
    across: Mapping[tuple[str, str, int, int], float],
    query: SeriesQuery,
    births: Mapping[tuple[str, str], int],
) -> list[Point]:
    """Give every point its x; points that have none are left out."""

    def place(each: Point) -> float | None:
        match query.x:
            case XAxis.STEP:
                return each.step
            case XAxis.TIME:
                return each.time_unix_us
            case XAxis.RELATIVE:
                return each.time_unix_us - births[each.series[:2]]
            case XAxis.METRIC:
                return across.get((*each.series[:2], each.rank, each.step))

    return [
        Point(each.series, each.rank, x, each.step, each.time_unix_us, each.value)
        for each in chosen
        if (x := place(each)) is not None
    ]


def _in_range(x: float, query: SeriesQuery) -> bool:
    low = query.x_min is None or x >= query.x_min
    return low and (query.x_max is None or x < query.x_max)


def _buckets(
    placed: Sequence[Point],
    across: Mapping[tuple[str, str, int, int], float],
    query: SeriesQuery,
) -> BucketOf:
    """Return which bucket a point falls into; every x is its own when nothing is thinned."""
    if query.max_points is None:
        return lambda each: each.x
    if query.x is XAxis.METRIC:
        return _value_buckets(across, query, query.max_points)
    wanted = whole_range(query.x_min, query.x_max)
    reach: dict[str, tuple[int, int]] = {}
    for each in placed:
        x = int(each.x)
        low, high = reach.get(each.series[2], (x, x))
        reach[each.series[2]] = (min(low, x), max(high, x))
    if query.log_x:
        rulers = {
            metric: ruler_of_whole(*ends, wanted, query.max_points)
            for metric, ends in reach.items()
        }
        return lambda each: rulers[each.series[2]].slot(float(each.x))
    by_metric = shifts(reach, wanted, query.max_points)
    return lambda each: int(each.x) >> by_metric[each.series[2]]


def _value_buckets(
    across: Mapping[tuple[str, str, int, int], float], query: SeriesQuery, max_points: int
) -> BucketOf:
    runs = {(ref.project, ref.run_id) for ref in query.runs}
    values = [
        value
        for (project, run_id, rank, _), value in across.items()
        if (project, run_id) in runs and (query.ranks is None or rank in query.ranks)
    ]
    low = max(min(values, default=0.0), -math.inf if query.x_min is None else query.x_min)
    high = min(max(values, default=0.0), math.inf if query.x_max is None else query.x_max)
    if low > high:
        return lambda each: each.x
    if query.log_x:
        ruler = log_ruler(low, high, max_points)
        return lambda each: ruler.slot(each.x)
    width = value_width(low, high, max_points)
    return lambda each: math.floor(each.x / width)


def _grouped(points: Sequence[Point], key: Callable[[Point], Any]) -> list[list[Point]]:
    return [list(group) for _, group in groupby(points, key)]


def _names(point: Point) -> dict[str, Any]:
    project, run_id, metric = point.series
    return {"project": project, "run_id": run_id, "metric": metric}


def _full(point: Point) -> dict[str, Any]:
    rest = {"rank": point.rank, "x": float(point.x), "step": point.step}
    return {**_names(point), **rest, "time_unix_us": point.time_unix_us, "value": point.value}


def _thinned(points: Sequence[Point]) -> dict[str, Any]:
    """Return a bucket's row from its points, which are in order."""
    first, last = points[0], points[-1]
    return {
        "x": float(last.x),
        "x_min": float(first.x),
        "x_max": float(last.x),
        "step": last.step,
        "first": first.value,
        "last": last.value,
        **extremes([each.value for each in points]),
    }


def _reduced(points: Sequence[Point], bucket_of: BucketOf) -> list[dict[str, Any]]:
    """Return one row per bucket from the rows of its ranks."""
    points = sorted(points, key=lambda each: (each.series, bucket_of(each), each.rank))
    rows = []
    for bucket in _grouped(points, lambda each: (each.series, bucket_of(each))):
        ranked = _grouped(bucket, lambda each: each.rank)
        newest = max(bucket, key=lambda each: (each.x, each.step))
        rows.append(
            {
                **_names(newest),
                "x": float(newest.x),
                "x_min": float(min(each.x for each in bucket)),
                "x_max": float(newest.x),
                "step": newest.step,
                "mean": mean_of([each[-1].value for each in ranked]),
                "ranks": len(ranked),
                **extremes([each.value for each in bucket]),
            }
        )
    return rows


def extremes(values: Sequence[float]) -> dict[str, Any]:
    """Return min and max over the finite values, NaN when there is none, and the flags."""
    finite = [value for value in values if math.isfinite(value)]
    flags = (
        any(math.isnan(value) for value in values)
        + 2 * (math.inf in values)
        + 4 * (-math.inf in values)
    )
    low, high = (min(finite), max(finite)) if finite else (math.nan, math.nan)
    return {"min": low, "max": high, "nonfinite": flags}


def mean_of(values: Sequence[float]) -> float:
    """Return the mean of the finite values, NaN when there is none."""
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
