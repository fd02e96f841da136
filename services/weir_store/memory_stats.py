"""Metric fields of runs in `MemoryStore`: plain loops over points, as the model of reader_stats.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weir_store.memory import MemoryStore
from weir_store.memory_rows import list_series
from weir_store.memory_series import Point, extremes, mean_of
from weir_store.metric_field import AT_STEP, LAST, MetricField, parse_metric_field
from weir_store.records import RunRef


def read_metric_fields(store: MemoryStore, ref: RunRef, names: Iterable[str]) -> dict[str, float]:
    """Return what a run has of these fields; what it lacks is absent."""
    wanted = [parse_metric_field(name) for name in names]
    if not wanted:
        return {}
    series = list(list_series(store, [ref]).values())
    found = {str(field): _value(series, field) for field in wanted}
    return {name: value for name, value in found.items() if value is not None}


def _value(series: Iterable[Sequence[Point]], field: MetricField) -> float | None:
    found = [points for points in series if points[0].series[2] == field.metric]
    if field.stat == AT_STEP:
        found = [[point for point in points if point.step == field.step] for points in found]
    points = min(filter(None, found), key=lambda points: points[0].rank, default=())
    values = [point.value for point in points]
    if not values:
        return None
    if field.stat in (LAST, AT_STEP):
        return values[-1]
    return mean_of(values) if field.stat == "mean" else extremes(values)[field.stat]
