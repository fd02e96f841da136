"""A RankReader over the made-up runs: says what it is told to of ranks, for pages, not for the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from tests.unit.dashboard.synthetic import START_US, SyntheticReader, many_runs
from weir_store.ranks import shapes
from weir_store.ranks.base import (
    DivergenceQuery,
    Finding,
    Names,
    Patience,
    ReduceQuery,
    StragglerBoard,
    StragglerQuery,
)
from weir_store.records import Run, RunRef, RunState, SeriesQuery

PER_NODE = 8
NAMES, PATIENCE = Names(), Patience()


def wide_run(ranks: int, project: str = "pretrain", *, running: bool = False) -> Run:
    one = many_runs(project, 1)[0]
    state = RunState.RUNNING if running else RunState.FINISHED
    return replace(
        one, run_id=f"wide{ranks}", name=f"wide-{ranks}", ranks=ranks, world_size=ranks, state=state
    )


@dataclass
class Ranked:
    """Rank `slow` is slower than the others; `gone` ranks were never heard of."""

    reader: SyntheticReader
    slow: int = 5
    gone: tuple[int, ...] = ()
    hangs: list[Finding] = field(default_factory=list)
    wrong: list[dict[str, object]] = field(default_factory=list)

    def list_ranks(self, ref: RunRef) -> pa.Table:
        run = self.reader.get_run(ref)
        ranks = [rank for rank in range(run.ranks) if rank not in self.gone]
        n = len(ranks)
        return _table(shapes.RANKS, {
            "role": ["trainer"] * n, "rank": ranks, "local_rank": [rank % PER_NODE for rank in ranks],
            "node": [f"node-{rank // PER_NODE:02d}" for rank in ranks], "attempt": [0] * n, "lives": [1] * n,
            "world_size": [run.world_size] * n, "state": [str(run.state)] * n, "started_unix_us": [START_US] * n,
            "last_seen_unix_us": [run.last_seen_unix_us] * n, "step": [9_999] * n, "behind": [0] * n,
            "last_point_unix_us": [run.last_seen_unix_us] * n,
        })  # fmt: skip

    def read_reduced(self, query: ReduceQuery) -> pa.Table:
        (ref,), (metric,) = query.runs, query.metrics
        series = SeriesQuery((ref,), (metric,), max_points=query.max_points, ranks=query.ranks)
        frame = self.reader.read_series(series).to_pandas()
        rows = []
        for step, each in frame.groupby("step"):
            low, high = each["min"].idxmin(), each["max"].idxmax()
            if not each["last"].notna().any():
                continue
            rows.append({
                "metric": metric, "project": ref.project, "line": ref.run_id, "step": step, "step_min": step,
                "count": int(each["last"].notna().sum()), "value": each["last"].mean(), "mean": each["last"].mean(),
                "std": each["last"].std(), "min": each["min"].min(), "max": each["max"].max(),
                "min_run_id": ref.run_id, "max_run_id": ref.run_id,
                "min_rank": int(each["rank"][low]), "max_rank": int(each["rank"][high]), "nans": 0, "infs": 0,
            })  # fmt: skip
        return pa.Table.from_pylist(rows, schema=shapes.reduced(query.quantiles))

    def read_stragglers(self, query: StragglerQuery) -> StragglerBoard:
        run = self.reader.get_run(query.ref)
        ranks = [rank for rank in range(run.ranks) if rank not in self.gone]
        ranks.sort(key=lambda rank: rank != self.slow)
        n, slow = len(ranks), [rank == self.slow for rank in ranks]
        none = n < 2
        board = _table(shapes.STRAGGLERS, {
            "role": ["trainer"] * n, "rank": ranks, "node": [f"node-{rank // PER_NODE:02d}" for rank in ranks],
            "steps": [1_000] * n, "mean_s": [0.24 if one else 0.18 for one in slow],
            "slowdown": [1.33 if one else 1.0 for one in slow], "slowest": [700 if one else 0 for one in slow],
            "slowest_share": [0.7 if one else 0.0 for one in slow], "lost_s": [42.0 if one else 0.0 for one in slow],
            "persistence": [0.9 if one else 0.0 for one in slow], "data_s": [float("nan")] * n,
            "compute_s": [float("nan")] * n, "comm_s": [float("nan")] * n, "blame": [""] * n,
        })  # fmt: skip
        return StragglerBoard(
            query.ref, "" if none else "train/step_time", False, 0 if none else 1_000, 0.18,
            0.0 if none else 42.0, query.half_life_steps, board, shapes.STRAGGLER_NODES.empty_table(),
            shapes.STRAGGLER_STEPS.empty_table(),
        )  # fmt: skip

    def rank_nodes(self, project: str, *, limit: int = 1_000, names: Names = NAMES) -> pa.Table:
        return _table(shapes.NODES, {
            "node": ["node-00", "node-01"], "runs": [3, 3], "ranks": [24, 24], "steps": [9_000, 9_000],
            "slowdown": [1.2, 1.0], "slowest": [700, 20], "slowest_share": [0.08, 0.002],
            "expected_share": [0.06, 0.06], "lost_s": [42.0, 1.0], "worst_runs": [3, 0],
        })  # fmt: skip

    def read_divergence(self, query: DivergenceQuery) -> pa.Table:
        return pa.Table.from_pylist(self.wrong, schema=shapes.DIVERGENCE)

    def find_hangs(
        self,
        now_unix_us: int,
        *,
        projects: Sequence[str] | None = None,
        patience: Patience = PATIENCE,
    ) -> list[Finding]:
        return [one for one in self.hangs if projects is None or one.ref.project in projects]


def hang(ref: RunRef) -> Finding:
    return Finding(
        "hang", ref, "trainer", "No step for 12 min", "Every rank lives.", START_US, 8_000, (17, 18, 40), {}
    )  # fmt: skip


def first_nan(rank: int = 3) -> dict[str, object]:
    return {
        "kind": "nan", "metric": "train/loss", "role": "trainer", "rank": rank, "node": "node-00", "step": 4_200,
        "last_step": 4_200, "z": float("nan"), "value": float("nan"), "others": 1.0, "ranks": 2, "over": False,
    }  # fmt: skip


def astray(rank: int = 7) -> dict[str, object]:
    return first_nan(rank) | {
        "kind": "diverged",
        "step": 900,
        "value": 9.5,
        "others": 1.25,
        "z": 31.0,
    }


def _table(schema: pa.Schema, columns: dict[str, list[object]]) -> pa.Table:
    assert set(columns) == set(schema.names)
    return pa.table(
        {name: pa.array(columns[name], schema.field(name).type) for name in schema.names}
    )


def short(reader: SyntheticReader, steps: int) -> SyntheticReader:
    """Log no more than so many steps, so that 512 ranks are made up quickly."""
    reader._steps = lambda run: steps  # type: ignore[method-assign]
    return reader
