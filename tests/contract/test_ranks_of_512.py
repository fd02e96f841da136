"""A job of 512 ranks with everything wrong at once, told by columns through the real inserter."""

from __future__ import annotations

import math
import uuid

import numpy as np
import pytest

from tests.contract.many_ranks import STEP_S, Job, blocks_of, last_step_of, node_of
from weir_store import clickhouse, tables
from weir_store.inserter import ClickHouseInserter
from weir_store.ranks.base import (
    DivergenceQuery,
    Over,
    Patience,
    RankReader,
    ReduceQuery,
    StragglerQuery,
)
from weir_store.ranks.clickhouse import ClickHouseRanks
from weir_store.records import RunRef

DATABASE = "ranks_of_512"
SICK = Job(
    RunRef("big", "sick"),
    ranks=512,
    steps=500,
    slow=137,
    hung=300,
    diverging=9,
    nan=44,
    late=77,
    dead=401,
)
GROWN = Job(RunRef("big", "grown"), ranks=512, steps=300, grows_at=150, seed=1)
METRICS = ("step_time_s", "data_time_s", "compute_time_s", "loss", "grad_norm")
NOW_UNIX_US = (SICK.ends_s + 600) * 1_000_000


@pytest.fixture(scope="module")
def ranks(connection: clickhouse.ClickHouse) -> RankReader:
    inserter = ClickHouseInserter(connection, DATABASE)
    for job in (SICK, GROWN):
        for block in blocks_of(job, METRICS):
            inserter.insert(block, uuid.uuid4().hex)
    return ClickHouseRanks(connection, DATABASE, now_unix_us=lambda: NOW_UNIX_US)


def test_every_step_is_put_together_from_every_rank_that_was_there(ranks: RankReader) -> None:
    table = ranks.read_reduced(ReduceQuery((SICK.ref,), ("loss",)))
    counts = dict(zip(table["step"].to_pylist(), table["count"].to_pylist(), strict=True))
    assert counts[0] == 511  # without the late one
    assert counts[100] == 510  # and the dead one
    assert counts[200] == 511
    assert counts[400] == 510  # the hung one is a step behind
    assert set(counts) == set(range(401))


def test_the_figures_are_those_of_numpy_over_the_same_points(ranks: RankReader) -> None:
    points = blocks_of(GROWN, ("loss",))[0][tables.POINTS]
    step, value, rank = (points[name].to_numpy() for name in ("step", "value", "rank"))
    table = ranks.read_reduced(ReduceQuery((GROWN.ref,), ("loss",), quantiles=(0.1, 0.99)))
    for row in table.to_pylist()[:: 300 // 20]:
        mine = value[step == row["step"]]
        assert row["count"] == mine.size == (256 if row["step"] < 150 else 512)
        assert row["mean"] == pytest.approx(mine.mean())
        assert row["std"] == pytest.approx(mine.std(ddof=1))
        assert row["q10"] == pytest.approx(np.quantile(mine, 0.1))
        assert row["q99"] == pytest.approx(np.quantile(mine, 0.99))
        inner = np.sort(mine)[mine.size // 4 : mine.size - mine.size // 4]
        assert row["iqm"] == pytest.approx(inner.mean())
        assert row["max_rank"] == rank[step == row["step"]][mine.argmax()]


def test_64_nodes_have_a_line_each_and_count_as_one_value_each(ranks: RankReader) -> None:
    lines = ranks.read_reduced(ReduceQuery((GROWN.ref,), ("loss",), by=("node",), max_points=10))
    assert set(lines["line"].to_pylist()) == {node_of(rank) for rank in range(512)}
    one = ranks.read_reduced(ReduceQuery((GROWN.ref,), ("loss",), over=Over.NODES, max_points=10))
    assert one["count"].to_pylist()[-1] == 64


def test_the_board_names_the_slow_one_among_all_that_is_wrong(ranks: RankReader) -> None:
    board = ranks.read_stragglers(StragglerQuery(SICK.ref))
    first, second, *_ = board.ranks.to_pylist()
    assert (first["rank"], first["node"], first["blame"]) == (137, node_of(137), "data")
    assert first["lost_s"] == pytest.approx((401 - 500 // 3) * STEP_S / 2, rel=0.05)
    assert first["lost_s"] > 100 * second["lost_s"]
    assert first["persistence"] > 0.7
    nodes = ranks.rank_nodes("big").to_pylist()
    assert (nodes[0]["node"], nodes[0]["runs"]) == (node_of(137), 2)
    assert nodes[0]["slowest_share"] > 10 * nodes[0]["expected_share"]
    assert nodes[1]["slowest_share"] < 5 * nodes[1]["expected_share"]


def test_the_hang_is_found_with_the_last_step_of_all_and_its_suspect(ranks: RankReader) -> None:
    (hang,) = ranks.find_hangs(NOW_UNIX_US + 30_000_000, patience=Patience(floor_s=60))
    assert hang.ref == SICK.ref
    assert (hang.step, hang.suspects, hang.nodes) == (400, (300,), (node_of(300),))
    live = [rank for rank in range(512) if rank != SICK.dead]  # silent: crashed, not hung
    assert hang.last_steps == {rank: last_step_of(SICK, rank) for rank in live}


def test_divergence_and_the_first_nan_are_found_among_512(ranks: RankReader) -> None:
    found = ranks.read_divergence(DivergenceQuery(SICK.ref)).to_pylist()
    told = {(row["kind"], row["metric"]): (row["rank"], row["step"]) for row in found}
    nan_at = SICK.steps * 3 // 4
    assert told[("nan", "grad_norm")] == (44, nan_at)
    # Windows are of 20 steps: the first that is bad by half is the one that begins at 240.
    assert {told["diverged", metric] for metric in ("loss", "grad_norm")} <= {(9, 240), (9, 260)}
    assert len(found) == 3
    assert all(math.isnan(row["z"]) or abs(row["z"]) > 8 for row in found)


def test_the_roll_knows_the_dead_the_late_and_the_grown(ranks: RankReader) -> None:
    sick = {row["rank"]: row for row in ranks.list_ranks(SICK.ref).to_pylist()}
    assert sick[SICK.dead]["state"] == "crashed"
    assert sick[SICK.dead]["behind"] == 350
    assert {row["state"] for rank, row in sick.items() if rank != SICK.dead} == {"running"}
    grown = {row["rank"]: row for row in ranks.list_ranks(GROWN.ref).to_pylist()}
    assert (grown[0]["lives"], grown[511]["lives"]) == (2, 1)
    assert {row["world_size"] for row in grown.values()} == {512}
