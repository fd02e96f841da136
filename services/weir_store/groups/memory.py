"""Groups over any reader: plain loops over the runs' curves, as the model that ClickHouse is judged by."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any, TypeAlias

import pyarrow as pa

from weir_store.base import Reader
from weir_store.buckets import shifts, value_width, whole_range
from weir_store.groups.base import BANDS, BandQuery, Group, Key, KeyPage, check, check_limit
from weir_store.groups.joining import widest
from weir_store.log_buckets import log_ruler, ruler_of_whole
from weir_store.memory_series import mean_of
from weir_store.ranks.student import t95
from weir_store.records import Json, Reduce, RunQuery, RunRef, Scalar, SeriesQuery, XAxis

Row: TypeAlias = dict[str, Any]
Curve: TypeAlias = dict[int, Row]
"""By bucket: the row of it, or none where only a line passes: `{"height": …}`."""


class MemoryGroups:
    """Implements `base.GroupReader`; reads the curves of at most 1 000 runs into memory."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def list_keys(self, projects: Sequence[str], *, search: str = "", limit: int = 100) -> KeyPage:
        """Return config paths, also those that are inherited."""
        check_limit(limit)
        told: dict[str, list[Scalar | Json]] = defaultdict(list)
        for project in sorted(set(projects)):
            for run in self._reader.list_runs(RunQuery(project, limit=10_000)).runs:
                for path, value in run.config.items():
                    if all(word.lower() in path.lower() for word in search.split()):
                        told[path].append(value)
        keys = [Key(path, len(held), len(set(map(_alike, held)))) for path, held in told.items()]
        keys.sort(key=lambda key: (key.values < 2, key.path))
        return KeyPage(tuple(keys[:limit]), len(keys))

    def read_bands(self, query: BandQuery) -> pa.Table:
        """Read one line per group and metric."""
        check(query)
        if not query.runs:
            return BANDS.empty_table()
        question = query.curves()
        place = self._places(question)
        curves: dict[tuple[RunRef, str], Curve] = defaultdict(dict)
        for row in self._reader.read_series(question).to_pylist():
            key = RunRef(row["project"], row["run_id"]), row["metric"]
            curves[key][place(row["metric"], row["x"])] = {**row, "height": row["mean"]}
        if query.joined:
            curves = defaultdict(dict, {key: _joined(curve) for key, curve in curves.items()})
        rows = [
            row
            for group in query.read
            for metric in sorted(set(query.metrics))
            for row in _band(group, metric, curves)
        ]
        return pa.Table.from_pylist(rows, schema=BANDS)

    def read_state(self, runs: Sequence[RunRef], metrics: Sequence[str]) -> str:
        """Name the state of these series."""
        latest = self._reader.read_latest(runs, metrics).to_pylist() if runs else []
        return blake2b(repr((sorted(runs), latest)).encode(), digest_size=12).hexdigest()

    def _places(self, question: SeriesQuery) -> Callable[[str, float], int]:
        """Return which bucket of a metric an x lies in."""
        most = question.max_points or 1
        if question.x is XAxis.METRIC:
            low, high = self._across(question)
            if low > high:
                return lambda metric, x: 0
            if question.log_x:
                return lambda metric, x: log_ruler(low, high, most).slot(x)
            width = value_width(low, high, most)
            return lambda metric, x: math.floor(x / width)
        whole = replace(question, max_points=1, x_min=None, x_max=None)
        reach: dict[str, tuple[int, int]] = {}
        for row in self._reader.read_series(whole).to_pylist():
            low, high = int(row["x_min"]), int(row["x_max"])
            known = reach.get(row["metric"], (low, high))
            reach[row["metric"]] = (min(low, known[0]), max(high, known[1]))
        wanted = whole_range(question.x_min, question.x_max)
        if question.log_x:
            return lambda metric, x: ruler_of_whole(*reach[metric], wanted, most).slot(x)
        shift = shifts(reach, wanted, most)
        return lambda metric, x: int(x) >> shift[metric]

    def _across(self, question: SeriesQuery) -> tuple[float, float]:
        """Return the range of the axis metric that is asked for."""
        table = self._reader.read_series(
            SeriesQuery(question.runs, (question.x_metric,), 1, reduce=Reduce.RANKS)
        )
        told = [v for name in ("min", "max") for v in table[name].to_pylist() if math.isfinite(v)]
        low, high = min(told, default=0.0), max(told, default=0.0)
        return (
            low if question.x_min is None else max(low, question.x_min),
            high if question.x_max is None else min(high, question.x_max),
        )


def _joined(curve: Curve) -> Curve:
    """Return the curve with the buckets between neighbours that are joined."""
    held = sorted(curve)
    if len(held) < 2:
        return curve
    far, whole = widest(held[0], held[-1], len(held)), dict(curve)
    for here, there in pairwise(held):
        low, high = curve[here]["height"], curve[there]["height"]
        if there - here <= far and math.isfinite(low) and math.isfinite(high):
            for place in range(here + 1, there):
                part = (place - here) / (there - here)
                whole[place] = {"height": low + (high - low) * part}
    return whole


def _band(group: Group, metric: str, curves: Mapping[tuple[RunRef, str], Curve]) -> list[Row]:
    members = [curves[run, metric] for run in dict.fromkeys(group.runs) if (run, metric) in curves]
    places = sorted({place for curve in members for place, row in curve.items() if "x" in row})
    return [
        {
            "group": group.name,
            "metric": metric,
            **_bucket([curve[place] for curve in members if place in curve]),
        }
        for place in places
    ]


def _bucket(rows: Sequence[Row]) -> Row:
    logged = [row for row in rows if "x" in row]
    heights = [row["height"] for row in rows if math.isfinite(row["height"])]
    flags = [row["nonfinite"] for row in logged]
    mean, std = mean_of(heights), _deviation(heights)
    x = max(row["x"] for row in logged)
    return {
        "x": x,
        "x_min": min(row["x_min"] for row in logged),
        "x_max": x,
        "mean": mean,
        "std": std,
        "ci": t95(len(heights) - 1) * std / math.sqrt(max(len(heights), 1)),
        "n": len(heights),
        "min": min((row["min"] for row in logged if math.isfinite(row["min"])), default=math.nan),
        "max": max((row["max"] for row in logged if math.isfinite(row["max"])), default=math.nan),
        "nonfinite": _either(flags),
        "bad": sum(flag != 0 for flag in flags),
    }


def _either(flags: Sequence[int]) -> int:
    found = 0
    for flag in flags:
        found |= flag
    return found


def _deviation(values: Sequence[float]) -> float:
    if len(values) < 2:
        return math.nan
    mean = math.fsum(values) / len(values)
    squares = math.fsum((value - mean) * (value - mean) for value in values)
    return math.sqrt(squares / (len(values) - 1)) if math.isfinite(squares) else math.nan


def _alike(value: Scalar | Json) -> tuple[str, str]:
    """Return what makes two values of config the same: 1 and 1.0 are, 1 and True are not."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__, str(value)
    if isinstance(value, int | float):
        return "number", str(float(value))
    return ("json", value.text) if isinstance(value, Json) else ("str", value)
