"""Columns of the runs table for both stores: any number of any metric, sorted, filtered, and found by name."""

from __future__ import annotations

import math
import random
import uuid
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.branched_stores import METRICS as BRANCHED
from tests.contract.branched_stores import Launch, blocks_of, histories
from tests.contract.small_stores import METRICS, NOW_UNIX_US, StoreBuilder, random_blocks
from weir_store import clickhouse
from weir_store.base import Block, Reader
from weir_store.errors import InvalidQuery
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.names.base import SPACES, NameReader
from weir_store.names.clickhouse import ClickHouseNames
from weir_store.names.memory import MemoryNames
from weir_store.reader import ClickHouseReader
from weir_store.records import Run, RunQuery, RunRef

DATABASE = "run_columns_contract"
few = settings(max_examples=2, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


class Doors(NamedTuple):
    reader: Reader
    names: NameReader


def _in_memory(blocks: list[Block]) -> Doors:
    store = MemoryStore()
    for block in blocks:
        store.insert(block, "")
    return Doors(MemoryReader(store, now_unix_us=lambda: NOW_UNIX_US), MemoryNames(store))


def _stored(connection: clickhouse.ClickHouse, blocks: list[Block]) -> Doors:
    inserter = ClickHouseInserter(connection, DATABASE)
    for block in blocks:
        inserter.insert(block, uuid.uuid4().hex)
    reader = ClickHouseReader(connection, DATABASE, now_unix_us=lambda: NOW_UNIX_US)
    return Doors(reader, ClickHouseNames(connection, DATABASE))


@pytest.fixture(params=["memory", "clickhouse"])
def build(request: pytest.FixtureRequest):
    if request.param == "memory":
        return _in_memory
    connection = request.getfixturevalue("connection")
    return lambda blocks: _stored(connection, blocks)


def _quoted(metric: str) -> str:
    return '"' + metric.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _field(metric: str, what: object) -> str:
    plain = metric.replace("/", "").isalnum()
    return f"metric.{metric}@{what}" if plain else f"metric.{_quoted(f'{metric}@{what}')}"


# ── the same columns, order and matches from both ──────────────────────────


@few
@given(seed=st.integers(0, 1 << 32))
def test_columns_of_metrics_are_the_same_over_resumes_and_corrections(connection, seed):
    project = f"p-{uuid.uuid4().hex}"
    blocks = random_blocks(project, seed)
    _assert_same_tables(
        _stored(connection, blocks), _in_memory(blocks), project, METRICS, random.Random(seed)
    )


@few
@given(histories(), st.integers(0, 1 << 32))
def test_columns_of_metrics_are_the_same_over_rewinds_and_forks(
    connection, history: list[Launch], seed: int
):
    project = f"p-{uuid.uuid4().hex}"
    blocks = blocks_of(project, history, random.Random(seed))
    _assert_same_tables(
        _stored(connection, blocks), _in_memory(blocks), project, BRANCHED, random.Random(seed)
    )


def _assert_same_tables(
    stored: Doors, model: Doors, project: str, metrics: tuple[str, ...], draw: random.Random
) -> None:
    kinds = ("last", "min", "max", "mean", 0, 3, 10)
    some = draw.sample(metrics, 2)
    columns = tuple(f"metric.{metric}@{what}" for metric in some for what in kinds)
    _assert_same_runs(stored, model, RunQuery(project, columns=columns))
    for what in draw.sample(kinds, 3):
        field = _field(draw.choice(some), what)
        if what != "mean":  # sums differ in the last bit, and so may the order of equals
            for order in (field, f"-{field}"):
                _assert_same_runs(stored, model, RunQuery(project, order_by=order, columns=()))
        _assert_same_runs(stored, model, RunQuery(project, f"{field} > 0", columns=()))
        _assert_same_runs(stored, model, RunQuery(project, f"{field} IS NULL", columns=()))


def _assert_same_runs(stored: Doors, model: Doors, query: RunQuery) -> None:
    found, expected = stored.reader.list_runs(query), model.reader.list_runs(query)
    assert found.total == expected.total, query
    for mine, theirs in zip(found.runs, expected.runs, strict=True):
        assert mine.ref == theirs.ref, query
        assert mine.metrics.keys() == theirs.metrics.keys(), query
        for name, value in theirs.metrics.items():
            assert _same(mine.metrics[name], value), (query, name)


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-12) or (math.isnan(one) and math.isnan(other))


@few
@given(seed=st.integers(0, 1 << 32))
def test_names_are_the_same(connection, seed):
    project = f"p-{uuid.uuid4().hex}"
    blocks = random_blocks(project, seed)
    stored, model = _stored(connection, blocks), _in_memory(blocks)
    for search in ("", "L", "v acc", "*l*", "?r", "%", "nothing"):
        for spaces in (SPACES, ("config",), ("metric",), ("summary", "config")):
            asked = {"search": search, "spaces": spaces}
            assert stored.names.list_names(project, **asked) == model.names.list_names(
                project, **asked
            )


