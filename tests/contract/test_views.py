"""The views say what the readers say, about every run of any store: each promise is a comparison of the two."""

from __future__ import annotations

import random
import uuid
from functools import cached_property
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.contract.branched_stores import Launch, blocks_of, histories
from tests.contract.small_stores import BIRTH_S, StoreBuilder, random_blocks
from weir_store import clickhouse, tables
from weir_store.base import Block
from weir_store.editor import Editor
from weir_store.edits import Edits
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_lineage import lineages
from weir_store.reader import ClickHouseReader
from weir_store.records import Json, Run, RunQuery, RunRef, SeriesQuery
from weir_store.shown import shown_table
from weir_store.views.catalog import VIEWS

DATABASE = "views_contract"
Answer = dict[Any, Any]


class Store:
    """One project: what its readers say, and what its views say."""

    def __init__(
        self, connection: clickhouse.ClickHouse, blocks: list[Block], project: str
    ) -> None:
        self.project = project
        self.reader = ClickHouseReader(connection, DATABASE)
        self._connection = connection
        inserter = ClickHouseInserter(connection, DATABASE)
        for block in blocks:
            inserter.insert(block, uuid.uuid4().hex)

    def ask(self, select: str) -> list[tuple[Any, ...]]:
        """Ask; `FROM name` means the view as rights let this project see it."""
        for view in VIEWS:
            sight = (
                f"(SELECT * FROM {DATABASE}.{view.name} WHERE project IN ('{self.project}'))"
                f" AS {view.name}"
            )
            select = select.replace(f"FROM {view.name} ", f"FROM {sight} ")
        return self._connection.query_rows(select)

    def table(self, name: str) -> list[tuple[Any, ...]]:
        """Return the rows of a table, of this project."""
        sql = f"SELECT * FROM {DATABASE}_raw.{name} FINAL WHERE project = '{self.project}' ORDER BY run_id"
        return self._connection.query_rows(sql)

    @cached_property
    def runs(self) -> dict[str, Run]:
        """What the reader says of every run, completely."""
        page = self.reader.list_runs(RunQuery(self.project, limit=1_000))
        return {run.run_id: self.reader.get_run(run.ref) for run in page.runs}

    @property
    def refs(self) -> list[RunRef]:
        """Every run there is."""
        return [run.ref for run in self.runs.values()]


# ── what the readers say, and what the views say ────────────────────────────


def points_of_reader(store: Store) -> Answer:
    metrics = store.reader.list_metrics([], project=store.project).metrics
    names = tuple(metric.name for metric in metrics if not metric.is_text)
    query = SeriesQuery(tuple(store.refs), names)
    rows = store.reader.read_series(query).to_pylist() if names and store.refs else []
    return {
        (row["run_id"], row["metric"], row["rank"], row["step"]): (
            repr(row["value"]),
            row["time_unix_us"],
        )
        for row in rows
    }


def points_of_view(store: Store, where: str = "true") -> Answer:
    rows = store.ask(f"""
SELECT run_id, metric, rank, step, value, toUnixTimestamp64Micro(time) FROM metrics WHERE {where}""")
    return _once({row[:4]: (repr(row[4]), row[5]) for row in rows}, rows)


def series_of_reader(store: Store) -> Answer:
    rows = store.reader.read_latest(store.refs).to_pylist() if store.refs else []
    return {
        (row["run_id"], row["metric"], row["rank"]): (
            row["step"],
            row["time_unix_us"],
            *(repr(row[name]) for name in ("last", "min", "max")),
            bool(row["nonfinite"] & 1),
            bool(row["nonfinite"] & 6),
        )
        for row in rows
    }


def series_of_view(store: Store) -> Answer:
    rows = store.ask("""
SELECT run_id, metric, rank, last_step, toUnixTimestamp64Micro(last_time), last, min, max, has_nan, has_inf
FROM series """)
    return _once({row[:3]: (*row[3:5], *map(repr, row[5:8]), *row[8:]) for row in rows}, rows)


def texts_of_reader(store: Store) -> Answer:
    found = {}
    for ref in store.refs:
        for metric in filter(lambda each: each.is_text, store.reader.list_metrics([ref]).metrics):
            for kind, read in (
                ("text", store.reader.read_text),
                ("media", store.reader.read_media),
            ):
                for row in read(ref, metric.name).to_pylist():
                    place = (ref.run_id, metric.name, row["rank"], row["step"])
                    found[place] = (kind, row["value"], row["time_unix_us"])
    return found


def texts_of_view(store: Store) -> Answer:
    rows = store.ask("""
SELECT run_id, metric, rank, step, kind, value, toUnixTimestamp64Micro(time) FROM texts """)
    return _once({row[:4]: row[4:] for row in rows}, rows)


def attributes_of_reader(store: Store, space: str) -> Answer:
    return {
        (run_id, path): _shown(value)
        for run_id, run in store.runs.items()
        for path, value in getattr(run, space).items()
    }


