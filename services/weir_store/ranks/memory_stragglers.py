"""The straggler board and the comparison of nodes over the points of `MemoryStore`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from weir_store.buckets import step_shift, whole_range
from weir_store.memory import MemoryStore, Row
from weir_store.ranks import checks, figures, shapes
from weir_store.ranks.base import Names, StragglerBoard, StragglerQuery
from weir_store.ranks.board import PARTS, Share, node_table, rank_table
from weir_store.ranks.memory_points import (
    Seated,
    metrics_of,
    own_points,
    seated_points,
    source_rows,
)
from weir_store.ranks.names import find_metric, seconds_in
from weir_store.ranks.one_run import Logged
from weir_store.ranks.stragglers import TimesOfSteps
from weir_store.records import Run, RunRef


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a role: what at least two ranks took, in seconds."""

    role: str
    step: int
    took: Mapping[tuple[int, str], float]  # by rank and node
    parts: Mapping[str, Mapping[int, float]]  # by part and rank

    @property
    def median(self) -> float:
        return figures.quantile(sorted(self.took.values()), 0.5)

    @property
    def high(self) -> float:
        return max(self.took.values())

    @property
    def slowest(self) -> int:
        return min(rank for (rank, _), took in self.took.items() if took == self.high)

    @property
    def lost(self) -> float:
        return self.high - self.median

    def part_lost(self, part: str) -> float:
        held = self.parts.get(part, {})
        if self.slowest not in held:
            return 0.0
        return held[self.slowest] - figures.quantile(sorted(held.values()), 0.5)


def read_stragglers(store: MemoryStore, query: StragglerQuery) -> StragglerBoard:
    """Return whom the others wait for; the run exists."""
    checks.check_stragglers(query)
    times = TimesOfSteps.find(query, _logged(store, query.ref))
    first, end = whole_range(query.x_min, query.x_max)
    points = [
        p
        for p in seated_points(store, [query.ref], times.metrics)
        if first <= p.step < end and (query.roles is None or p.role in query.roles)
    ]
    steps = _steps(_distances(points) if times.from_times else points, times)
    reach = [p.step for p in seated_points(store, [query.ref], [times.metric])]
    timeline: list[dict[str, Any]] = []
    if reach:
        low, high = max(min(reach), first), min(max(reach), end - 1)
        timeline = _timeline(steps, step_shift(low, max(low, high), query.max_points))
    shares = _shares(steps, query.half_life_steps, set(times.parts))
    return StragglerBoard(
        query.ref,
        times.metric,
        times.from_times,
        len(steps),
        figures.quantile(sorted(each.median for each in steps), 0.5) if steps else 0.0,
        math.fsum(each.lost for each in steps),
        query.half_life_steps,
        rank_table(shares),
        node_table(shares, len(steps)),
        pa.Table.from_pylist(timeline, shapes.STRAGGLER_STEPS),
    )


def rank_nodes(store: MemoryStore, runs: Sequence[Run], names: Names, limit: int) -> pa.Table:
    """Compare nodes over the newest of these runs that log the time of a step."""
    newest = sorted(runs, key=lambda run: (-run.created_unix_us, run.run_id))
    timed = [
        (run.ref, find_metric(metrics_of(store, run.ref, own=True), names.step_time))
        for run in newest
    ]
    sums: dict[str, dict[str, float]] = {}
    seats: dict[str, set[tuple[str, str, int]]] = {}
    for ref, metric in [each for each in timed if each[1]][:limit]:
        steps = _steps(own_points(store, ref, metric), TimesOfSteps(metric, False, {}))
        lost: dict[str, float] = {}
        for each in steps:
            for (rank, node), took in each.took.items():
                of = sums.setdefault(node, dict.fromkeys(_SUMS, 0.0))
                seats.setdefault(node, set()).add((ref.run_id, each.role, rank))
                of["steps"] += 1
                of["ratios"] += took / each.median if each.median > 0 else 0.0
                of["ratio_steps"] += each.median > 0
                of["expected"] += 1 / len(each.took) if each.lost > 0 else 0.0
                is_slowest = rank == each.slowest and each.lost > 0
                of["slowest"] += is_slowest
                of["lost"] += each.lost if is_slowest else 0.0
                lost[node] = lost.get(node, 0.0) + (each.lost if is_slowest else 0.0)
        worst = max(lost.values(), default=0.0)
        for node, held in lost.items():
            sums[node]["worst"] += worst > 0 and held == worst
    rows = [_node_row(node, of, seats[node]) for node, of in sums.items()]
    rows.sort(key=lambda row: (-row["slowdown"], row["node"]))
    return pa.Table.from_pylist(rows, shapes.NODES)


_SUMS = ("steps", "ratios", "ratio_steps", "expected", "slowest", "lost", "worst")