# ── what both must do ───────────────────────────────────────────────────────


def _five(build) -> tuple[str, Doors]:
    """Make a…e: `loss` of three steps from 3, 1, NaN only, +Inf first, none at all."""
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    values = {
        "a": (3.0, 9.0, 5.0),
        "b": (1.0, 2.0, 7.0),
        "c": (math.nan, math.nan, math.nan),
        "d": (math.inf, 4.0, 4.0),
        "e": (),
    }
    for at, (run_id, points) in enumerate(values.items()):
        ref = RunRef(project, run_id)
        builder.add_run(ref, created_s=1_799_990_000 + at)
        for step, value in enumerate(points):
            builder.add_point(ref, "loss", step, value)
            builder.add_point(ref, "map@50", step, float(at))
    return project, build([builder.take_block()])


def _ids(runs: tuple[Run, ...]) -> str:
    return "".join(run.run_id for run in runs)


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        ("metric.loss@min", "bad" + "ec"),
        ("-metric.loss@max", "ab" + "dec"),
        ("metric.loss@mean", "bda" + "ec"),
        ("metric.loss@1", "bda" + "ec"),
        ("-metric.loss@0", "dab" + "ec"),
        ("metric.loss", "dab" + "ec"),
        ("metric.loss@last", "dab" + "ec"),
    ],
)
def test_runs_are_sorted_by_any_number_of_a_metric_and_those_without_come_last(build, order, ids):
    project, doors = _five(build)
    assert _ids(doors.reader.list_runs(RunQuery(project, order_by=order)).runs) == ids


def test_paging_goes_through_the_order_of_all_runs(build):
    project, doors = _five(build)
    pages = [
        doors.reader.list_runs(RunQuery(project, "", "metric.loss@min", 2, offset))
        for offset in (0, 2, 4)
    ]
    assert "".join(_ids(page.runs) for page in pages) == "badec"
    assert {page.total for page in pages} == {5}


def test_a_column_holds_nan_where_the_run_has_nothing_finite_and_nothing_where_it_has_no_point(
    build,
):
    project, doors = _five(build)
    columns = ("metric.loss@min", "metric.loss@0", "metric.loss@7", "metric.loss")
    runs = doors.reader.list_runs(RunQuery(project, order_by="id", columns=columns)).runs
    held = {run.run_id: run.metrics for run in runs}
    assert held["a"] == {"loss@min": 3.0, "loss@0": 3.0, "loss@last": 5.0}
    assert math.isnan(held["c"]["loss@min"])
    assert math.isinf(held["d"]["loss@0"])
    assert held["d"]["loss@min"] == 4.0
    assert held["e"] == {}


def test_a_metric_whose_name_holds_an_at_is_told_apart_from_a_step(build):
    project, doors = _five(build)
    columns = ("metric.map@50", "metric.map@50@max")
    (run,) = doors.reader.list_runs(RunQuery(project, "id = 'b'", columns=columns)).runs
    assert run.metrics == {"map@50@max": 1.0}


def test_the_filter_knows_every_number_of_a_metric(build):
    project, doors = _five(build)
    found = doors.reader.list_runs(
        RunQuery(project, "metric.loss@min < 3.5 AND metric.loss@1 > 2", "id")
    )
    assert _ids(found.runs) == "a"


def test_free_words_find_notes(build):
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    for run_id, notes in (("a", "the Größe run"), ("b", "")):
        builder.add_run(RunRef(project, run_id))
        builder.add_attr(RunRef(project, run_id), "meta", "notes", notes)
    doors = build([builder.take_block()])
    assert _ids(doors.reader.list_runs(RunQuery(project, "größe")).runs) == "a"


def test_names_of_deleted_runs_are_not_found_and_the_most_used_come_first(build):
    project, builder = f"p-{uuid.uuid4().hex}", StoreBuilder()
    for run_id in "abc":
        builder.add_run(RunRef(project, run_id))
        builder.add_attr(RunRef(project, run_id), "config", "lr", 1.0)
        builder.add_point(RunRef(project, run_id), f"only/{run_id}", 0, 1.0)
    builder.add_run(RunRef(project, "c"), deleted=True)
    doors = build([builder.take_block()])
    page = doors.names.list_names(project, limit=2)
    assert [(each.space, each.name, each.runs) for each in page.names] == [
        ("config", "lr", 2),
        ("metric", "only/a", 1),
    ]
    assert page.total == 3


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 1_001}, {"spaces": ("files",)}, {"spaces": ()}]
)
def test_a_wrong_search_is_refused(build, wrong):
    with pytest.raises(InvalidQuery):
        build([]).names.list_names("p", **wrong)
