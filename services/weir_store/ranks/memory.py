"""Asking `MemoryStore` about ranks: plain loops over rows, as the model that ClickHouse is judged by."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import pyarrow as pa

from weir_store import tables
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.memory import MemoryStore, Row
from weir_store.memory_rows import own_rows
from weir_store.memory_rows import unix_us as unix_us_of
from weir_store.memory_runs import list_all_runs
from weir_store.ranks import hangs
from weir_store.ranks.base import (
    USUAL_NAMES,
    USUAL_PATIENCE,
    DivergenceQuery,
    Finding,
    Names,
    Patience,
    ReduceQuery,
    StragglerBoard,
    StragglerQuery,
)
from weir_store.ranks.memory_divergence import read_divergence
from weir_store.ranks.memory_points import lives_of, reached_by
from weir_store.ranks.memory_reduced import read_reduced
from weir_store.ranks.memory_stragglers import rank_nodes, read_stragglers
from weir_store.ranks.nodes import MAX_RUNS
from weir_store.ranks.roll import Life, rank_table
from weir_store.reader_runs import unix_us
from weir_store.records import Run, RunRef, RunState


class MemoryRanks:
    """Implements `base.RankReader`; what each method promises stands there."""

    def __init__(self, store: MemoryStore, *, now_unix_us: Callable[[], int] = unix_us) -> None:
        self._store = store
        self._now_unix_us = now_unix_us

    def read_reduced(self, query: ReduceQuery) -> pa.Table:
        """Put values together."""
        return read_reduced(self._store, self._runs(), query)

    def list_ranks(self, ref: RunRef) -> pa.Table:
        """Return one row per role and rank."""
        self._require(ref)
        lives = lives_of(self._store, ref, self._now_unix_us())
        return rank_table(lives, reached_by(self._store, ref))

    def read_stragglers(self, query: StragglerQuery) -> StragglerBoard:
        """Return whom the others wait for."""
        self._require(query.ref)
        return read_stragglers(self._store, query)

    def rank_nodes(
        self, project: str, *, limit: int = 1_000, names: Names = USUAL_NAMES
    ) -> pa.Table:
        """Compare nodes."""
        if not 1 <= limit <= MAX_RUNS:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_RUNS}")
        runs = [run for run in self._runs() if run.project == project]
        return rank_nodes(self._store, runs, names, limit)

    def read_divergence(self, query: DivergenceQuery) -> pa.Table:
        """Return who left the others."""
        self._require(query.ref)
        return read_divergence(self._store, query)

    def find_hangs(
        self,
        now_unix_us: int,
        *,
        projects: Sequence[str] | None = None,
        patience: Patience = USUAL_PATIENCE,
    ) -> list[Finding]:
        """Return the runs that make no step."""
        progress = [
            each
            for run in self._runs()
            if projects is None or run.project in projects
            for each in self._progress(run.ref, now_unix_us)
        ]
        return hangs.find(progress, now_unix_us, patience)

    def _progress(self, ref: RunRef, now_unix_us: int) -> list[hangs.Progress]:
        newest: dict[tuple[str, int], Life] = {}
        for life in sorted(lives_of(self._store, ref, now_unix_us), key=lambda each: each.session):
            if (
                life.state == RunState.RUNNING
                and life.role != "agent"
                and not life.role.endswith("/fork")
            ):
                newest[life.role, life.rank] = life
        reached, pace = reached_by(self._store, ref), self._pace(ref)
        return [
            hangs.Progress(
                ref, life.role, life.rank, life.node, *reached[key], pace.get(life.rank, math.nan)
            )
            for life in newest.values()
            if (key := (life.rank, life.session)) in reached
        ]

    def _pace(self, ref: RunRef) -> dict[int, float]:
        """Return seconds between a rank's points of the metric with the longest reach."""
        by_metric: dict[str, list[Row]] = {}
        for row in own_rows(self._store, tables.POINTS, ref):
            by_metric.setdefault(row["metric"], []).append(row)
        if not by_metric:
            return {}
        metric = max(by_metric, key=lambda name: (*_extent(by_metric[name]), name))
        ranks: dict[int, list[Row]] = {}
        for row in by_metric[metric]:
            ranks.setdefault(row["rank"], []).append(row)
        paces = {rank: _pace(rows) for rank, rows in ranks.items()}
        return {rank: pace for rank, pace in paces.items() if pace is not None}

    def _runs(self) -> list[Run]:
        return list_all_runs(self._store, self._now_unix_us())

    def _require(self, ref: RunRef) -> None:
        if all(run.ref != ref for run in self._runs()):
            raise UnknownRun.of(ref.project, ref.run_id)


def _extent(rows: Sequence[Row]) -> tuple[int, int]:
    """Return over how many ranks and steps a metric reaches."""
    steps = [row["step"] for row in rows]
    return len({row["rank"] for row in rows}), max(steps) - min(steps)


def _pace(rows: Sequence[Row]) -> float | None:
    """Return seconds between the points of a rank, on the average; None of a single step."""
    steps = {row["step"] for row in rows}
    moments = [unix_us_of(row["ts"]) for row in rows]
    return (max(moments) - min(moments)) / (len(steps) - 1) / 1e6 if len(steps) > 1 else None
