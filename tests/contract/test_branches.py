"""Rewind and fork for both readers: nothing is copied, nothing deleted, and every reader sees the same."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Callable

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.branched_stores import (
    METRICS,
    TEXT,
    Launch,
    blocks_of,
    config,
    fork_of,
    histories,
    shown,
)
from tests.contract.small_stores import BIRTH_S, NOW_UNIX_US, StoreBuilder
from tests.contract.test_reader import _assert_same
from weir_store import clickhouse
from weir_store.base import Block, Reader
from weir_store.editor import Editor
from weir_store.errors import UnknownRun
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.reader import ClickHouseReader
from weir_store.records import Reduce, RunQuery, RunRef, SeriesQuery, XAxis

pytestmark = pytest.mark.usefixtures("roll_up_even_of_small_series")
DATABASE = "branch_contract"
LATER_S = BIRTH_S + 1_000


Build = Callable[[list[Block]], Reader]


def _in_memory(blocks: list[Block]) -> Reader:
    store = MemoryStore()
    for block in blocks:
        store.insert(block, "")
    return MemoryReader(store, now_unix_us=lambda: NOW_UNIX_US)


def _stored(connection: clickhouse.ClickHouse, blocks: list[Block]) -> Reader:
    inserter = ClickHouseInserter(connection, DATABASE)
    for block in blocks:
        inserter.insert(block, uuid.uuid4().hex)
    return ClickHouseReader(connection, DATABASE, now_unix_us=lambda: NOW_UNIX_US)


@pytest.fixture(scope="module")
def store(connection: clickhouse.ClickHouse) -> Build:
    return lambda blocks: _stored(connection, blocks)


@pytest.fixture(params=["clickhouse", "memory"])
def build(request: pytest.FixtureRequest, store: Build) -> Build:
    """Return what makes a reader over blocks, for tests of one reader at a time."""
    return _in_memory if request.param == "memory" else store


# ── any history ─────────────────────────────────────────────────────────────

# Shrinking asks a real engine thousands of questions.
few = settings(max_examples=5, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@settings(max_examples=300, deadline=None)
@given(histories(), st.integers(0, 1 << 32))
def test_any_history_shows_what_the_model_says(history: list[Launch], seed: int) -> None:
    project = f"p-{uuid.uuid4().hex}"
    _assert_shown(_in_memory(blocks_of(project, history, random.Random(seed))), project, history)


@few
@given(histories(), st.integers(0, 1 << 32), st.data())
def test_any_history_is_the_same_to_every_reader(
    store: Build, history: list[Launch], seed: int, questions: st.DataObject
) -> None:
    project = f"p-{uuid.uuid4().hex}"
    blocks = blocks_of(project, history, random.Random(seed))
    stored, model = store(blocks), _in_memory(blocks)
    _assert_shown(stored, project, history)
    refs = [RunRef(project, run) for run in sorted({launch.run for launch in history})]
    for _ in range(6):
        query = questions.draw(_series_queries(refs))
        expected = model.read_series(query)
        _assert_same(stored.read_series(query), expected, str(query))
    _assert_same_summaries(stored, model, refs)


def _assert_shown(reader: Reader, project: str, history: list[Launch]) -> None:
    for run in sorted({launch.run for launch in history}):
        ref, fork = RunRef(project, run), fork_of(history, run)
        points = _points(reader, ref, METRICS)
        texts = reader.read_text(ref, TEXT).to_pylist()
        points |= {(TEXT, row["step"], row["rank"]): float(row["value"]) for row in texts}
        assert points == shown(history, run), run
        known = reader.get_run(ref)
        told = config(history, run)
        assert known.config == {path: v for path, v in told.items() if v is not None}
        assert known.parent_run_id == (fork.parent if fork else "")
        assert known.fork_step == (fork.step if fork else 0)
        steps = [each.step for each in history if each.run == run and each.is_rewind]
        assert list(known.rewinds) == steps


def _points(
    reader: Reader, ref: RunRef, metrics: tuple[str, ...] = ("loss",)
) -> dict[tuple[str, int, int], float]:
    rows = reader.read_series(SeriesQuery((ref,), metrics)).to_pylist()
    return {(row["metric"], row["step"], row["rank"]): row["value"] for row in rows}


def _series_queries(refs: list[RunRef]) -> st.SearchStrategy[SeriesQuery]:
    def query(x: XAxis) -> st.SearchStrategy[SeriesQuery]:
        return st.builds(
            SeriesQuery,
            runs=st.just(tuple(refs)),
            metrics=st.lists(st.sampled_from(METRICS), min_size=1, unique=True).map(tuple),
            max_points=st.none() | st.sampled_from((1, 2, 5, 50)),
            x=st.just(x),
            x_metric=st.sampled_from(METRICS) if x is XAxis.METRIC else st.just(""),
            ranks=st.none() | st.just((0,)) | st.just((1, 2)),
            reduce=st.sampled_from(Reduce),
            x_min=st.none() | st.integers(-10, 200).map(float),
            x_max=st.none() | st.integers(-10, 400).map(float),
        )

    return st.sampled_from((XAxis.STEP, XAxis.STEP, *XAxis)).flatmap(query)


def _assert_same_summaries(stored: Reader, model: Reader, refs: list[RunRef]) -> None:
    drop = ["min_at", "max_at"]
    latest = stored.read_latest(refs).drop(drop)
    _assert_same(latest, model.read_latest(refs).drop(drop), "latest")
    _assert_same(stored.compare_runs(refs), model.compare_runs(refs), "compare")
    project = refs[0].project
    for where, order in (
        ("summary.loss >= 100", "created"),
        ("metrics.acc IS NOT NULL", "-metrics.acc"),
        ("config.lr > 0 OR config.seed IS NULL", "-config.lr"),
        ("", "summary.loss"),
    ):
        query = RunQuery(project, where, order, columns=("summary.acc", "config.lr"))
        found, expected = stored.list_runs(query), model.list_runs(query)
        assert [run.ref for run in found.runs] == [run.ref for run in expected.runs], query
        for one, other in zip(found.runs, expected.runs, strict=True):
            assert (one.summary, one.config) == (other.summary, other.config)
    for runs in (refs, []):
        names = stored.list_metrics(runs, project=project).metrics
        expected_names = model.list_metrics(runs, project=project).metrics
        assert [(m.name, m.runs, m.min_step, m.is_text) for m in names] == [
            (m.name, m.runs, m.min_step, m.is_text) for m in expected_names
        ]
        for one, other in zip(names, expected_names, strict=True):
            assert one.max_step >= other.max_step  # may be the step rewound to


# ── by name ─────────────────────────────────────────────────────────────────


class Story:
    """Writes launches of runs in one project down as blocks."""

    def __init__(self) -> None:
        self.project = f"p-{uuid.uuid4().hex}"
        self._builder = StoreBuilder()
        self._blocks: list[Block] = []

    def ref(self, run: str) -> RunRef:
        return RunRef(self.project, run)

    def log(
        self, run: str, steps: range, value: float, *, birth_s: int = BIRTH_S, ranks: int = 1
    ) -> None:
        """All ranks log `value` at these steps."""
        self._builder.add_run(self.ref(run))
        for step in steps:
            for rank in range(ranks):
                ver = birth_s << 32 | step & 0xFFFF
                self._builder.add_point(self.ref(run), "loss", step, value, rank=rank, ver=ver)
        self._blocks.append(self._builder.take_block())

    def branch(
        self, run: str, parent: str, step: int, birth_s: int, *, ranks: int = 1, launch: str = ""
    ) -> None:
        """All ranks of a launch take the run up."""
        self._builder.add_run(self.ref(run))
        for rank in range(ranks):
            told = {"rank": rank, "world_size": ranks, "launch": launch}
            self._builder.add_branch(self.ref(run), parent, step, birth_s=birth_s, **told)

    def config(self, run: str, **values: float) -> None:
        for path, value in values.items():
            self._builder.add_attr(self.ref(run), "config", path, value)

    def delete(self, run: str) -> None:
        self._builder.add_run(self.ref(run), deleted=True)

    def blocks(self) -> list[Block]:
        self._blocks.append(self._builder.take_block())
        return [block for block in self._blocks if block]


def _values(reader: Reader, ref: RunRef, rank: int = 0) -> dict[int, float]:
    return {step: value for (_, step, of), value in _points(reader, ref).items() if of == rank}


def test_a_rewound_run_shows_no_step_beyond_the_rewind_until_it_is_logged_again(
    build: Build,
) -> None:
    story = Story()
    story.log("r", range(1_000), 1.0)
    story.branch("r", "r", 599, LATER_S)
    reader, ref = build(story.blocks()), story.ref("r")

    assert list(_values(reader, ref)) == list(range(600))
    assert reader.read_latest([ref])["step"].to_pylist() == [599]
    assert reader.get_run(ref).rewinds == (599,)
    (metric,) = reader.list_metrics([ref]).metrics
    assert metric.max_step == 599

    story.log("r", range(600, 650), 2.0, birth_s=LATER_S)
    reader = build(story.blocks())

    assert _values(reader, ref) == dict.fromkeys(range(600), 1.0) | dict.fromkeys(
        range(600, 650), 2.0
    )
    assert reader.get_run(ref).summary == {"loss": 2.0}
    thinned = reader.read_series(SeriesQuery((ref,), ("loss",), 4))
    assert max(thinned["x_max"].to_pylist()) == 649


def test_what_a_rewind_hides_stays_in_the_table(connection: clickhouse.ClickHouse) -> None:
    story = Story()
    story.log("r", range(100), 1.0)
    story.branch("r", "r", 49, LATER_S)
    story.log("r", range(50, 100), 2.0, birth_s=LATER_S)
    _stored(connection, story.blocks())

    sql = f"""
