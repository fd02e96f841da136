"""One suite for both readers: what ClickHouse answers is what the plain loops answer."""

from __future__ import annotations

import itertools
import math
import uuid
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.small_stores import (
    BIRTH_S,
    METRICS,
    NOW_UNIX_US,
    StoreBuilder,
    random_blocks,
)
from weir_store import clickhouse
from weir_store.base import Block, Reader
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.reader import ClickHouseReader
from weir_store.records import (
    Reduce,
    RunQuery,
    RunRef,
    RunState,
    SeriesQuery,
    XAxis,
)

pytestmark = pytest.mark.usefixtures("roll_up_even_of_small_series")
DATABASE = "reader_contract"


Build = Callable[[list[Block]], Reader]


@pytest.fixture(scope="module", params=["clickhouse", "memory"])
def build(request: pytest.FixtureRequest, connection: clickhouse.ClickHouse) -> Build:
    """Return what makes a reader over blocks, for tests of one reader at a time."""
    return _in_memory if request.param == "memory" else lambda blocks: _stored(connection, blocks)


def _stored(connection: clickhouse.ClickHouse, blocks: list[Block]) -> Reader:
    inserter = ClickHouseInserter(connection, DATABASE)
    for block in blocks:
        inserter.insert(block, uuid.uuid4().hex)
    return ClickHouseReader(connection, DATABASE, now_unix_us=lambda: NOW_UNIX_US)


def _in_memory(blocks: list[Block]) -> Reader:
    store = MemoryStore()
    for block in blocks:
        store.insert(block, "")
    return MemoryReader(store, now_unix_us=lambda: NOW_UNIX_US)


def _new_ref() -> RunRef:
    return RunRef(f"p-{uuid.uuid4().hex}", "run")


# ── the same answers to the same questions ─────────────────────────────────


@pytest.fixture(scope="module")
def seeded(connection: clickhouse.ClickHouse) -> Callable[[int], tuple[str, Reader, Reader]]:
    def make(seed: int) -> tuple[str, Reader, Reader]:
        project = f"p-{uuid.uuid4().hex}"
        blocks = random_blocks(project, seed)
        return project, _stored(connection, blocks), _in_memory(blocks)

    return make


# Shrinking asks a real engine thousands of questions; the seed in the report says enough.
few = settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@few
@given(seed=st.integers(0, 1 << 32), questions=st.data())
def test_series_are_the_same_in_every_shape(
    seeded: Callable[[int], tuple[str, Reader, Reader]], seed: int, questions: st.DataObject
) -> None:
    project, stored, model = seeded(seed)
    for _ in range(8):
        query = questions.draw(_series_queries(project))
        expected, found = model.read_series(query), stored.read_series(query)
        _assert_same(found, expected, str(query))
        streamed = pa.Table.from_batches(stored.stream_series(query), schema=expected.schema)
        _assert_same(streamed, expected, f"streamed {query}")


def _series_queries(project: str) -> st.SearchStrategy[SeriesQuery]:
    bound = st.none() | st.integers(-200, 1_500).map(float) | st.floats(-3, 1_000)
    times = st.none() | st.integers(0, 12_000_000).map(lambda us: float(BIRTH_S * 1_000_000 + us))

    def query(x: XAxis) -> st.SearchStrategy[SeriesQuery]:
        bounds = times if x is XAxis.TIME else bound
        return st.builds(
            SeriesQuery,
            runs=st.just(tuple(RunRef(project, f"run{n}") for n in range(5))),
            metrics=st.lists(st.sampled_from(METRICS), min_size=1, unique=True).map(tuple),
            max_points=st.none() | st.sampled_from((1, 2, 3, 8, 50, 1_000)),
            x=st.just(x),
            x_metric=st.sampled_from(METRICS) if x is XAxis.METRIC else st.just(""),
            ranks=st.none() | st.just((0,)) | st.just((1, 2)),
            reduce=st.sampled_from(Reduce),
            x_min=bounds,
            x_max=bounds,
            log_x=st.just(False) if x is XAxis.TIME else st.booleans(),
        )

    return st.sampled_from(XAxis).flatmap(query)


