"""The roll of a run: one row for each role and rank, from its process lives. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import pyarrow as pa

from weir_store.ranks import shapes

_NO_STEP = -1
_AGENT = "agent"  # speaks of the run but does none of its work

Reached: TypeAlias = Mapping[tuple[int, int], tuple[int, int]]
"""(rank, session) → (highest step of any metric, time of the newest point in Unix µs)."""


@dataclass(frozen=True, slots=True)
class Life:
    """One process life, as far as the roll tells of it."""

    role: str
    rank: int
    local_rank: int
    node: str
    attempt: int
    world_size: int
    state: str
    started_unix_us: int
    last_seen_unix_us: int
    producer: str
    session: int

    @property
    def age(self) -> tuple[int, str]:
        """Orders lives from old to new."""
        return self.started_unix_us, self.producer


def rank_table(lives: Iterable[Life], reached: Reached) -> pa.Table:
    """Return `shapes.RANKS`, by role and rank; how far a rank is its newest life that logged says."""
    groups: dict[tuple[str, int], list[Life]] = {}
    for life in sorted(lives, key=lambda each: each.age):
        if life.role != _AGENT:
            groups.setdefault((life.role, life.rank), []).append(life)
    rows = [_row(groups[key], reached) for key in sorted(groups)]
    first: dict[str, int] = {}
    for row in rows:
        first[row["role"]] = max(row["step"], first.get(row["role"], _NO_STEP))
    for row in rows:
        has_steps = row["last_point_unix_us"] > 0
        row["behind"] = first[row["role"]] - row["step"] if has_steps else _NO_STEP
    return pa.Table.from_pylist(rows, shapes.RANKS)


def _row(lives: list[Life], reached: Reached) -> dict[str, Any]:
    newest = lives[-1]
    told = [
        reached[each.rank, each.session] for each in lives if (each.rank, each.session) in reached
    ]
    step, last_us = told[-1] if told else (_NO_STEP, 0)
    return {
        "role": newest.role,
        "rank": newest.rank,
        "local_rank": newest.local_rank,
        "node": newest.node,
        "attempt": newest.attempt,
        "lives": len(lives),
        "world_size": newest.world_size,
        "state": newest.state,
        "started_unix_us": newest.started_unix_us,
        "last_seen_unix_us": newest.last_seen_unix_us,
        "step": step,
        "last_point_unix_us": last_us,
    }
