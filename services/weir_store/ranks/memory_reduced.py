"""Reductions over the points of `MemoryStore`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from weir_store import tables
from weir_store.buckets import shifts, whole_range
from weir_store.memory import MemoryStore
from weir_store.memory_rows import live_rows
from weir_store.ranks import checks, figures, lines, shapes
from weir_store.ranks.base import BY_SEAT, Interval, Over, ReduceQuery, Reduction
from weir_store.ranks.declared import read_declared
from weir_store.ranks.memory_points import Seated, seated_points
from weir_store.records import Run, RunRef

_Bucket: TypeAlias = tuple[str, str, int]  # project, line, number of the bucket
_Unit: TypeAlias = tuple[Any, ...]  # number of the run, and what it is of it
_Rank: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Value:
    """What a rank, or a unit, has in a bucket; causes are (number of the run, rank)."""

    value: float
    cause: tuple[int, int]
    last_step: int
    first_step: int
    low: float
    low_by: tuple[int, int]
    high: float
    high_by: tuple[int, int]
    nans: int
    infs: int


def read_reduced(store: MemoryStore, runs: Sequence[Run], query: ReduceQuery) -> pa.Table:
    """Put values together; `runs` are all that exist."""
    checks.check_reduce(query)
    labels = {
        run.ref: lines.Labels(run.group, run.job_type, run.config)
        for run in sorted(runs, key=lambda run: run.ref)
        if run.ref in query.runs
    }
    by_run = lines.run_lines(query, labels)
    declared = read_declared(
        (row["path"], row["str"], row["ver"])
        for row in live_rows(store, tables.RUN_ATTRS, list(labels))
        if row["ns"] == "meta"
    )
    rows: list[dict[str, Any]] = []
    for metric in query.metrics:
        within = declared.of(metric)
        runs_together = query.over in (Over.RUNS, Over.SEEDS)
        value = query.reduce or (Reduction.MEAN if runs_together else within)
        points = seated_points(store, list(labels), [metric])
        rows += _of_metric(
            points, query, value if query.over is Over.RANKS else within, value, by_run
        )
    checks.check_rows(len(rows))
    schema = shapes.reduced(query.quantiles)
    order = [(name, "ascending") for name in ("metric", "project", "line", "step")]
    return pa.Table.from_pylist(rows, schema).sort_by(order)


def _of_metric(
    points: Sequence[Seated],
    query: ReduceQuery,
    within: Reduction,
    value: Reduction,
    by_run: Mapping[RunRef, str],
) -> Iterable[dict[str, Any]]:
    points = [p for p in points if query.ranks is None or p.rank in query.ranks]
    if not points:
        return
    # Widths are decided before roles are looked at, as the small tables know no roles.
    steps = whole_range(query.x_min, query.x_max)
    reach = {"": (min(p.step for p in points), max(p.step for p in points))}
    shift = shifts(reach, steps, query.max_points)[""]
    if query.interval is Interval.BOOTSTRAP:
        _check_interval(points, query, shift, reach[""], steps)
    inside = [
        p
        for p in points
        if steps[0] <= p.step < steps[1] and (query.roles is None or p.role in query.roles)
    ]
    refs = list(by_run)
    for (project, line, _), units in _buckets(inside, query, by_run, shift).items():
        values = []
        for (number, *_), ranks in units.items():
            of_ranks = [_of_rank(held, number, within) for held in ranks.values()]
            values += of_ranks if query.over is Over.RANKS else [_together(of_ranks, within)]
        row = _row(values, query, value, refs)
        yield {"metric": points[0].metric, "project": project, "line": line, **row}


def _buckets(
    points: Iterable[Seated], query: ReduceQuery, by_run: Mapping[RunRef, str], shift: int
) -> dict[_Bucket, dict[_Unit, dict[_Rank, list[Seated]]]]:
    """Sort points: by line and bucket, then unit, then rank."""
    numbers = {run: number for number, run in enumerate(by_run)}
    seat_keys = [key for key in lines.keys_of(query) if key in BY_SEAT]
    columns = _seat_columns(query.over, seat_keys)
    found: dict[_Bucket, dict[_Unit, dict[_Rank, list[Seated]]]] = {}
    for p in points:
        parts = [by_run[p.run], *(_seat_part(key, p) for key in seat_keys)]
        line = lines.BETWEEN.join(part for part in parts if part)
        units = found.setdefault((p.run.project, line, p.step >> shift), {})
        ranks = units.setdefault((numbers[p.run], *_unit(query.over, p)), {})
        ranks.setdefault((p.rank, *(getattr(p, key) for key in columns)), []).append(p)
    return found


def _unit(over: Over, p: Seated) -> tuple[Any, ...]:
    match over:
        case Over.NODES:
            return (p.node,)
        case Over.ROLES:
            return (p.role,)
        case Over.ATTEMPTS:
            return (p.attempt,)
    return ()


def _seat_columns(over: Over, seat_keys: Sequence[str]) -> list[str]:
    own = {Over.NODES: "node", Over.ROLES: "role", Over.ATTEMPTS: "attempt"}.get(over)
    return sorted({*seat_keys, *([own] if own else [])})


def _seat_part(key: str, p: Seated) -> str:
    return f"attempt {p.attempt}" if key == "attempt" else str(getattr(p, key))


def _of_rank(points: Sequence[Seated], run_no: int, within: Reduction) -> _Value:
    """Return a rank's value in a bucket."""
    finite = [p.value for p in points if math.isfinite(p.value)]
    low, high = min(finite, default=math.inf), max(finite, default=-math.inf)
    last = max(points, key=lambda p: p.step)
    value = last.value
    if finite and within in (Reduction.MAX, Reduction.MIN):
        value = high if within is Reduction.MAX else low
    cause = run_no, last.rank
    nans = any(math.isnan(p.value) for p in points)
    infs = any(math.isinf(p.value) for p in points)
    first = min(p.step for p in points)
    return _Value(value, cause, last.step, first, low, cause, high, cause, nans, infs)