def attributes_of_view(store: Store, view: str) -> Answer:
    rows = store.ask(f"SELECT run_id, path, type, value, num FROM {view} ")
    shown = {row[:2]: (row[2], repr(row[4]) if row[2] == "float" else row[3]) for row in rows}
    return _once(shown, rows)


def _shown(value: object) -> tuple[str, str]:
    match value:
        case Json():
            return "json", value.text
        case bool():
            return "bool", str(value).lower()
        case int():
            return "int", str(value)
        case float():
            return "float", repr(value)
        case str():
            return "str", value
    return "null", "null"


def runs_of_reader(store: Store) -> Answer:
    return {
        run_id: (
            *(run.name, run.state.value, run.user, run.group, run.job_type, run.notes),
            *(list(run.tags), run.created_unix_us, run.finished_unix_us, run.last_seen_unix_us),
            *(run.world_size, run.ranks, run.parent_run_id),
            *(run.fork_step if run.parent_run_id else None, list(run.rewinds)),
        )
        for run_id, run in store.runs.items()
    }


def runs_of_view(store: Store) -> Answer:
    rows = store.ask("""
SELECT run_id, name, state, user, `group`, job_type, notes, tags, toUnixTimestamp64Micro(created_at),
  ifNull(toUnixTimestamp64Micro(finished_at), 0), toUnixTimestamp64Micro(last_seen_at), world_size, ranks,
  parent_run_id, fork_step, rewinds FROM runs """)
    return _once({row[0]: row[1:] for row in rows}, rows)


def sessions_of_reader(store: Store) -> Answer:
    return {
        (ref.run_id, str(each.producer)): (
            *(each.rank, each.world_size, each.node, each.role, each.state.value, each.reason),
            *(each.exit_code, each.started_unix_us, each.last_seen_unix_us),
        )
        for ref in store.refs
        for each in store.reader.list_sessions(ref)
    }


def sessions_of_view(store: Store) -> Answer:
    rows = store.ask("""
SELECT run_id, toString(session_id), rank, world_size, node, role, state, reason, exit_code,
  toUnixTimestamp64Micro(started_at), toUnixTimestamp64Micro(last_seen_at) FROM sessions """)
    return _once({row[:2]: row[2:] for row in rows}, rows)


def _once(found: Answer, rows: list[tuple[Any, ...]]) -> Answer:
    assert len(found) == len(rows), "something is there twice"
    return found


def assert_all_the_same(store: Store) -> None:
    assert points_of_view(store) == points_of_reader(store)
    assert series_of_view(store) == series_of_reader(store)
    assert texts_of_view(store) == texts_of_reader(store)
    assert runs_of_view(store) == runs_of_reader(store)
    assert sessions_of_view(store) == sessions_of_reader(store)
    for view, space in (("params", "config"), ("summary", "summary"), ("meta", "meta")):
        assert attributes_of_view(store, view) == attributes_of_reader(store, space), view


# ── any store ───────────────────────────────────────────────────────────────


@pytest.fixture(scope="module", params=(0, 2, 5))
def ordinary(request: pytest.FixtureRequest, connection: clickhouse.ClickHouse) -> Store:
    """Runs with ranks, resumes, corrections, NaN, rules, odd names; some are deleted."""
    project = f"p{request.param}-{uuid.uuid4().hex[:8]}"
    return Store(connection, random_blocks(project, request.param), project)


def test_the_views_say_what_the_readers_say_of_any_store(ordinary: Store) -> None:
    assert_all_the_same(ordinary)


