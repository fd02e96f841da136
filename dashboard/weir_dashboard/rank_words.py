"""What is said of a run's ranks: who is missing, who is waited for, where it began to go wrong. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from weir_dashboard import words
from weir_store.ranks.base import StragglerBoard


def spans(ranks: Iterable[int]) -> str:
    """Write ranks shortly: `3, 17–20`."""
    parts: list[list[int]] = []
    for rank in sorted(set(ranks)):
        if parts and rank == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], rank]
        else:
            parts.append([rank])
    return ", ".join("–".join(map(str, part)) for part in parts)


def missing(ranks: pa.Table, world_size: int) -> list[int]:
    """List the ranks below the world size that nobody has heard of."""
    if world_size <= 1:
        return []
    known = {row["rank"] for row in ranks.select(["rank"]).to_pylist()}
    return [rank for rank in range(world_size) if rank not in known]


def silent(ranks: pa.Table) -> list[int]:
    """List the ranks that are there and logged no point."""
    return [row["rank"] for row in ranks.to_pylist() if row["last_point_unix_us"] == 0]


def behind(ranks: pa.Table) -> tuple[int, int]:
    """Return the rank that is most steps behind its role, and how many; (-1, 0) = none is."""
    rows = [row for row in ranks.to_pylist() if row["step"] >= 0 and row["behind"] > 0]
    worst = max(rows, key=lambda row: row["behind"], default=None)
    return (worst["rank"], worst["behind"]) if worst else (-1, 0)


def lost_share(board: StragglerBoard) -> float:
    """Return which share of the run's time is lost by waiting: 0 … 1; 0 when no step is known."""
    useful_s = board.median_s * board.steps
    whole_s = useful_s + board.lost_s
    return board.lost_s / whole_s if whole_s > 0 and math.isfinite(whole_s) else 0.0


def slowest(board: StragglerBoard) -> dict[str, Any] | None:
    """Return the row of the rank that cost most; None when none did."""
    rows: list[dict[str, Any]] = board.ranks.slice(0, 1).to_pylist()
    return rows[0] if rows and rows[0]["lost_s"] > 0 else None


def source(board: StragglerBoard) -> str:
    """Say where the times are from."""
    if not board.metric:
        return "no time of a step was found: log step_time_s, or choose a metric"
    if board.from_times:
        return (
            f"times are the distances between the points of {board.metric}: no step time is logged"
        )
    return f"times are those of {board.metric}"


def wrong(row: dict[str, Any]) -> str:
    """Say in one line what a row of `shapes.DIVERGENCE` found."""
    who = f"rank {row['rank']}" + (f" on {row['node']}" if row["node"] else "")
    if row["kind"] == "diverged":
        back = ", back since" if row["over"] else ""
        return (
            f"{who} left the others in {row['metric']} at step {row['step']:,}: {words.number(row['value'])}"
            f" where they have {words.number(row['others'])}{back}"
        )
    name = {"nan": "NaN", "inf": "∞", "-inf": "−∞"}.get(row["kind"], row["kind"])
    more = f"; {words.count(row['ranks'], 'rank')} in all" if row["ranks"] > 1 else ""
    return f"first {name} in {row['metric']} at step {row['step']:,}, on {who}{more}"