FILTERS = (
    "",
    "resnet",
    "big",
    "config.lr < 1",
    "config.lr = 0.1 OR config.lr IS NULL",
    "NOT config.lr = 7",
    "config.\"a.b-c\" LIKE 'ad%' OR config.opt.name ILIKE 'AD_m'",
    "config.lr IN (0.1, 7, 'adam', true)",
    "'base' IN tags AND NOT 'Big one' IN tags",
    "state IN ('finished', 'failed') AND duration >= 0",
    "metrics.loss BETWEEN -1 AND 1",
    "metrics.val/acc > 0 OR summary.loss > 0",
    "summary.lr IS NOT NULL",
    "finished IS NULL OR created >= '2027-01-15 07:20'",
    "name = 'resnet' AND group != ''",
    "config.lr LIKE '%\\\\\\\\%'",
)
ORDERS = ("-created", "name", "-state", "config.lr", "-config.lr", "summary.loss", "-metrics.lr")


@few
@given(seed=st.integers(0, 1 << 32))
def test_runs_projects_and_sessions_are_the_same(
    seeded: Callable[[int], tuple[str, Reader, Reader]], seed: int
) -> None:
    project, stored, model = seeded(seed)
    for where, order in itertools.chain(
        ((where, "-created") for where in FILTERS), (("", order) for order in ORDERS)
    ):
        query = RunQuery(project, where, order)
        expected, found = model.list_runs(query), stored.list_runs(query)
        assert [run.ref for run in found.runs] == [run.ref for run in expected.runs], query
        assert found.total == expected.total
        for one, other in zip(found.runs, expected.runs, strict=True):
            _assert_same_run(one, other)
    page = RunQuery(project, limit=1, offset=1, columns=("config.lr", "summary.loss"))
    assert stored.list_runs(page).total == model.list_runs(page).total
    assert _plain(stored.list_runs(page).runs) == _plain(model.list_runs(page).runs)
    for run in model.list_runs(RunQuery(project)).runs:
        _assert_same_run(stored.get_run(run.ref), model.get_run(run.ref))
        assert stored.list_sessions(run.ref) == model.list_sessions(run.ref)
    mine = [each for each in stored.list_projects() if each.name == project]
    assert mine == model.list_projects()


@few
@given(seed=st.integers(0, 1 << 32))
def test_names_latest_and_text_are_the_same(
    seeded: Callable[[int], tuple[str, Reader, Reader]], seed: int
) -> None:
    project, stored, model = seeded(seed)
    refs = [RunRef(project, f"run{n}") for n in range(5)]
    for runs, search, after in itertools.product(
        (refs, [], refs[:1]), ("", "L", "v acc", "*l*", "?r"), ("", "lr")
    ):
        asked: dict[str, Any] = {"project": project, "search": search, "after": after}
        found = stored.list_metrics(runs, **asked)
        expected = model.list_metrics(runs, **asked)
        assert found.total == expected.total, asked
        assert [_known(m) for m in found.metrics] == [_known(m) for m in expected.metrics]
    drop = ["min_at", "max_at"]  # ties: any of the steps
    _assert_same(stored.read_latest(refs).drop(drop), model.read_latest(refs).drop(drop), "latest")
    for ref in refs:
        _assert_same(stored.read_text(ref, "sample"), model.read_text(ref, "sample"), "text")
        _assert_same(stored.read_media(ref, "sample"), model.read_media(ref, "sample"), "media")
    live = [run.ref for run in model.list_runs(RunQuery(project)).runs]
    _assert_same(
        stored.compare_runs(live, only_different=True),
        model.compare_runs(live, only_different=True),
        "compare",
    )


# ── what both must do ───────────────────────────────────────────────────────


