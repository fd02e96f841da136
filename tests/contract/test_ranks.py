"""Ranks for both readers: whatever was logged, ClickHouse says what the plain loops say."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.many_ranks import BEGAN_S, STEP_S, Job, blocks_of
from tests.contract.ranked_stores import METRICS, random_blocks
from tests.contract.small_stores import BIRTH_S, StoreBuilder
from weir_store import clickhouse, tables
from weir_store.base import Block
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.ranks import checks
from weir_store.ranks.base import (
    DivergenceQuery,
    Interval,
    Names,
    Over,
    Patience,
    RankReader,
    ReduceQuery,
    Reduction,
    StragglerQuery,
)
from weir_store.ranks.clickhouse import ClickHouseRanks
from weir_store.ranks.memory import MemoryRanks
from weir_store.records import RunRef

DATABASE = "rank_contract"
NOW_UNIX_US = (BIRTH_S + 20_050) * 1_000_000
REF = RunRef("vision", "a")
EMPTIED = (
    *(tables.POINTS, "series", "points_64", tables.RUNS, tables.RUN_ATTRS, tables.RUN_ATTR_HISTORY),
    *(tables.SESSIONS, tables.INGEST_COMMITS, tables.BRANCHES),
)
BY = ("run", "role", "node", "attempt", "group", "config.opt.lr")

Build = Callable[[list[Block]], RankReader]


def _in_memory(blocks: list[Block]) -> RankReader:
    store = MemoryStore()
    for block in blocks:
        store.insert(block, "")
    return MemoryRanks(store, now_unix_us=lambda: NOW_UNIX_US)


@pytest.fixture(scope="module")
def store(connection: clickhouse.ClickHouse) -> Build:
    def stored(blocks: list[Block]) -> RankReader:
        inserter = ClickHouseInserter(connection, DATABASE)
        for block in blocks:
            inserter.insert(block, uuid.uuid4().hex)
        return ClickHouseRanks(connection, DATABASE, now_unix_us=lambda: NOW_UNIX_US)

    return stored


@pytest.fixture(params=["clickhouse", "memory"])
def build(request: pytest.FixtureRequest, store: Build, connection: clickhouse.ClickHouse) -> Build:
    """Return what makes a reader over blocks and nothing else, for tests of one reader at a time."""
    if request.param == "memory":
        return _in_memory
    for table in EMPTIED:
        connection.command(f"TRUNCATE TABLE {DATABASE}_raw.{table}")
    return store


def assert_same(left: pa.Table, right: pa.Table) -> None:
    assert left.schema == right.schema
    mine, theirs = left.to_pylist(), right.to_pylist()
    assert len(mine) == len(theirs), (mine, theirs)
    for one, other in zip(mine, theirs, strict=True):
        for name, value in one.items():
            assert _alike(value, other[name]), (name, one, other)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isfinite(one):
        return bool(math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9))
    return one == other or (one != one and other != other)


# ── any store ───────────────────────────────────────────────────────────────

few = settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))


def _reduce_query(project: str, draw: random.Random) -> ReduceQuery:
    return ReduceQuery(
        runs=tuple(RunRef(project, f"run{number}") for number in range(3)),
        metrics=tuple(draw.sample(METRICS, draw.randint(1, 4))),
        over=draw.choice(list(Over)),
        by=draw.choice((None, None, tuple(draw.sample(BY, draw.randint(0, 3))))),
        reduce=draw.choice((None, *Reduction)),
        interval=draw.choice((Interval.T, Interval.T, Interval.T, Interval.BOOTSTRAP)),
        quantiles=draw.choice(((), (0.5, 0.999))),
        max_points=draw.choice((None, 1, 4, 20)),
        ranks=draw.choice((None, None, (0, 2, 3))),
        roles=draw.choice((None, None, ("trainer",))),
        x_min=draw.choice((None, 5)),
        x_max=draw.choice((None, 33)),
    )


@few
@given(seed=st.integers(0, 1 << 32))
def test_both_readers_put_any_ranks_together_alike(store: Build, seed: int) -> None:
    project = f"p-{uuid.uuid4().hex}"
    blocks, draw = random_blocks(project, seed), random.Random(seed)
    readers = store(blocks), _in_memory(blocks)
    for _ in range(6):
        query = _reduce_query(project, draw)
        assert_same(*(each.read_reduced(query) for each in readers))


@few
@given(seed=st.integers(0, 1 << 32))
def test_both_readers_find_the_same_stragglers_nodes_divergence_and_hangs(
    store: Build, seed: int
) -> None:
    project = f"p-{uuid.uuid4().hex}"
    blocks, draw = random_blocks(project, seed), random.Random(seed)
    one, other = store(blocks), _in_memory(blocks)
    for ref in (RunRef(project, f"run{number}") for number in range(3)):
        try:
            assert_same(one.list_ranks(ref), other.list_ranks(ref))
        except UnknownRun:
            with pytest.raises(UnknownRun):
                other.list_ranks(ref)
            continue
        query = StragglerQuery(
            ref,
            metric=draw.choice(("", "", "loss")),
            roles=draw.choice((None, ("rollout",))),
            half_life_steps=draw.choice((2.0, 50.0)),
            max_points=draw.choice((3, 100)),
            x_min=draw.choice((None, 4)),
            names=draw.choice((Names(), Names(step_time=("no such",)))),
        )
        boards = one.read_stragglers(query), other.read_stragglers(query)
        for part in ("ranks", "nodes", "timeline"):
            assert_same(*(getattr(board, part) for board in boards))
        for figure in ("metric", "from_times", "steps", "median_s", "lost_s"):
            assert _alike(*(getattr(board, figure) for board in boards)), figure
        left = DivergenceQuery(ref, window_steps=draw.choice((1, 4)), threshold=3.0)
        assert_same(one.read_divergence(left), other.read_divergence(left))
    assert_same(one.rank_nodes(project), other.rank_nodes(project))
    patience = Patience(floor_s=draw.choice((1.0, 20_000.0)))
    hangs = [
        each.find_hangs(NOW_UNIX_US, projects=(project,), patience=patience)
        for each in (one, other)
    ]
    assert hangs[0] == hangs[1]


# ── putting together ────────────────────────────────────────────────────────


def a_run(**declared: str) -> StoreBuilder:
    """Return a store with one run of four ranks on two nodes."""
    builder = StoreBuilder()
    builder.add_run(REF)
    for metric, word in declared.items():
        builder.add_attr(REF, "meta", f"metric/{metric}", f'{{"reduce": "{word}"}}')
    for rank in range(4):
        add_life(builder, REF, rank, node=f"n{rank // 2}")
    return builder


def add_life(builder: StoreBuilder, ref: RunRef, rank: int, **told: Any) -> None:
    born_s = told.setdefault("started_s", BIRTH_S)
    usual = {"role": "trainer", "node": "n0", "state": "running", "seen_s": BIRTH_S + 20_000}
    builder.add_session(ref, uuid.uuid4(), rank=rank, ver=born_s << 32, **usual | told)


def test_ranks_become_one_value_as_declared_unless_asked_otherwise(build: Build) -> None:
    builder = a_run(tokens="sum", memory="max")
    for rank, value in enumerate((1.0, 2.0, 3.0, 6.0)):
        for metric in ("tokens", "memory", "loss"):
            builder.add_point(REF, metric, 0, value, rank=rank)
    ranks = build([builder.take_block()])
    query = ReduceQuery((REF,), ("loss", "memory", "tokens"))
    assert ranks.read_reduced(query)["value"].to_pylist() == [3.0, 6.0, 12.0]
    asked = ReduceQuery((REF,), query.metrics, reduce=Reduction.IQM)
    assert ranks.read_reduced(asked)["value"].to_pylist() == [2.5, 2.5, 2.5]


def test_ranks_of_a_node_become_one_value_first(build: Build) -> None:
    builder = a_run(tokens="sum")
    for rank, value in enumerate((1.0, 2.0, 3.0, 6.0)):
        builder.add_point(REF, "tokens", 0, value, rank=rank)
    ranks = build([builder.take_block()])
    (row,) = ranks.read_reduced(ReduceQuery((REF,), ("tokens",), over=Over.NODES)).to_pylist()
    assert (row["count"], row["value"], row["mean"]) == (2, 12.0, 6.0)
    by_node = ranks.read_reduced(ReduceQuery((REF,), ("tokens",), by=("node",))).to_pylist()
    assert [(each["line"], each["value"]) for each in by_node] == [("n0", 3.0), ("n1", 9.0)]


def test_the_rank_and_the_run_that_caused_an_extreme_are_named_however_short_it_was(
    build: Build,
) -> None:
    builder, other = a_run(), RunRef("vision", "b")
    builder.add_run(other)
    for step in range(64):
        for rank in range(4):
            builder.add_point(REF, "loss", step, 1.0, rank=rank)
            builder.add_point(other, "loss", step, 1.0, rank=rank)
    builder.add_point(REF, "loss", 13, 99.0, rank=2, ver=BIRTH_S << 32 | 9, rewrite=1)
    builder.add_point(other, "loss", 50, -5.0, rank=3, ver=BIRTH_S << 32 | 9, rewrite=1)
    ranks = build([builder.take_block()])
    query = ReduceQuery((REF, other), ("loss",), over=Over.RUNS, max_points=1)
    (row,) = ranks.read_reduced(query).to_pylist()
    assert (row["max"], row["max_run_id"], row["max_rank"]) == (99.0, "a", 2)
    assert (row["min"], row["min_run_id"], row["min_rank"]) == (-5.0, "b", 3)
    assert (row["count"], row["mean"]) == (2, 1.0)


def test_nan_and_infinities_are_counted_and_not_mixed_in(build: Build) -> None:
    builder = a_run()
    for rank, value in enumerate((math.nan, math.inf, 1.0, 3.0)):
        builder.add_point(REF, "loss", 0, value, rank=rank)
        builder.add_point(REF, "loss", 1, math.nan, rank=rank)
    ranks = build([builder.take_block()])
    mixed, odd = ranks.read_reduced(ReduceQuery((REF,), ("loss",))).to_pylist()
    assert (mixed["count"], mixed["nans"], mixed["infs"]) == (2, 1, 1)
    assert (mixed["mean"], mixed["min"], mixed["max"], mixed["max_rank"]) == (2.0, 1.0, 3.0, 3)
    assert (odd["count"], odd["nans"], odd["min_run_id"]) == (0, 4, "")
    assert math.isnan(odd["mean"])
    assert math.isnan(odd["max"])


def test_seeds_are_put_together_by_the_rest_of_their_config_with_an_interval(build: Build) -> None:
    builder = StoreBuilder()
    runs = [RunRef("seeds", f"r{number}") for number in range(6)]
    for number, ref in enumerate(runs):
        builder.add_run(ref)
        builder.add_attr(ref, "config", "train.seed", number)
        builder.add_attr(ref, "config", "lr", 0.1 if number < 3 else 0.2)
        builder.add_attr(ref, "config", "model", "resnet")
        builder.add_point(ref, "acc", 10, float(number))
    ranks = build([builder.take_block()])
    query = ReduceQuery(tuple(runs), ("acc",), over=Over.SEEDS)
    low, high = ranks.read_reduced(query).to_pylist()
    assert (low["line"], high["line"]) == ("lr=0.1", "lr=0.2")
    assert (low["count"], low["mean"], low["std"]) == (3, 1.0, 1.0)
    half = 4.3026527297 / math.sqrt(3)  # t of two degrees of freedom
    assert (low["ci_low"], low["ci_high"]) == pytest.approx((1 - half, 1 + half))
    drawn = ReduceQuery(tuple(runs), ("acc",), over=Over.SEEDS, interval=Interval.BOOTSTRAP)
    (low, _) = ranks.read_reduced(drawn).to_pylist()
    assert (low["ci_low"], low["ci_high"]) == (0.0, 2.0)


def test_roles_of_one_run_have_steps_of_their_own(build: Build) -> None:
    builder = StoreBuilder()
    builder.add_run(REF)
    for rank in range(4):
        role = "trainer" if rank < 2 else "rollout"
        add_life(builder, REF, rank, role=role)
        for step in range(3 if rank < 2 else 30):
            builder.add_point(REF, "reward", step, float(rank), rank=rank)
            builder.add_point(REF, "step_time_s", step, 1.0 + rank, rank=rank)
    ranks = build([builder.take_block()])
    rows = ranks.read_reduced(ReduceQuery((REF,), ("reward",), by=("role",))).to_pylist()
    steps = {
        role: [r["step"] for r in rows if r["line"] == role] for role in ("trainer", "rollout")
    }
    assert steps == {"trainer": [0, 1, 2], "rollout": list(range(30))}
    assert {row["count"] for row in rows} == {2}
    only = ranks.read_reduced(ReduceQuery((REF,), ("reward",), roles=("trainer",))).to_pylist()
    assert [(row["step"], row["mean"]) for row in only] == [(0, 0.5), (1, 0.5), (2, 0.5)]
    board = ranks.read_stragglers(StragglerQuery(REF))
    slowest = {row["role"]: row["rank"] for row in board.ranks.to_pylist() if row["slowest"]}
    assert slowest == {"trainer": 1, "rollout": 3}
    assert board.steps == 33


def test_attempts_are_told_apart_by_who_logged_the_point_that_is_shown(build: Build) -> None:
    builder = StoreBuilder()
    builder.add_run(REF)
    for attempt, born_s in enumerate((BIRTH_S, BIRTH_S + 100)):
        add_life(builder, REF, 0, started_s=born_s, attempt=attempt, node=f"n{attempt}")
        for step in range(5 * attempt, 5 * attempt + 10):
            builder.add_point(REF, "loss", step, float(attempt), ver=born_s << 32 | step)
    ranks = build([builder.take_block()])
    rows = ranks.read_reduced(ReduceQuery((REF,), ("loss",), by=("attempt",))).to_pylist()
    steps = {
        line: [r["step"] for r in rows if r["line"] == line] for line in ("attempt 0", "attempt 1")
    }
    assert steps == {"attempt 0": list(range(5)), "attempt 1": list(range(5, 15))}


# ── stragglers ──────────────────────────────────────────────────────────────

SMALL = Job(RunRef("many", "small"), ranks=24, steps=90)
WITH_PARTS = ("step_time_s", "data_time_s", "compute_time_s", "loss", "grad_norm")


def test_the_board_names_the_slow_rank_its_node_its_part_and_what_it_cost(build: Build) -> None:
    job = replace(SMALL, slow=13)
    ranks = build(blocks_of(job, WITH_PARTS))
    board = ranks.read_stragglers(StragglerQuery(job.ref, half_life_steps=10))
    worst = board.ranks.to_pylist()[0]
    assert (board.metric, board.from_times, board.steps) == ("step_time_s", False, 90)
    assert (worst["rank"], worst["node"], worst["slowest"], worst["blame"]) == (
        13,
        "node001",
        60,
        "data",
    )
    assert worst["lost_s"] == pytest.approx(60 * STEP_S / 2, rel=0.02)
    assert worst["data_s"] == pytest.approx(worst["lost_s"], rel=0.02)
    assert math.isnan(worst["comm_s"])
    assert worst["persistence"] > 0.98
    assert board.nodes.to_pylist()[0]["node"] == "node001"
    assert board.lost_s == pytest.approx(sum(board.ranks["lost_s"].to_pylist()))
    assert board.timeline["rank"].to_pylist()[-1] == 13
    (first, *_) = ranks.rank_nodes("many").to_pylist()
    assert (first["node"], first["runs"], first["worst_runs"]) == ("node001", 1, 1)


def test_a_rank_that_was_slow_once_is_forgotten(build: Build) -> None:
    builder = a_run()
    for step in range(100):
        for rank in range(4):
            slow = rank == (1 if step < 50 else 2)
            builder.add_point(REF, "step_time_ms", step, 1_500.0 if slow else 1_000.0, rank=rank)
    board = build([builder.take_block()]).read_stragglers(StragglerQuery(REF, half_life_steps=5))
    lately = {row["rank"]: row["persistence"] for row in board.ranks.to_pylist()}
    assert lately[1] == pytest.approx(2**-10, rel=0.01)
    assert lately[2] == pytest.approx(1 - 2**-10, rel=0.01)
    assert board.lost_s == pytest.approx(50.0)  # milliseconds by the metric's name


def test_without_a_metric_of_times_the_distances_between_points_speak(build: Build) -> None:
    builder = a_run()
    for step in range(20):
        for rank in range(4):
            pace_us = 1_500_000 if rank == 3 else 1_000_000
            builder.add_point(REF, "loss", step, 1.0, rank=rank, at_us=step * pace_us)
    board = build([builder.take_block()]).read_stragglers(StragglerQuery(REF))
    assert (board.metric, board.from_times, board.steps) == ("loss", True, 19)
    assert board.ranks.to_pylist()[0]["rank"] == 3
    assert board.lost_s == pytest.approx(9.5)


def test_nobody_is_a_straggler_where_all_take_the_same_time(build: Build) -> None:
    builder = a_run()
    for step in range(5):
        for rank in range(4):
            builder.add_point(REF, "step_time_s", step, 1.0, rank=rank)
    board = build([builder.take_block()]).read_stragglers(StragglerQuery(REF))
    assert (board.steps, board.lost_s) == (5, 0.0)
    assert set(board.ranks["slowest"].to_pylist()) == {0}


def test_a_run_of_one_rank_has_an_empty_board(build: Build) -> None:
    builder = StoreBuilder()
    builder.add_run(REF)
    builder.add_point(REF, "step_time_s", 0, 1.0)
    board = build([builder.take_block()]).read_stragglers(StragglerQuery(REF))
    assert (board.steps, board.ranks.num_rows, board.timeline.num_rows) == (0, 0, 0)


# ── divergence ──────────────────────────────────────────────────────────────


def test_a_rank_that_leaves_the_others_is_named_and_so_is_the_first_nan(build: Build) -> None:
    job = replace(SMALL, diverging=5, nan=20)
    found = (
        build(blocks_of(job)).read_divergence(DivergenceQuery(job.ref, window_steps=5)).to_pylist()
    )
    left = {row["metric"]: row for row in found if row["kind"] == "diverged"}
    assert {row["rank"] for row in left.values()} == {5}
    assert (left["loss"]["step"], left["loss"]["last_step"], left["loss"]["over"]) == (
        45,
        89,
        False,
    )
    assert left["loss"]["value"] - left["loss"]["others"] == pytest.approx(1.0, abs=0.05)
    (nan,) = [row for row in found if row["kind"] == "nan"]
    assert (nan["metric"], nan["rank"], nan["node"], nan["step"]) == (
        "grad_norm",
        20,
        "node002",
        67,
    )


def test_a_rank_that_came_back_is_told_to_be_over(build: Build) -> None:
    builder = a_run()
    for step in range(40):
        for rank in range(4):
            away = rank == 1 and 10 <= step < 20
            builder.add_point(REF, "train/loss", step, 9.0 if away else 1.0 + rank / 1e5, rank=rank)
    query = DivergenceQuery(REF, window_steps=5)
    (row,) = build([builder.take_block()]).read_divergence(query).to_pylist()
    assert (row["rank"], row["step"], row["last_step"], row["over"]) == (1, 10, 19, True)


def test_ranks_that_agree_to_the_last_digits_do_not_diverge(build: Build) -> None:
    builder = a_run()
    for step in range(40):
        for rank in range(4):
            builder.add_point(REF, "loss", step, 1.0 + (1e-6 if rank == 2 else 0.0), rank=rank)
    assert not build([builder.take_block()]).read_divergence(DivergenceQuery(REF)).num_rows


# ── hangs ───────────────────────────────────────────────────────────────────

QUICK = Patience(times=10, floor_s=30)


def test_a_hang_names_the_rank_that_stopped_first_and_every_last_step(build: Build) -> None:
    job = replace(SMALL, hung=7)
    ranks = build(blocks_of(job))
    now_us = (job.ends_s + 400) * 1_000_000
    (hang,) = ranks.find_hangs(now_us, projects=("many",), patience=QUICK)
    assert (hang.kind, hang.ref, hang.role, hang.step) == ("hang", job.ref, "trainer", 72)
    assert (hang.suspects, hang.nodes) == ((7,), ("node000",))
    assert hang.last_steps == {rank: 71 if rank == 7 else 72 for rank in range(24)}
    assert "all 24 ranks" in hang.title
    assert hang.silent_s > hang.limit_s == 30


def test_a_hang_is_over_when_steps_are_made_again(build: Build) -> None:
    job = replace(SMALL, hung=7)
    builder = StoreBuilder()
    for rank in range(job.ranks):
        at_us = (job.ends_s + 390 - BIRTH_S) * 1_000_000
        builder.add_point(job.ref, "loss", 73, 1.0, rank=rank, ver=BEGAN_S << 32 | 73, at_us=at_us)
    ranks = build([*blocks_of(job), builder.take_block()])
    assert not ranks.find_hangs((job.ends_s + 400) * 1_000_000, patience=QUICK)


def test_there_is_no_hang_too_soon_nor_without_heartbeats(build: Build) -> None:
    job = replace(SMALL, hung=7, ref=RunRef("hangs", "a"))
    ranks = build(blocks_of(job))
    soon_us, later_us = (job.ends_s + 10) * 1_000_000, (job.ends_s + 10_000) * 1_000_000
    assert not ranks.find_hangs(soon_us, projects=("hangs",), patience=QUICK)
    assert not ranks.find_hangs(later_us, projects=("hangs",), patience=QUICK)  # crashed, not hung
    assert ranks.find_hangs((job.ends_s + 400) * 1_000_000, projects=("hangs",), patience=QUICK)
    assert not ranks.find_hangs((job.ends_s + 400) * 1_000_000, projects=("x",), patience=QUICK)


def test_a_rank_that_stops_while_the_others_go_on_hangs_alone(build: Build) -> None:
    job = replace(SMALL, dead=7, hung=0, ref=RunRef("alone", "a"))
    builder = StoreBuilder()
    add_life(builder, job.ref, 7, started_s=BEGAN_S, node="node000", seen_s=job.ends_s + 400)
    ranks = build([*blocks_of(job), builder.take_block()])
    (hang,) = ranks.find_hangs((BEGAN_S + 50) * 1_000_000, projects=("alone",), patience=QUICK)
    assert (hang.suspects, hang.last_steps[7], hang.step) == ((7,), 9, 72)
    assert "1 of 24" in hang.title


def test_ranks_that_never_log_and_ranks_that_log_seldom_do_not_hang(build: Build) -> None:
    builder, ref = StoreBuilder(), RunRef("seldom", "a")
    builder.add_run(ref)
    for rank in range(4):
        add_life(builder, ref, rank)
    for step in range(0, 1_000, 100):  # every 100 s
        builder.add_point(ref, "loss", step, 1.0, at_us=step * 1_000_000)
    ranks = build([builder.take_block()])
    ends_s = BIRTH_S + 900
    assert not ranks.find_hangs((ends_s + 900) * 1_000_000, projects=("seldom",), patience=QUICK)
    assert ranks.find_hangs((ends_s + 1_100) * 1_000_000, projects=("seldom",), patience=QUICK)


# ── the roll ────────────────────────────────────────────────────────────────


def test_the_roll_tells_of_late_dead_and_restarted_ranks(build: Build) -> None:
    job = replace(SMALL, grows_at=40, late=20, hung=3, ref=RunRef("roll", "a"))
    rows = {row["rank"]: row for row in build(blocks_of(job)).list_ranks(job.ref).to_pylist()}
    assert len(rows) == 24
    assert (rows[0]["lives"], rows[0]["attempt"], rows[0]["world_size"]) == (2, 1, 24)
    assert (rows[20]["lives"], rows[20]["node"]) == (1, "node002")
    assert {row["step"] for row in rows.values()} == {71, 72}
    assert (rows[3]["behind"], rows[4]["behind"]) == (1, 0)


# ── wrong questions ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "wrong",
    [
        {"runs": ()},
        {"metrics": ()},
        {"by": ("colour",)},
        {"by": ("config.",)},
        {"quantiles": (1.5,)},
        {"quantiles": (0.5, 0.5)},
        {"max_points": 0},
    ],
)
def test_a_wrong_reduction_is_refused(build: Build, wrong: dict[str, Any]) -> None:
    ranks = build([a_run().take_block()])
    with pytest.raises(InvalidQuery):
        ranks.read_reduced(ReduceQuery(**{"runs": (REF,), "metrics": ("loss",), **wrong}))


def test_a_bootstrap_over_too_much_is_refused_before_it_begins(build: Build) -> None:
    builder = a_run()
    builder.add_point(REF, "loss", 0, 1.0)
    builder.add_point(REF, "loss", 100_000, 1.0)
    query = ReduceQuery((REF,), ("loss",), interval=Interval.BOOTSTRAP)
    with pytest.raises(InvalidQuery, match="max_points"):
        build([builder.take_block()]).read_reduced(query)


def test_an_answer_that_nobody_looks_at_is_refused(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = a_run()
    for step in range(11):
        builder.add_point(REF, "loss", step, 1.0)
        builder.add_point(REF, "acc", step, 1.0)
    ranks = build([builder.take_block()])
    monkeypatch.setattr(checks, "MAX_ROWS", 20)
    assert ranks.read_reduced(ReduceQuery((REF,), ("loss",))).num_rows == 11
    with pytest.raises(InvalidQuery, match="max_points"):
        ranks.read_reduced(ReduceQuery((REF,), ("acc", "loss")))


def test_runs_that_do_not_exist_have_no_board_and_no_line(build: Build) -> None:
    builder = a_run()
    builder.add_point(REF, "loss", 0, 1.0)
    gone = RunRef("gone", "x")
    builder.add_run(gone)
    builder.add_point(gone, "loss", 0, 1.0)
    builder.add_run(gone, deleted=True)
    ranks = build([builder.take_block()])
    assert not ranks.read_reduced(ReduceQuery((gone,), ("loss",))).num_rows
    for ask in (
        lambda: ranks.list_ranks(gone),
        lambda: ranks.read_stragglers(StragglerQuery(gone)),
        lambda: ranks.read_divergence(DivergenceQuery(gone)),
    ):
        with pytest.raises(UnknownRun):
            ask()
    with pytest.raises(InvalidQuery):
        ranks.read_stragglers(StragglerQuery(REF, half_life_steps=0))
    with pytest.raises(InvalidQuery):
        ranks.read_divergence(DivergenceQuery(REF, threshold=math.nan))
    with pytest.raises(InvalidQuery):
        ranks.rank_nodes("vision", limit=0)