def _together(held: Sequence[_Value], within: Reduction) -> _Value:
    """Return the value of a unit from those of its ranks."""
    low, low_by, high, high_by = _extremes(held)
    return _Value(
        _figure(within, held),
        min(each.cause for each in held),
        max(each.last_step for each in held),
        min(each.first_step for each in held),
        low,
        low_by,
        high,
        high_by,
        sum(each.nans for each in held),
        sum(each.infs for each in held),
    )


def _row(
    held: Sequence[_Value], query: ReduceQuery, value: Reduction, refs: Sequence[RunRef]
) -> dict[str, Any]:
    finite = sorted(each.value for each in held if math.isfinite(each.value))
    low, low_by, high, high_by = _extremes(held)
    known = math.isfinite(low)
    ci_low, ci_high = figures.interval(query.interval, value, finite)
    return {
        "step": max(each.last_step for each in held),
        "step_min": min(each.first_step for each in held),
        "count": len(finite),
        "value": _figure(value, held),
        "mean": figures.figure(Reduction.MEAN, finite),
        "std": figures.deviation(finite),
        "ci_low": ci_low,
        "ci_high": ci_high,
        "iqm": figures.figure(Reduction.IQM, finite),
        "min": low if known else math.nan,
        "min_run_id": refs[low_by[0]].run_id if known else "",
        "min_rank": low_by[1] if known else 0,
        "max": high if known else math.nan,
        "max_run_id": refs[high_by[0]].run_id if known else "",
        "max_rank": high_by[1] if known else 0,
        "nans": sum(each.nans for each in held),
        "infs": sum(each.infs for each in held),
        **{shapes.quantile_name(q): figures.quantile(finite, q) for q in query.quantiles},
    }


def _figure(reduction: Reduction, held: Sequence[_Value]) -> float:
    finite = [each for each in held if math.isfinite(each.value)]
    if reduction is Reduction.LAST and finite:
        return max(finite, key=lambda each: (each.last_step, each.cause, each.value)).value
    return figures.figure(reduction, sorted(each.value for each in finite))


def _extremes(held: Sequence[_Value]) -> tuple[float, tuple[int, int], float, tuple[int, int]]:
    """Return the lowest and the highest, each with its least cause."""
    low, high = min(each.low for each in held), max(each.high for each in held)
    low_by = min(each.low_by for each in held if each.low == low)
    return low, low_by, high, min(each.high_by for each in held if each.high == high)


def _check_interval(
    points: Sequence[Seated],
    query: ReduceQuery,
    shift: int,
    reach: tuple[int, int],
    steps: tuple[int, int],
) -> None:
    low, high = max(reach[0], steps[0]), min(reach[1], steps[1] - 1)
    buckets = max(0, (high >> shift) - (low >> shift) + 1)
    of_runs = query.over in (Over.RUNS, Over.SEEDS)
    units = len({p.run if of_runs else (p.run, p.rank) for p in points})
    checks.check_resampled(buckets * units)
