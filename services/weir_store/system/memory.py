"""System telemetry from `MemoryStore`: plain loops, as the model that ClickHouse is judged by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, TypeAlias

import pyarrow as pa

from weir_store import tables
from weir_store.buckets import step_shift
from weir_store.memory import MemoryStore
from weir_store.memory_rows import live_rows, unix_us
from weir_store.memory_series import extremes, mean_of
from weir_store.records import RunRef
from weir_store.system import limits, shapes
from weir_store.system.base import SystemQuery
from weir_store.system.usage import ANY, IDLE_BELOW, LONGEST_GAP_S, METRICS, Took, usage_table

Series: TypeAlias = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Sample:
    series: Series
    time_unix_us: int
    value: float


class MemorySystem:
    """Implements `base.SystemReader`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def list_system(self, ref: RunRef) -> pa.Table:
        """Return one row per series; see `base.SystemReader.list_system`."""
        samples = self._samples(SystemQuery(ref))
        rows = [_listed(list(held)) for _, held in groupby(samples, lambda each: each.series)]
        return limits.check_size(pa.Table.from_pylist(rows, schema=shapes.LISTED))

    def read_system(self, query: SystemQuery) -> pa.Table:
        """Read measurements, every one of them or thinned; see `base.SystemReader.read_system`."""
        limits.check(query)
        samples = self._samples(query)
        if query.max_points is None:
            rows = [_full(each) for each in samples]
            return limits.check_size(pa.Table.from_pylist(rows, schema=shapes.FULL))
        rows = [_thinned(bucket) for bucket in _buckets(samples, query.max_points)]
        return limits.check_size(pa.Table.from_pylist(rows, schema=shapes.THINNED))

    def read_usage(self, ref: RunRef) -> pa.Table:
        """Add up what the run took; see `base.SystemReader.read_usage`."""
        samples = [
            each
            for each in self._samples(SystemQuery(ref, metrics=METRICS))
            if each.series[2] and "/" not in each.series[2] and math.isfinite(each.value)
        ]
        moments = {((ANY, *each.series[1:]), each.time_unix_us) for each in samples}
        samples += [_Sample(series, moment, 0.0) for series, moment in moments]
        samples.sort(key=lambda each: (each.series, each.time_unix_us))
        return usage_table(
            _took(list(held)) for _, held in groupby(samples, lambda each: each.series)
        )

    def _samples(self, query: SystemQuery) -> list[_Sample]:
        """Return what was measured, by series and time; of a moment told twice the newest version."""
        newest: dict[tuple[Series, int], float] = {}
        for row in live_rows(self._store, tables.SYSTEM_POINTS, [query.ref]):  # by (…, ts, ver)
            series = row["metric"], row["node"], row["device"]
            if _chosen(series, unix_us(row["ts"]), query):
                newest[series, unix_us(row["ts"])] = row["value"]
        return [_Sample(*key, value) for key, value in sorted(newest.items())]


def _chosen(series: Series, moment: int, query: SystemQuery) -> bool:
    named = zip(series, (query.metrics, query.nodes, query.devices), strict=True)
    return (
        all(not names or name in names for name, names in named)
        and (query.from_unix_us is None or moment >= query.from_unix_us)
        and (query.to_unix_us is None or moment < query.to_unix_us)
    )


def _buckets(samples: Sequence[_Sample], max_points: int) -> Iterator[list[_Sample]]:
    if not samples:
        return
    moments = [each.time_unix_us for each in samples]
    shift = step_shift(min(moments), max(moments), max_points)
    for _, bucket in groupby(samples, lambda each: (each.series, each.time_unix_us >> shift)):
        yield list(bucket)


def _names(sample: _Sample) -> dict[str, Any]:
    return dict(zip(shapes.SERIES, sample.series, strict=True))


def _full(sample: _Sample) -> dict[str, Any]:
    return {**_names(sample), "time_unix_us": sample.time_unix_us, "value": sample.value}


def _thinned(bucket: Sequence[_Sample]) -> dict[str, Any]:
    ends = {"first": bucket[0].value, "last": bucket[-1].value}
    return {
        **_names(bucket[0]),
        "time_unix_us": bucket[-1].time_unix_us,
        **ends,
        **_of_finite(bucket),
    }


def _listed(samples: Sequence[_Sample]) -> dict[str, Any]:
    finite = [each.value for each in samples if math.isfinite(each.value)]
    return {
        **_names(samples[0]),
        "samples": len(samples),
        "first_unix_us": samples[0].time_unix_us,
        "last_unix_us": samples[-1].time_unix_us,
        "last": finite[-1] if finite else math.nan,
        **_of_finite(samples),
    }


def _of_finite(samples: Iterable[_Sample]) -> dict[str, Any]:
    values = [each.value for each in samples]
    held = extremes(values)
    return {"min": held["min"], "max": held["max"], "mean": mean_of(values)}


def _took(samples: Sequence[_Sample]) -> Took:
    """Return the sums over one metric of one device."""
    metric, node, device = samples[0].series
    measured_s = rise = area = weighted = idle_s = 0.0
    for before, after in pairwise(samples):
        gap_s = (after.time_unix_us - before.time_unix_us) / 1e6
        if gap_s <= LONGEST_GAP_S:
            measured_s += gap_s
            rise += max(after.value - before.value, 0.0)
            area += (after.value + before.value) / 2 * gap_s
            weighted += after.value * gap_s
            idle_s += gap_s if after.value < IDLE_BELOW else 0.0
    return Took(node, device, metric, measured_s, rise, area, weighted, idle_s)
