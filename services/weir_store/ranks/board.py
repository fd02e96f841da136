"""The straggler board, put together from sums by role, rank and node. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from weir_store.ranks import shapes

PARTS: Final = ("data", "compute", "comm")
"""What a step's time is made of, where it is logged."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a rank did to the others while it ran on one node; sums add up over nodes and ranks.

    Attributes:
        steps: That it and another rank logged.
        seconds: Its time, summed.
        ratios: Its time by the median of the step, summed.
        slowest: Steps at which it was the slowest.
        lost_s: At these, its time minus the median, summed.
        weight: Its share of the persistence.
        parts: Of `lost_s`, by `PARTS`: excess over the part's median, summed; NaN = not logged.
    """

    role: str
    rank: int
    node: str
    steps: int
    seconds: float
    ratios: float
    slowest: int
    lost_s: float
    weight: float
    parts: tuple[float, float, float]


def rank_table(shares: Iterable[Share]) -> pa.Table:
    """Return `shapes.STRAGGLERS`, most lost first."""
    groups = _grouped(shares, lambda share: (share.role, share.rank))
    rows = [_rank_row(group) for group in groups.values()]
    rows.sort(key=lambda row: (-row["lost_s"], -row["slowest"], row["role"], row["rank"]))
    return pa.Table.from_pylist(rows, shapes.STRAGGLERS)


def node_table(shares: Iterable[Share], steps: int) -> pa.Table:
    """Return `shapes.STRAGGLER_NODES`, most lost first; `steps` are those of all roles."""
    groups = _grouped(shares, lambda share: (share.node,))
    rows = [
        {
            "node": node,
            "ranks": len({(each.role, each.rank) for each in group}),
            "slowdown": _divided(sum(s.ratios for s in group), sum(s.steps for s in group)),
            "slowest": sum(each.slowest for each in group),
            "slowest_share": _divided(sum(each.slowest for each in group), steps),
            "lost_s": math.fsum(each.lost_s for each in group),
            "persistence": math.fsum(each.weight for each in group),
        }
        for (node,), group in groups.items()
    ]
    rows.sort(key=lambda row: (-row["lost_s"], row["node"]))
    return pa.Table.from_pylist(rows, shapes.STRAGGLER_NODES)


def _rank_row(group: Sequence[Share]) -> Mapping[str, Any]:
    steps = sum(each.steps for each in group)
    slowest = sum(each.slowest for each in group)
    parts = {part: _added(each.parts[n] for each in group) for n, part in enumerate(PARTS)}
    return {
        "role": group[0].role,
        "rank": group[0].rank,
        "node": max(group, key=lambda each: (each.steps, each.node)).node,
        "steps": steps,
        "mean_s": _divided(math.fsum(each.seconds for each in group), steps),
        "slowdown": _divided(math.fsum(each.ratios for each in group), steps),
        "slowest": slowest,
        "slowest_share": _divided(slowest, steps),
        "lost_s": math.fsum(each.lost_s for each in group),
        "persistence": math.fsum(each.weight for each in group),
        **{f"{part}_s": lost for part, lost in parts.items()},
        "blame": blame(parts),
    }


def blame(parts: Mapping[str, float]) -> str:
    """Return the part that lost most; "" when none is known to have lost any."""
    lost = {part: value for part, value in parts.items() if value > 0}
    return max(lost, key=lambda part: lost[part]) if lost else ""


def _grouped(
    shares: Iterable[Share], key: Callable[[Share], tuple[Any, ...]]
) -> dict[tuple[Any, ...], list[Share]]:
    groups: dict[tuple[Any, ...], list[Share]] = {}
    for share in shares:
        groups.setdefault(key(share), []).append(share)
    return groups


def _added(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) if known else math.nan


def _divided(a: float, b: float) -> float:
    return a / b if b else math.nan
