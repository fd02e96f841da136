"""Groups of runs for both readers: whatever was logged, a band says what NumPy says of the runs' curves."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.small_stores import BIRTH_S, METRICS, StoreBuilder, random_blocks
from weir_store import clickhouse, reader_series
from weir_store.base import Block, Reader
from weir_store.errors import InvalidQuery
from weir_store.groups.base import BANDS, BandQuery, Group, GroupReader, Key
from weir_store.groups.clickhouse import ClickHouseGroups
from weir_store.groups.memory import MemoryGroups
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.ranks.student import t95
from weir_store.reader import ClickHouseReader
from weir_store.records import Reduce, RunRef, SeriesQuery, XAxis

DATABASE = "group_contract"
NAMES = tuple(f"run{n}" for n in range(5))

Doors = tuple[GroupReader, Reader]
Build = Callable[[list[Block]], Doors]


def _in_memory(blocks: list[Block]) -> Doors:
    store = MemoryStore()
    for block in blocks:
        store.insert(block, "")
    reader = MemoryReader(store)
    return MemoryGroups(reader), reader


@pytest.fixture(scope="module")
def stored(connection: clickhouse.ClickHouse) -> Build:
    def store(blocks: list[Block]) -> Doors:
        inserter = ClickHouseInserter(connection, DATABASE)
        for block in blocks:
            inserter.insert(block, uuid.uuid4().hex)
        return ClickHouseGroups(connection, DATABASE), ClickHouseReader(connection, DATABASE)

    return store


@pytest.fixture(params=["clickhouse", "memory"])
def build(request: pytest.FixtureRequest, stored: Build) -> Build:
    return stored if request.param == "clickhouse" else _in_memory


# ── the same answers to the same questions ─────────────────────────────────

few = settings(max_examples=4, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


def _queries(project: str) -> st.SearchStrategy[BandQuery]:
    bound = st.none() | st.integers(-200, 1_500).map(float)
    times = st.none() | st.integers(0, 12_000_000).map(lambda us: float(BIRTH_S * 1_000_000 + us))
    runs = st.lists(st.sampled_from(NAMES), unique=True, max_size=5).map(
        lambda names: tuple(RunRef(project, name) for name in names)
    )

    def query(x: XAxis) -> st.SearchStrategy[BandQuery]:
        bounds = times if x is XAxis.TIME else bound
        return st.builds(
            BandQuery,
            groups=st.tuples(runs, runs, runs).map(
                lambda told: tuple(
                    Group(name, held) for name, held in zip("bac", told, strict=True)
                )
            ),
            metrics=st.lists(st.sampled_from(METRICS), min_size=1, unique=True).map(tuple),
            max_points=st.sampled_from((1, 2, 8, 50, 1_000)),
            wanted=st.none() | st.just(("c", "a")),
            x=st.just(x),
            x_metric=st.sampled_from(METRICS) if x is XAxis.METRIC else st.just(""),
            x_min=bounds,
            x_max=bounds,
            log_x=st.just(False) if x is XAxis.TIME else st.booleans(),
        )

    return st.sampled_from(XAxis).flatmap(query)


@few
@given(seed=st.integers(0, 1 << 32), questions=st.data())
def test_bands_are_the_same_on_every_axis(
    stored: Build, roll_up_even_of_small_series: None, seed: int, questions: st.DataObject
) -> None:
    project = f"p-{uuid.uuid4().hex}"
    blocks = random_blocks(project, seed)
    (real, _), (model, _) = stored(blocks), _in_memory(blocks)
    for _ in range(8):
        query = questions.draw(_queries(project))
        _assert_same(real.read_bands(query), model.read_bands(query), str(query))


def test_packs_of_a_large_question_are_put_together_to_the_same_bands(
    stored: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = f"p-{uuid.uuid4().hex}"
    groups, _ = stored(_sweep(project))
    query = BandQuery(
        (Group("all", _refs(project)), Group("two", _refs(project)[:2])), ("loss",), 64
    )
    whole = groups.read_bands(query)
    monkeypatch.setattr(reader_series, "PACK_SERIES", 1)
    _assert_same(groups.read_bands(query), whole, "a pack for each run")


# ── what both must do ───────────────────────────────────────────────────────


@pytest.mark.parametrize("axis", [XAxis.STEP, XAxis.RELATIVE, XAxis.TIME])
def test_mean_std_ci_min_and_max_are_what_numpy_says_of_all_runs(build: Build, axis: XAxis) -> None:
    project = f"p-{uuid.uuid4().hex}"
    groups, reader = build(_sweep(project))
    runs = _refs(project)
    band = groups.read_bands(BandQuery((Group("all", runs),), ("loss",), 64, x=axis)).to_pydict()
    curves = reader.read_series(
        SeriesQuery(runs, ("loss",), 64, axis, reduce=Reduce.RANKS)
    ).to_pandas()
    # every run logs at every step: the curves have the same buckets
    height = np.array([rows["mean"].to_numpy() for _, rows in curves.groupby("run_id")])
    low, high = (
        np.array([rows[name].to_numpy() for _, rows in curves.groupby("run_id")])
        for name in ("min", "max")
    )
    assert height.shape == (8, len(band["x"]))
    assert len(band["x"]) > 30
    std = height.std(axis=0, ddof=1)
    assert band["mean"] == pytest.approx(height.mean(axis=0), rel=1e-12)
    assert band["std"] == pytest.approx(std, rel=1e-9)
    assert band["ci"] == pytest.approx(t95(7) * std / math.sqrt(8), rel=1e-9)
    assert band["min"] == low.min(axis=0).tolist()
    assert band["max"] == high.max(axis=0).tolist()
    assert set(band["n"]) == {8}


def test_showing_another_group_never_changes_a_number(build: Build) -> None:
    project = f"p-{uuid.uuid4().hex}"
    groups, _ = build(_sweep(project, lengths=range(200, 1_000, 100)))
    runs = _refs(project)
    query = BandQuery((Group("short", runs[:3]), Group("long", runs[3:])), ("loss",), 50)
    both = groups.read_bands(query)
    for name in ("short", "long"):
        alone = groups.read_bands(replace(query, wanted=(name,)))
        mine = both.filter(pa.array([group == name for group in both["group"].to_pylist()]))
        _assert_same(alone, mine, name)
        assert alone.num_rows > 5


def test_a_run_of_a_group_is_never_sampled_away(build: Build) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    runs = tuple(RunRef(project, f"r{n:04d}") for n in range(300))
    for n, run in enumerate(runs):
        builder.add_run(run)
        builder.add_point(run, "loss", 0, float(n))
    groups, _ = build([builder.take_block()])
    (row,) = groups.read_bands(BandQuery((Group("all", runs),), ("loss",))).to_pylist()
    assert (row["n"], row["mean"], row["min"], row["max"]) == (300, 149.5, 0.0, 299.0)


def test_nan_and_inf_are_counted_and_marked_and_never_averaged(build: Build) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    values = (math.nan, math.inf, -math.inf, 1.0, 3.0)
    for name, value in zip(NAMES, values, strict=True):
        builder.add_run(RunRef(project, name))
        for step, logged in enumerate((2.0, value, 2.0)):
            builder.add_point(RunRef(project, name), "loss", step, logged)
    groups, _ = build([builder.take_block()])
    query = BandQuery((Group("all", _refs(project, NAMES)),), ("loss",))
    before, row, after = groups.read_bands(query).to_pylist()
    assert (row["n"], row["mean"], row["min"], row["max"]) == (2, 2.0, 1.0, 3.0)
    assert (row["nonfinite"], row["bad"]) == (0b111, 3)
    for other in (before, after):
        assert (other["n"], other["nonfinite"], other["bad"]) == (5, 0, 0)


def test_a_bucket_of_nothing_finite_is_there_and_has_no_mean(build: Build) -> None:
    ref, builder = RunRef(f"p-{uuid.uuid4().hex}", "a"), StoreBuilder()
    builder.add_run(ref)
    builder.add_point(ref, "loss", 0, math.nan)
    groups, _ = build([builder.take_block()])
    (row,) = groups.read_bands(BandQuery((Group("g", (ref,)),), ("loss",))).to_pylist()
    assert (row["n"], row["nonfinite"], row["bad"]) == (0, 1, 1)
    assert all(math.isnan(row[name]) for name in ("mean", "std", "ci", "min", "max"))


def test_runs_that_log_at_different_steps_do_not_make_the_mean_jump(build: Build) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    for name, first, height in (("a", 0, 1.0), ("b", 5, 3.0)):
        builder.add_run(RunRef(project, name))
        for step in range(first, 200, 10):
            builder.add_point(RunRef(project, name), "loss", step, height + step)
    groups, _ = build([builder.take_block()])
    query = BandQuery((Group("all", _refs(project, ("a", "b"))),), ("loss",), 512)
    rows = groups.read_bands(query).to_pylist()
    inner = [row for row in rows if 5 <= row["x"] <= 190]
    assert [row["x"] for row in inner] == list(range(5, 195, 5))
    assert [row["mean"] for row in inner] == pytest.approx([2.0 + row["x"] for row in inner])
    assert {row["n"] for row in inner} == {2}
    assert [rows[0]["n"], rows[-1]["n"]] == [1, 1]  # no line before the first or behind the last


def test_a_real_gap_of_a_run_is_no_line(build: Build) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    for name in ("a", "b"):
        builder.add_run(RunRef(project, name))
        for step in range(100):
            if name == "a" or not 20 <= step < 80:
                builder.add_point(RunRef(project, name), "loss", step, float(name == "b"))
    groups, _ = build([builder.take_block()])
    query = BandQuery((Group("all", _refs(project, ("a", "b"))),), ("loss",))
    counts = [row["n"] for row in groups.read_bands(query).to_pylist()]
    assert counts == [2] * 20 + [1] * 60 + [2] * 20


def test_corrections_and_deleted_runs_are_not_in_a_band(build: Build) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    for name, value in (("a", 1.0), ("b", 1e9)):
        builder.add_run(RunRef(project, name))
        builder.add_point(RunRef(project, name), "loss", 7, value)
    blocks = [builder.take_block()]
    builder.add_point(RunRef(project, "a"), "loss", 7, 2.0, ver=(BIRTH_S + 9) << 32)
    builder.add_run(RunRef(project, "b"), deleted=True)
    groups, _ = build([*blocks, builder.take_block()])
    query = BandQuery((Group("all", _refs(project, ("a", "b"))),), ("loss",))
    (row,) = groups.read_bands(query).to_pylist()
    assert (row["n"], row["mean"], row["max"]) == (1, 2.0, 2.0)


def test_a_forked_run_counts_with_the_history_it_shows(build: Build) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    for name, steps in (("mother", range(10)), ("child", range(5, 10))):
        builder.add_run(RunRef(project, name))
        for step in steps:
            builder.add_point(RunRef(project, name), "loss", step, 10.0 * (name == "child"))
    builder.add_branch(RunRef(project, "child"), "mother", 4, birth_s=BIRTH_S + 50)
    groups, _ = build([builder.take_block()])
    query = BandQuery((Group("all", _refs(project, ("mother", "child"))),), ("loss",))
    table = groups.read_bands(query)
    assert table["n"].to_pylist() == [2] * 10
    assert table["mean"].to_pylist() == [0.0] * 5 + [5.0] * 5


def test_new_points_and_only_they_change_the_state(build: Build) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    ref = RunRef(project, "a")
    builder.add_run(ref)
    builder.add_point(ref, "loss", 1, 1.0)
    blocks = [builder.take_block()]
    groups, _ = build(blocks)
    before = groups.read_state([ref], ["loss"])
    assert groups.read_state([ref], ["loss"]) == before
    builder.add_point(ref, "loss", 2, 1.0)
    groups, _ = build([*blocks, builder.take_block()])
    assert groups.read_state([ref], ["loss"]) != before
    assert groups.read_state([ref], ["other"]) != groups.read_state([ref], ["loss"])
    assert groups.read_state([], ["loss"])


def test_keys_are_the_paths_of_runs_that_exist_and_those_that_differ_come_first(
    build: Build,
) -> None:
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    for n, (lr, seed) in enumerate(((0.1, 1), (1, 2), (1.0, 3), (0.5, 4))):
        ref = RunRef(project, f"r{n}")
        builder.add_run(ref)
        builder.add_attr(ref, "config", "optimizer.LR", lr)
        builder.add_attr(ref, "config", "a.same", "adam")
        builder.add_attr(ref, "config", "seed", seed)
    builder.add_run(RunRef(project, "r3"), deleted=True)
    groups, _ = build([builder.take_block()])
    page = groups.list_keys([project])
    assert page.keys == (Key("optimizer.LR", 3, 2), Key("seed", 3, 3), Key("a.same", 3, 1))
    assert page.total == 3
    assert [key.path for key in groups.list_keys([project], search="opt lr").keys] == [
        "optimizer.LR"
    ]
    assert groups.list_keys([project], limit=1).total == 3
    assert groups.list_keys([]).keys == ()


def test_a_question_over_a_limit_is_refused(build: Build) -> None:
    groups, _ = build([])
    one = Group("a", (RunRef("p", "r"),))
    with pytest.raises(InvalidQuery):
        groups.read_bands(BandQuery((one, one), ("loss",)))
    with pytest.raises(InvalidQuery):
        groups.read_bands(BandQuery((one,), ()))
    with pytest.raises(InvalidQuery):
        groups.list_keys(["p"], limit=0)
    assert groups.read_bands(BandQuery((), ("loss",))).schema == BANDS


def _refs(project: str, names: tuple[str, ...] = ()) -> tuple[RunRef, ...]:
    return tuple(RunRef(project, name) for name in names or [f"r{n}" for n in range(8)])


def _sweep(project: str, lengths: range | None = None) -> list[Block]:
    """Eight runs that log the same steps, some of two ranks."""
    builder, draw = StoreBuilder(), np.random.default_rng(7)
    for n, ref in enumerate(_refs(project)):
        builder.add_run(ref)
        for step in range(lengths[n] if lengths else 400):
            for rank in range(1 + n % 2):
                value = float(draw.normal(n, 2))
                at_us = step * 1_000_000
                builder.add_point(ref, "loss", step, value, rank=rank, at_us=at_us)
    return [builder.take_block()]


def _assert_same(found: pa.Table, expected: pa.Table, what: str) -> None:
    assert found.schema == expected.schema == BANDS
    for name in BANDS.names:
        one, other = found[name].to_pylist(), expected[name].to_pylist()
        if pa.types.is_float64(BANDS.field(name).type):
            scale = _scale(expected) if name in ("std", "ci", "mean") else 0.0
            assert one == pytest.approx(other, rel=1e-9, abs=scale, nan_ok=True), f"{name}: {what}"
        else:
            assert one == other, f"{name}: {what}"


def _scale(table: pa.Table) -> float:
    """Sums of values of different sizes are equal but for the rounding of the largest."""
    sizes: list[Any] = [
        abs(v) for name in ("min", "max") for v in table[name].to_pylist() if not math.isnan(v)
    ]
    return 1e-9 * max(sizes, default=0.0)
