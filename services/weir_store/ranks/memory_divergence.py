"""Divergence over the points of `MemoryStore`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from weir_store.memory import MemoryStore
from weir_store.ranks import checks, figures, shapes
from weir_store.ranks.base import DivergenceQuery
from weir_store.ranks.divergence_sql import LEAST, LEAST_RELATIVE, MIN_RANKS, PER_SIGMA
from weir_store.ranks.memory_points import Seated, metrics_of, seated_points
from weir_store.ranks.names import find_all

_BY_STEP = [(name, "ascending") for name in ("step", "kind", "metric", "role", "rank")]


def read_divergence(store: MemoryStore, query: DivergenceQuery) -> pa.Table:
    """Return who left the others; the run exists."""
    checks.check_divergence(query)
    logged = metrics_of(store, query.ref)
    watched = (
        [m for m in logged if m in query.metrics]
        if query.metrics
        else find_all(logged, query.names.watched)
    )
    rows: list[dict[str, Any]] = []
    for metric in logged:
        roles: dict[str, list[Seated]] = {}
        for p in seated_points(store, [query.ref], [metric]):
            roles.setdefault(p.role, []).append(p)
        for role, points in roles.items():
            told = {"metric": metric, "role": role}
            if metric in watched:
                rows += [{**told, **row} for row in _diverged(points, query)]
            if metric in watched or not query.metrics:
                rows += [{**told, **row} for row in _nonfinite(points)]
    return pa.Table.from_pylist(rows, shapes.DIVERGENCE).sort_by(_BY_STEP)


def _diverged(points: Sequence[Seated], query: DivergenceQuery) -> list[dict[str, Any]]:
    steps: dict[int, list[Seated]] = {}
    for p in points:
        if math.isfinite(p.value):
            steps.setdefault(p.step, []).append(p)
    compared = [held for _, held in sorted(steps.items()) if len(held) >= MIN_RANKS]
    windows: dict[int, dict[int, list[tuple[Seated, float, float, int]]]] = {}
    for number, held in enumerate(compared):
        values = sorted(p.value for p in held)
        median = figures.quantile(values, 0.5)
        apart = figures.quantile(sorted(abs(v - median) for v in values), 0.5)
        scale = max(PER_SIGMA * apart, LEAST_RELATIVE * abs(median), LEAST)
        for p in held:
            of_rank = windows.setdefault(p.rank, {}).setdefault(number // query.window_steps, [])
            of_rank.append((p, (p.value - median) / scale, median, len(held)))
    rows = [_left(held, query) for held in windows.values()]
    return [row for row in rows if row]


def _left(
    windows: dict[int, list[tuple[Seated, float, float, int]]], query: DivergenceQuery
) -> dict[str, Any] | None:
    """Return when one rank was far from the others; None when it never was."""
    judged: list[dict[str, Any]] = [
        {
            "first": min(p.step for p, *_ in held),
            "end": max(p.step for p, *_ in held),
            "z": figures.quantile(sorted(z for _, z, *_ in held), 0.5),
            "value": figures.quantile(sorted(p.value for p, *_ in held), 0.5),
            "others": figures.quantile(sorted(median for _, _, median, _ in held), 0.5),
            "ranks": max(count for *_, count in held),
            "rank": held[0][0].rank,
            "node": held[0][0].node,
        }
        for _, held in sorted(windows.items())
        if len(held) >= max(1, query.window_steps // 2)
    ]
    far = [each for each in judged if abs(each["z"]) > query.threshold]
    if not far:
        return None
    worst = max(far, key=lambda each: (abs(each["z"]), -each["first"]))
    return {
        "kind": "diverged",
        **{name: worst[name] for name in ("rank", "node", "z", "value", "others")},
        "step": far[0]["first"],
        "last_step": far[-1]["end"],
        "ranks": max(each["ranks"] for each in judged),
        "over": abs(judged[-1]["z"]) <= query.threshold,
    }


def _nonfinite(points: Sequence[Seated]) -> list[dict[str, Any]]:
    rows = []
    for kind, value in (("nan", math.nan), ("inf", math.inf), ("-inf", -math.inf)):
        odd = [p for p in points if (math.isnan(p.value) if kind == "nan" else p.value == value)]
        if not odd:
            continue
        firsts: dict[int, Seated] = {}
        for p in sorted(odd, key=lambda p: p.step):
            firsts.setdefault(p.rank, p)
        first = min(firsts.values(), key=lambda p: (p.step, p.at_us, p.rank))
        finite = [p.step for p in points if p.rank == first.rank and math.isfinite(p.value)]
        rows.append(
            {
                "kind": kind,
                "rank": first.rank,
                "node": first.node,
                "step": first.step,
                "last_step": max(p.step for p in odd),
                "z": math.nan,
                "value": value,
                "others": math.nan,
                "ranks": len(firsts),
                "over": bool(finite)
                and max(finite) > max(p.step for p in odd if p.rank == first.rank),
            }
        )
    return rows
