"""The rank dimension: reductions and boards over 512 ranks × 2 000 steps, and 64 ranks × 20 000 steps.

Ratios are against a bare sum over the same points in the same run of the benchmark: what reading
them costs in any case.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from benchmarks.harness import Figure, percentile, running_weir
from tests.contract.many_ranks import Job, blocks_of
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.ranks.base import DivergenceQuery, Over, ReduceQuery, StragglerQuery
from weir_store.ranks.clickhouse import ClickHouseRanks
from weir_store.reader import ClickHouseReader
from weir_store.records import Reduce, RunRef, SeriesQuery

WIDE = Job(RunRef("ranks", "wide"), ranks=512, steps=2_000, slow=137, diverging=9, nan=300)
LONG = Job(RunRef("ranks", "long"), ranks=64, steps=20_000, slow=13)
PARTS = ("step_time_s", "data_time_s", "compute_time_s", "loss", "grad_norm")
TIMES = 25


def measure() -> list[Figure]:
    """Insert the two jobs as the writer would, then ask as the page, the api and the rules ask."""
    with running_weir() as weir:
        store = connect(weir.clickhouse, user=weir.user, password=weir.password)
        inserter = ClickHouseInserter(store, "weir")
        for job, metrics in ((WIDE, PARTS), (LONG, ("step_time_s", "loss"))):
            for block in blocks_of(job, metrics):
                inserter.insert(block, uuid.uuid4().hex)
        return _figures(store)


def _figures(store: ClickHouse) -> list[Figure]:
    ranks, reader = ClickHouseRanks(store, "weir"), ClickHouseReader(store, "weir")
    bands = SeriesQuery((LONG.ref,), ("loss",), reduce=Reduce.RANKS)
    figures: list[Figure] = []

    def add(what: str, job: Job, ask: Callable[[], Any], must: str = "") -> None:
        taken = _times_ms(ask)
        bare = percentile(_times_ms(lambda: _bare(store, job)), 0.5)
        figures.append(Figure(f"{what}, p50", percentile(taken, 0.5), "ms"))
        figures.append(Figure(f"{what}, p95", percentile(taken, 0.95), "ms", must))
        figures.append(
            Figure(f"{what}, p50, by a bare sum of one metric", percentile(taken, 0.5) / bare, "×")
        )

    add(
        "straggler board of 512 ranks × 2 000 steps, with parts",
        WIDE,
        lambda: ranks.read_stragglers(StragglerQuery(WIDE.ref)),
        "<= 500",
    )
    add(
        "divergence of 512 ranks, two metrics",
        WIDE,
        lambda: ranks.read_divergence(DivergenceQuery(WIDE.ref)),
    )
    add("nodes over all runs of the project", WIDE, lambda: ranks.rank_nodes("ranks"))
    add(
        "every figure of 512 ranks, every step",
        WIDE,
        lambda: ranks.read_reduced(ReduceQuery((WIDE.ref,), ("loss",))),
    )
    add(
        "every figure over 64 nodes, 1 000 buckets",
        WIDE,
        lambda: ranks.read_reduced(
            ReduceQuery((WIDE.ref,), ("loss",), over=Over.NODES, max_points=1_000)
        ),
    )
    add(
        "min, mean, max of 64 ranks × 20 000 steps",
        LONG,
        lambda: reader.read_series(bands),
        "<= 300",
    )
    add(
        "every figure of 64 ranks × 20 000 steps, 1 000 buckets",
        LONG,
        lambda: ranks.read_reduced(ReduceQuery((LONG.ref,), ("loss",), max_points=1_000)),
    )
    now_us = (LONG.ends_s + 600) * 1_000_000
    add("a look for hangs", WIDE, lambda: ranks.find_hangs(now_us))
    return figures


def _bare(store: ClickHouse, job: Job) -> None:
    store.query_rows(
        "SELECT sum(value) FROM weir_raw.points FINAL"
        " WHERE project = {p:String} AND run_id = {r:String} AND metric = 'loss'",
        {"p": job.ref.project, "r": job.ref.run_id},
    )


def _times_ms(ask: Callable[[], Any]) -> list[float]:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        ask()
        taken.append(1_000 * (time.perf_counter() - start))
    return taken[5:]