SELECT value, count() FROM {DATABASE}_raw.points FINAL
WHERE project = {{project:String}} GROUP BY value ORDER BY value"""
    assert connection.query_rows(sql, {"project": story.project}) == [(1.0, 100), (2.0, 50)]


def test_a_run_is_rewound_any_number_of_times(build: Build) -> None:
    story = Story()
    story.log("r", range(100), 0.0)
    for attempt in range(1, 40):
        birth_s = BIRTH_S + attempt * 60
        story.branch("r", "r", attempt, birth_s)
        story.log("r", range(attempt + 1, attempt + 20), float(attempt), birth_s=birth_s)
    values = _values(build(story.blocks()), story.ref("r"))

    assert values[1] == 0.0
    assert [values[step] for step in range(3, 40)] == [float(step - 1) for step in range(3, 40)]
    assert max(values) == 58


def test_a_fork_of_a_fork_reads_its_grandparents_points(build: Build) -> None:
    story = Story()
    story.log("a", range(300), 1.0)
    story.branch("b", "a", 199, LATER_S)
    story.log("b", range(200, 300), 2.0, birth_s=LATER_S)
    story.branch("c", "b", 249, LATER_S + 100)
    story.log("c", range(250, 300), 3.0, birth_s=LATER_S + 100)
    story.config("a", lr=0.1, depth=4)
    story.config("b", lr=0.2)
    reader, ref = build(story.blocks()), story.ref("c")

    expected = dict.fromkeys(range(200), 1.0) | dict.fromkeys(range(200, 250), 2.0)
    assert _values(reader, ref) == expected | dict.fromkeys(range(250, 300), 3.0)
    run = reader.get_run(ref)
    assert (run.parent_run_id, run.fork_step) == ("b", 249)
    assert run.config == {"lr": 0.2, "depth": 4}
    assert run.summary == {"loss": 3.0}
    thinned = reader.read_series(SeriesQuery((ref,), ("loss",), 5)).to_pylist()
    assert [(row["min"], row["max"]) for row in thinned] == [(1.0, 1.0)] * 3 + [
        (1.0, 3.0),
        (3.0, 3.0),
    ]
    assert len(reader.list_runs(RunQuery(story.project, "config.depth = 4")).runs) == 3


def test_a_chain_of_forks_is_read_whatever_its_length(build: Build) -> None:
    story, length = Story(), 60
    for number in range(length):
        birth_s = BIRTH_S + number * 60
        if number:
            story.branch(f"r{number}", f"r{number - 1}", number - 1, birth_s)
        story.log(f"r{number}", range(number, number + 2), float(number), birth_s=birth_s)
    reader, last = build(story.blocks()), story.ref(f"r{length - 1}")

    assert list(_values(reader, last).values()) == [*map(float, range(length)), length - 1]
    latest = reader.read_latest([story.ref(f"r{number}") for number in range(length)])
    assert sorted(latest["last"].to_pylist()) == [float(n) for n in range(length)]


def test_a_rewind_of_the_parent_after_the_fork_changes_nothing_in_the_child(build: Build) -> None:
    story = Story()
    story.log("a", range(100), 1.0)
    story.branch("b", "a", 79, LATER_S)
    before = _values(build(story.blocks()), story.ref("b"))
    story.branch("a", "a", 39, LATER_S + 100)
    story.log("a", range(40, 100), 2.0, birth_s=LATER_S + 100)
    reader = build(story.blocks())

    assert _values(reader, story.ref("b")) == before == dict.fromkeys(range(80), 1.0)
    assert _values(reader, story.ref("a"))[79] == 2.0


def test_a_rewind_of_the_child_hides_what_it_inherited(build: Build) -> None:
    story = Story()
    story.log("a", range(100), 1.0)
    story.branch("b", "a", 79, LATER_S)
    story.branch("b", "b", 29, LATER_S + 100)
    assert list(_values(build(story.blocks()), story.ref("b"))) == list(range(30))


def test_an_elastic_restart_with_fewer_ranks_rewinds_all_of_them(build: Build) -> None:
    story = Story()
    story.log("r", range(100), 1.0, ranks=4)
    story.branch("r", "r", 49, LATER_S, ranks=2, launch="second")
    reader, ref = build(story.blocks()), story.ref("r")
    for rank in range(4):
        assert max(_values(reader, ref, rank)) == 49


def test_ranks_that_share_no_launch_are_rewound_one_by_one(build: Build) -> None:
    story = Story()
    story.log("r", range(100), 1.0, ranks=4)
    story.branch("r", "r", 49, LATER_S, ranks=2)
    reader, ref = build(story.blocks()), story.ref("r")
    assert [max(_values(reader, ref, rank)) for rank in range(4)] == [49, 49, 99, 99]
    assert reader.get_run(ref).rewinds == (49,)


def test_what_a_child_logged_goes_before_its_ancestors_whatever_the_versions(build: Build) -> None:
    story = Story()
    story.branch("b", "a", 79, BIRTH_S)
    story.log("b", range(40, 60), 2.0)
    story.log("a", range(100), 1.0, birth_s=LATER_S)
    values = _values(build(story.blocks()), story.ref("b"))
    assert values == dict.fromkeys(range(80), 1.0) | dict.fromkeys(range(40, 60), 2.0)


def test_the_newest_version_of_a_point_is_read_in_whatever_order_they_arrive(build: Build) -> None:
    story = Story()
    for birth_s in (BIRTH_S + 20, BIRTH_S + 30, BIRTH_S, BIRTH_S + 10):
        story.log("r", range(10), float(birth_s), birth_s=birth_s)
    reader, ref = build(story.blocks()), story.ref("r")
    assert set(_values(reader, ref).values()) == {BIRTH_S + 30.0}
    assert reader.read_latest([ref])["min"].to_pylist() == [BIRTH_S + 30.0]


def test_forks_of_a_deleted_run_keep_its_history(build: Build) -> None:
    story = Story()
    story.log("a", range(100), 1.0)
    story.config("a", lr=0.1)
    story.branch("b", "a", 49, LATER_S)
    story.delete("a")
    reader = build(story.blocks())

    with pytest.raises(UnknownRun):
        reader.get_run(story.ref("a"))
    assert _points(reader, story.ref("a")) == {}
    assert list(_values(reader, story.ref("b"))) == list(range(50))
    assert reader.get_run(story.ref("b")).config == {"lr": 0.1}
    assert reader.list_runs(RunQuery(story.project, "config.lr = 0.1")).total == 1
    assert [m.runs for m in reader.list_metrics([], project=story.project).metrics] == [1]


def test_a_deleted_fork_does_not_exist(connection: clickhouse.ClickHouse) -> None:
    story = Story()
    story.log("a", range(10), 1.0)
    story.branch("b", "a", 4, LATER_S)
    reader = _stored(connection, story.blocks())
    Editor(ClickHouseInserter(connection, DATABASE)).delete_run(
        story.ref("b"), by="ann", at_unix_us=NOW_UNIX_US
    )
    assert reader.read_latest([story.ref("b")]).num_rows == 0
    assert _points(reader, story.ref("b")) == {}
    assert [m.runs for m in reader.list_metrics([], project=story.project).metrics] == [1]
    page = reader.list_runs(RunQuery(story.project, order_by="-summary.loss"))
    assert [run.run_id for run in page.runs] == ["a"]


def test_runs_that_fork_each_other_are_read_all_the_same(build: Build) -> None:
    story = Story()
    story.branch("a", "b", 10, BIRTH_S)
    story.log("a", range(20), 1.0)
    story.branch("b", "a", 5, BIRTH_S)
    story.log("b", range(6, 12), 2.0)
    reader = build(story.blocks())
    assert _values(reader, story.ref("b")) == dict.fromkeys(range(6), 1.0) | dict.fromkeys(
        range(6, 12), 2.0
    )
    assert _values(reader, story.ref("a")) == dict.fromkeys(range(20), 1.0)


def test_a_parent_nobody_knows_gives_nothing(build: Build) -> None:
    story = Story()
    story.branch("b", "nobody", 10, BIRTH_S)
    story.log("b", range(3), 1.0)
    reader, ref = build(story.blocks()), story.ref("b")
    assert list(_values(reader, ref)) == [0, 1, 2]
    assert reader.get_run(ref).parent_run_id == "nobody"


def test_relative_time_of_a_fork_counts_from_the_first_point_of_its_ancestor(build: Build) -> None:
    story = Story()
    story.log("a", range(10), 1.0)
    story.branch("b", "a", 4, LATER_S)
    story.log("b", range(5, 8), 2.0, birth_s=LATER_S)
    query = SeriesQuery((story.ref("b"),), ("loss",), x=XAxis.RELATIVE)
    assert build(story.blocks()).read_series(query)["x"].to_pylist() == [
        step * 1_000.0 for step in range(8)
    ]


def test_a_bucket_cut_by_a_rewind_holds_no_hidden_extreme(build: Build) -> None:
    story = Story()
    story.log("r", range(256), 1.0)
    story.log("r", range(256, 512), 1e9)
    story.branch("r", "r", 300, LATER_S)
    story.log("r", range(257, 1_024), 1.0, birth_s=LATER_S)
    reader, ref = build(story.blocks()), story.ref("r")
    points = _values(reader, ref)
    table = reader.read_series(SeriesQuery((ref,), ("loss",), 8))
    assert max(table["max"].to_pylist()) == max(points.values())
    assert math.isclose(reader.read_latest([ref])["max"][0].as_py(), max(points.values()))


def test_a_branch_arriving_after_its_points_says_the_same(build: Build) -> None:
    story = Story()
    story.log("r", range(100), 1.0)
    story.log("r", range(50, 60), 2.0, birth_s=LATER_S)
    story.branch("r", "r", 49, LATER_S)
    assert list(_values(build(list(reversed(story.blocks()))), story.ref("r"))) == list(range(60))