def _node_row(
    node: str, of: Mapping[str, float], seats: set[tuple[str, str, int]]
) -> dict[str, Any]:
    return {
        "node": node,
        "runs": len({run for run, _, _ in seats}),
        "ranks": len(seats),
        "steps": int(of["steps"]),
        "slowdown": of["ratios"] / of["ratio_steps"] if of["ratio_steps"] else math.nan,
        "slowest": int(of["slowest"]),
        "slowest_share": of["slowest"] / of["steps"],
        "expected_share": of["expected"] / of["steps"],
        "lost_s": of["lost"],
        "worst_runs": int(of["worst"]),
    }


def _logged(store: MemoryStore, ref: RunRef) -> list[Logged]:
    """Return the metrics of a run with how many ranks and steps they have, hidden points included."""
    found: dict[str, list[Row]] = {}
    for row in source_rows(store, ref):
        found.setdefault(row["metric"], []).append(row)
    return [_extent(metric, rows) for metric, rows in sorted(found.items())]


def _extent(metric: str, rows: Sequence[Row]) -> Logged:
    steps = [row["step"] for row in rows]
    finite = all(math.isfinite(row["value"]) for row in rows)
    return Logged(metric, len({row["rank"] for row in rows}), max(steps) - min(steps) + 1, finite)


def _distances(points: Sequence[Seated]) -> list[Seated]:
    """Return points whose value is the time since the same process' last one, in seconds."""
    found: list[Seated] = []
    last: dict[tuple[int, int], int] = {}
    for p in sorted(points, key=lambda p: (p.rank, p.session, p.step)):
        life = p.rank, p.session
        if life in last:
            found.append(replace(p, value=(p.at_us - last[life]) / 1e6))
        last[life] = p.at_us
    return found


def _steps(points: Iterable[Seated], times: TimesOfSteps) -> list[_Step]:
    """Return what at least two ranks of a role logged, by role and step."""
    parts_of = {name: part for part, name in times.parts.items()}
    took: dict[tuple[str, int], dict[tuple[int, str], float]] = {}
    parts: dict[tuple[str, int], dict[str, dict[int, float]]] = {}
    for p in points:
        value = p.value if times.from_times else p.value * seconds_in(p.metric)
        if not (math.isfinite(value) and value >= 0):
            continue
        key = p.role, p.step
        if p.metric == times.metric:
            took.setdefault(key, {})[p.rank, p.node] = value
        if p.metric in parts_of:
            parts.setdefault(key, {}).setdefault(parts_of[p.metric], {})[p.rank] = value
    return [
        _Step(*key, held, parts.get(key, {})) for key, held in sorted(took.items()) if len(held) > 1
    ]


def _shares(steps: Sequence[_Step], half_life_steps: float, known: set[str]) -> list[Share]:
    ages: dict[str, int] = {}
    weights: list[tuple[_Step, float]] = []
    for each in reversed(steps):
        age = ages.get(each.role, 0)
        ages[each.role] = age + 1
        weights.append((each, 2 ** (-age / half_life_steps)))
    totals = {role: math.fsum(w for each, w in weights if each.role == role) for role in ages}
    held: dict[tuple[str, int, str], list[tuple[_Step, float, float]]] = {}
    for each, weight in weights:
        for (rank, node), took in each.took.items():
            held.setdefault((each.role, rank, node), []).append((each, weight, took))
    return [_share(*key, rows, totals[key[0]], known) for key, rows in held.items()]


def _share(
    role: str,
    rank: int,
    node: str,
    rows: Sequence[tuple[_Step, float, float]],
    total: float,
    known: set[str],
) -> Share:
    blamed = [(each, weight) for each, weight, _ in rows if each.slowest == rank and each.lost > 0]
    parts = [
        math.fsum(each.part_lost(part) for each, _ in blamed) if part in known else math.nan
        for part in PARTS
    ]
    return Share(
        role,
        rank,
        node,
        len(rows),
        math.fsum(took for _, _, took in rows),
        math.fsum(took / each.median for each, _, took in rows if each.median > 0),
        len(blamed),
        math.fsum(each.lost for each, _ in blamed),
        math.fsum(weight for _, weight in blamed) / total,
        (parts[0], parts[1], parts[2]),
    )


def _timeline(steps: Sequence[_Step], shift: int) -> list[dict[str, Any]]:
    buckets: dict[tuple[str, int], list[_Step]] = {}
    for each in steps:
        buckets.setdefault((each.role, each.step >> shift), []).append(each)
    return [
        {
            "role": role,
            "step": max(each.step for each in held),
            "median_s": math.fsum(each.median for each in held) / len(held),
            "slowest_s": (highest := max(each.high for each in held)),
            "rank": min(each.slowest for each in held if each.high == highest),
            "lost_s": math.fsum(each.lost for each in held),
            "steps": len(held),
        }
        for (role, _), held in sorted(buckets.items())
    ]