def test_an_overwritten_value_never_shows_not_even_in_a_roll_up(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    for step in range(1_000):
        builder.add_point(ref, "loss", step, 1e9 if step == 500 else 1.0)
    first = builder.take_block()
    builder.add_point(ref, "loss", 500, 2.0, ver=(BIRTH_S + 100) << 32)
    reader = build([first, builder.take_block()])
    for axis in (XAxis.STEP, XAxis.TIME):
        table = reader.read_series(SeriesQuery((ref,), ("loss",), 4, x=axis))
        assert max(table["max"].to_pylist()) == 2.0
    assert reader.read_latest([ref])["max"].to_pylist() == [2.0]


def test_a_value_corrected_by_the_same_process_never_shows(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    for step in range(200):
        builder.add_point(ref, "loss", step, -1e9 if step == 100 else 1.0)
    first = builder.take_block()
    builder.add_point(ref, "loss", 100, 0.5, ver=BIRTH_S << 32 | 9, rewrite=1)
    reader = build([first, builder.take_block()])
    table = reader.read_series(SeriesQuery((ref,), ("loss",), 2))
    assert min(table["min"].to_pylist()) == 0.5


def test_what_names_a_file_is_media_and_no_text(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_point(ref, "image", 1, '{"type":"image"}', media=True)
    builder.add_point(ref, "words", 1, "a text")
    builder.add_point(ref, "loss", 1, 0.5)
    reader = build([builder.take_block()])

    told = {each.name: (each.is_text, each.is_media) for each in reader.list_metrics([ref]).metrics}
    assert told == {"image": (True, True), "words": (True, False), "loss": (False, False)}
    assert reader.read_media(ref, "image")["value"].to_pylist() == ['{"type":"image"}']
    assert reader.read_text(ref, "image").num_rows == 0
    assert reader.read_text(ref, "words")["value"].to_pylist() == ["a text"]
    assert reader.read_media(ref, "words").num_rows == 0


@pytest.mark.parametrize("media_last", [True, False])
def test_a_text_and_a_file_at_one_step_are_one_point_and_the_newer_is_shown(
    build: Build, media_last: bool
) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_point(ref, "x", 1, "old", media=not media_last, ver=1)
    builder.add_point(ref, "x", 1, "new", media=media_last, ver=2)
    reader = build([builder.take_block()])

    shown = (reader.read_text(ref, "x"), reader.read_media(ref, "x"))
    expected = ([], ["new"]) if media_last else (["new"], [])
    assert tuple(each["value"].to_pylist() for each in shown) == expected


def test_files_are_told_of_one_run_and_left_out_of_a_page(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_attr(ref, "file", "code/diff.patch", b'{"size":1}')
    builder.add_attr(ref, "file", "gone.txt", b"{}")
    builder.add_attr(ref, "file", "gone.txt", None, ver=2, deleted=True)
    other = _new_ref()
    builder.add_run(other)
    reader = build([builder.take_block()])

    assert reader.get_run(ref).files == {"code/diff.patch": '{"size":1}'}
    assert [run.files for run in reader.list_runs(RunQuery(ref.project)).runs] == [{}]
    compared = reader.compare_runs([ref, other]).to_pylist()
    mine, theirs = f"{ref.project}/{ref.run_id}", f"{other.project}/{other.run_id}"
    assert {
        "kind": "file",
        "path": "code/diff.patch",
        mine: '{"size":1}',
        theirs: None,
        "differs": True,
    } in compared


def test_a_spike_one_step_wide_survives_thinning(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    for step in range(2_000):
        builder.add_point(ref, "loss", step, 7.0 if step == 777 else 0.0)
    table = build([builder.take_block()]).read_series(SeriesQuery((ref,), ("loss",), 10))
    assert table["max"].to_pylist().count(7.0) == 1


def test_a_bucket_of_nothing_but_nan_says_so(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_point(ref, "loss", 0, math.nan)
    row = build([builder.take_block()]).read_series(SeriesQuery((ref,), ("loss",), 1)).to_pylist()
    assert math.isnan(row[0]["min"])
    assert math.isnan(row[0]["max"])
    assert row[0]["nonfinite"] == 1


def test_mean_over_ranks_is_of_the_finite_last_values(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    for rank, value in enumerate((1.0, 3.0, math.nan)):
        builder.add_point(ref, "loss", 5, value, rank=rank)
    query = SeriesQuery((ref,), ("loss",), reduce=Reduce.RANKS)
    row = build([builder.take_block()]).read_series(query).to_pylist()[0]
    assert (row["min"], row["mean"], row["max"], row["ranks"], row["nonfinite"]) == (1, 2, 3, 3, 1)


def test_a_deleted_run_does_not_exist(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_point(ref, "loss", 0, 1.0)
    first = builder.take_block()
    builder.add_run(ref, deleted=True)
    reader = build([first, builder.take_block()])
    assert reader.read_series(SeriesQuery((ref,), ("loss",))).num_rows == 0
    assert reader.read_latest([ref]).num_rows == 0
    assert reader.list_runs(RunQuery(ref.project)).total == 0
    assert reader.list_metrics([], project=ref.project).total == 0
    with pytest.raises(UnknownRun):
        reader.get_run(ref)
    with pytest.raises(UnknownRun):
        reader.list_sessions(ref)


def test_a_rank_that_fell_silent_has_crashed(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_session(ref, uuid.uuid4(), state="running", seen_s=NOW_UNIX_US / 1e6 - 91)
    reader = build([builder.take_block()])
    assert reader.get_run(ref).state is RunState.CRASHED
    assert reader.list_sessions(ref)[0].reason == "no heartbeat"


def test_a_run_runs_while_one_of_its_ranks_does(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_session(ref, uuid.uuid4(), rank=0, state="failed")
    builder.add_session(ref, uuid.uuid4(), rank=1, state="running", seen_s=NOW_UNIX_US / 1e6 - 5)
    run = build([builder.take_block()]).get_run(ref)
    assert (run.state, run.finished_unix_us) == (RunState.RUNNING, 0)


def test_the_newest_life_of_a_rank_decides(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_session(ref, uuid.uuid4(), state="failed", started_s=BIRTH_S)
    builder.add_session(ref, uuid.uuid4(), state="finished", started_s=BIRTH_S + 10)
    run = build([builder.take_block()]).get_run(ref)
    assert run.state is RunState.FINISHED
    assert run.finished_unix_us == (BIRTH_S + 60) * 1_000_000


def test_what_code_puts_into_the_summary_beats_the_last_value(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_point(ref, "loss", 0, 1.0)
    builder.add_point(ref, "acc", 0, 0.5, rank=1)
    builder.add_point(ref, "acc", 0, 0.7, rank=3)
    builder.add_attr(ref, "summary", "loss", "told")
    run = build([builder.take_block()]).get_run(ref)
    assert run.summary == {"loss": "told", "acc": 0.5}


def test_a_thousand_runs_with_long_names_are_one_question(build: Build) -> None:
    ref, builder = _new_ref(), StoreBuilder()
    builder.add_run(ref)
    builder.add_point(ref, "loss", 0, 1.0)
    refs = [ref, *(RunRef(ref.project, f"{'é' * 60}-{n}") for n in range(999))]
    reader = build([builder.take_block()])
    assert reader.read_series(SeriesQuery(tuple(refs), ("loss",))).num_rows == 1
    assert reader.read_latest(refs).num_rows == 1


@pytest.mark.parametrize(
    "query",
    [
        RunQuery(where="lr < 1"),
        RunQuery(order_by="nothing"),
        RunQuery(order_by="tags"),
        RunQuery(limit=0),
        RunQuery(limit=10_001),
        RunQuery(offset=-1),
    ],
)
def test_a_wrong_page_is_refused(build: Build, query: RunQuery) -> None:
    with pytest.raises(InvalidQuery):
        build([]).list_runs(query)


@pytest.mark.parametrize(
    "wrong",
    [
        {"runs": ()},
        {"metrics": ()},
        {"max_points": 0},
        {"x": XAxis.METRIC},
        {"x_min": math.nan},
        {"x": XAxis.TIME, "log_x": True},
    ],
)
def test_a_wrong_series_query_is_refused(build: Build, wrong: dict[str, Any]) -> None:
    asked: dict[str, Any] = {"runs": (RunRef("p", "r"),), "metrics": ("loss",)} | wrong
    with pytest.raises(InvalidQuery):
        build([]).read_series(SeriesQuery(**asked))


# ── comparing ───────────────────────────────────────────────────────────────


def _assert_same(found: pa.Table, expected: pa.Table, what: str) -> None:
    assert found.schema == expected.schema, what
    assert found.num_rows == expected.num_rows, what
    for one, other in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        for column, value in other.items():
            assert _equal(one[column], value), (what, column, one, other)


def _equal(one: object, other: object) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        same = one == other or (math.isnan(one) and math.isnan(other))
        return same or math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
    if isinstance(one, str) and isinstance(other, str) and one != other:  # numbers shown as text
        return math.isclose(float(one), float(other), rel_tol=1e-12)
    return one == other and type(one) is type(other)


def _assert_same_run(one: Any, other: Any) -> None:
    for name in type(other).__dataclass_fields__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if isinstance(theirs, dict):
            assert mine.keys() == theirs.keys(), (name, mine, theirs)
            assert all(_equal(mine[key], theirs[key]) for key in theirs), (name, mine, theirs)
        else:
            assert mine == theirs, (name, one, other)


def _plain(runs: Any) -> str:
    return repr([(run.ref, run.config, run.summary, run.meta, run.tags) for run in runs])


def _known(metric: Any) -> tuple[Any, ...]:
    # has_nonfinite and is_media remember values that were corrected; the model has forgotten them
    return metric.name, metric.runs, metric.min_step, metric.max_step, metric.is_text