# Shrinking asks a real engine thousands of questions.
few = settings(max_examples=4, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@few
@given(histories(), st.integers(0, 1 << 32))
def test_the_views_say_what_the_readers_say_of_any_history_of_rewinds_and_forks(
    connection: clickhouse.ClickHouse, history: list[Launch], seed: int
) -> None:
    project = f"b-{uuid.uuid4().hex}"
    assert_all_the_same(
        Store(connection, blocks_of(project, history, random.Random(seed)), project)
    )


@few
@given(histories(), st.integers(0, 1 << 32))
def test_what_runs_show_is_written_down_whatever_the_order_of_arrival(
    connection: clickhouse.ClickHouse, history: list[Launch], seed: int
) -> None:
    project = f"w-{uuid.uuid4().hex}"
    blocks = blocks_of(project, history, random.Random(seed))
    model = MemoryStore()
    for block in blocks:
        model.insert(block, "")
    told = model.list_rows(tables.BRANCHES)
    refs = sorted({RunRef(project, row["run_id"]) for row in told})

    written = Store(connection, blocks, project).table("shown")

    rows = shown_table(lineages(model, refs), {project: len(told)}).to_pylist()
    assert [row[:10] for row in written] == [_as_told(row) for row in rows]


def _as_told(row: dict[str, Any]) -> tuple[Any, ...]:
    cuts = [[tuple(cut.values()) for cut in of_piece] for of_piece in row["cuts"]]
    return (*list(row.values())[:9], cuts)


@pytest.mark.parametrize(
    "condition",
    ["value > 0", "value <= 0 OR isNaN(value)", "time < toDateTime64({time}, 6, 'UTC')"],
)
def test_a_condition_on_values_never_brings_back_what_was_corrected(
    ordinary: Store, condition: str
) -> None:
    middle = sorted(time for _, time in points_of_view(ordinary).values() or [("", 0)])
    at = middle[len(middle) // 2] / 1e6 if middle else 0
    asked = condition.format(time=repr(at))

    kept = set(points_of_view(ordinary, asked))

    everything = ordinary.ask(f"SELECT run_id, metric, rank, step, {asked} FROM metrics ")
    assert kept == {row[:4] for row in everything if row[4]}


# ── some runs in particular ─────────────────────────────────────────────────


def build(connection: clickhouse.ClickHouse) -> tuple[Store, StoreBuilder]:
    builder, project = StoreBuilder(), f"s-{uuid.uuid4().hex[:8]}"
    return Store(connection, [], project), builder


def add(store: Store, connection: clickhouse.ClickHouse, builder: StoreBuilder) -> None:
    ClickHouseInserter(connection, DATABASE).insert(builder.take_block(), uuid.uuid4().hex)
    store.__dict__.pop("runs", None)


def test_a_fork_of_a_run_that_was_deleted_keeps_its_history(
    connection: clickhouse.ClickHouse,
) -> None:
    store, builder = build(connection)
    names = ["root", "child", "grandchild", "great"]
    for depth, name in enumerate(names):
        ref = RunRef(store.project, name)
        builder.add_run(ref)
        if depth:
            builder.add_branch(ref, names[depth - 1], 10 * depth, birth_s=BIRTH_S + depth)
        for step in range(40):
            builder.add_point(ref, "loss", step, depth, ver=(BIRTH_S + depth) << 32)
    for name in names[:2]:
        builder.add_run(RunRef(store.project, name), deleted=True)
    add(store, connection, builder)

    assert {key[0] for key in points_of_view(store)} == {"grandchild", "great"}
    assert_all_the_same(store)
    assert store.ask(
        "SELECT generation, ancestor_run_id, last_step FROM ancestors WHERE run_id = 'great' ORDER BY 1"
    ) == [
        (1, "grandchild", 30),
        (2, "child", 20),
        (3, "root", 10),
    ]


def test_runs_of_the_same_id_in_two_projects_are_told_apart(
    connection: clickhouse.ClickHouse,
) -> None:
    (one, builder), (other, _) = build(connection), build(connection)
    for store, value in ((one, 1.0), (other, 2.0)):
        builder.add_run(RunRef(store.project, "same"))
        for step in range(3):
            builder.add_point(RunRef(store.project, "same"), "loss", step, value)
    builder.add_branch(RunRef(other.project, "same"), "same", 0, birth_s=BIRTH_S + 5)
    add(one, connection, builder)

    assert len(points_of_view(one)) == 3
    assert len(points_of_view(other)) == 1
    builder.add_run(RunRef(other.project, "same"), deleted=True)
    add(one, connection, builder)
    assert len(points_of_view(one)) == 3
    assert points_of_view(other) == {}


def test_a_correction_is_seen_at_once_whichever_comes_first(
    connection: clickhouse.ClickHouse,
) -> None:
    store, builder = build(connection)
    for run, births in (("up", (0, 10)), ("down", (10, 0))):
        ref = RunRef(store.project, run)
        builder.add_run(ref)
        for later in births:
            ver = (BIRTH_S + later) << 32
            for step in range(3):
                builder.add_point(ref, "loss", step, float(later), ver=ver)
            add(store, connection, builder)

    assert {value for value, _ in points_of_view(store).values()} == {"10.0"}
    assert len(points_of_view(store)) == 6


def test_the_audit_tells_who_deleted_what_even_of_deleted_runs(
    connection: clickhouse.ClickHouse,
) -> None:
    store, builder = build(connection)
    ref = RunRef(store.project, "r")
    builder.add_run(ref)
    add(store, connection, builder)
    editor, at = Editor(ClickHouseInserter(connection, DATABASE)), BIRTH_S * 1_000_000
    editor.edit_run(store.reader.get_run(ref), Edits(name="new"), by="ann", at_unix_us=at)
    editor.note_stop(ref, by="bob", reason="too hot", at_unix_us=at + 1)
    editor.delete_run(ref, by="eve", at_unix_us=at + 2)

    told = store.ask("SELECT action, who, field, before, after, reason FROM audit ORDER BY time")
    assert told == [
        ("edited", "ann", "name", "", "new", ""),
        ("stop_requested", "bob", "", "", "", "too hot"),
        ("deleted", "eve", "", "", "", ""),
    ]
    assert store.ask("SELECT * FROM events ") == []
    assert store.ask("SELECT * FROM runs ") == []
