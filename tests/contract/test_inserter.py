"""One suite for both stores: what was inserted is read once, whatever is repeated."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2
from weir_server.stream.base import StreamEntry
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store import tables
from weir_store.base import Block, Inserter, Reader
from weir_store.clickhouse import connect
from weir_store.editor import Editor
from weir_store.edits import Edits
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import Run, RunRef, SeriesQuery


class Store(NamedTuple):
    inserter: Inserter
    reader: Reader
    list_rows: Callable[[str, str], list[Any]]
    """(table, column) → the column of all rows a reader sees, sorted."""


def _memory() -> Store:
    store = MemoryStore()
    return Store(
        store,
        MemoryReader(store),
        lambda table, column: sorted(row[column] for row in store.list_rows(table)),
    )


def _clickhouse(engine: EngineProcess) -> Iterator[Store]:
    clickhouse, database = connect(engine.url), f"t{uuid4().hex[:8]}"
    migrate(clickhouse, database)

    def list_rows(table: str, column: str) -> list[Any]:
        rows = clickhouse.query_rows(
            f"SELECT {column} FROM {database}_raw.{table} FINAL ORDER BY 1"
        )
        return [value for (value,) in rows]

    reader = ClickHouseReader(clickhouse, database)
    yield Store(ClickHouseInserter(clickhouse, database), reader, list_rows)
    clickhouse.command(f"DROP DATABASE {database}_raw")
    clickhouse.close()


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield _memory()
    else:
        yield from _clickhouse(request.getfixturevalue("engine"))


def block(*sources: StreamEntry) -> Block:
    return build_block([unpack(source) for source in sources])


def everything(seq: int = 1) -> Block:
    """A block with rows in every table but dead letters."""
    body = frames.grid(0, rows=3)
    body.texts.add(metric=bytes(4), step=bytes(8), time_unix_us=bytes(8), value=["grüße"])
    body.attrs.add(namespace=ingest_pb2.Attr.CONFIG, path="lr", float=0.1)
    body.session.state = ingest_pb2.SessionUpdate.RUNNING
    body.losses.add(reason="disk_full", points=3)
    return block(frames.entry(body, seq))


def test_a_block_is_readable_in_all_its_tables_when_insert_returns(store: Store) -> None:
    store.inserter.insert(everything(), "t1")

    assert store.list_rows(tables.POINTS, "step") == [0, 0, 1, 1, 2, 2]
    assert store.list_rows(tables.TEXT_POINTS, "value") == ["grüße"]
    assert store.list_rows(tables.RUN_ATTRS, "num") == [0.1]
    assert store.list_rows(tables.SESSIONS, "state") == ["running"]
    assert store.list_rows(tables.EVENTS, "kind") == ["loss"]
    assert store.list_rows(tables.RUNS, "run_id") == ["r"]
    assert store.list_rows(tables.INGEST_COMMITS, "seq") == [1]


@pytest.mark.parametrize("tokens", [("a", "a", "a"), ("a", "b", "c")])
def test_a_block_inserted_again_is_read_once(store: Store, tokens: tuple[str, ...]) -> None:
    for token in tokens:
        store.inserter.insert(everything(), token)

    assert store.list_rows(tables.POINTS, "step") == [0, 0, 1, 1, 2, 2]
    assert store.list_rows(tables.EVENTS, "kind") == ["loss"]


def test_of_a_step_logged_again_the_newest_version_is_read_in_whatever_order_it_arrives(
    store: Store,
) -> None:
    def said(value: float, seq: int, birth_s: int) -> Block:
        body = frames.grid(5, metrics=["loss"])
        body.points[0].value = struct.pack("<d", value)
        return block(frames.entry(body, seq, who=frames.producer(birth_s=birth_s)))

    store.inserter.insert(said(3.0, 1, frames.BIRTH_S + 10), "newest")
    store.inserter.insert(said(2.0, 9, frames.BIRTH_S), "older")
    store.inserter.insert(said(1.0, 8, frames.BIRTH_S), "oldest")

    query = SeriesQuery((RunRef("p", "r"),), ("loss",))
    assert store.reader.read_series(query)["value"].to_pylist() == [3.0]
    assert store.list_rows(tables.POINTS, "value") == [1.0, 2.0, 3.0]  # none is forgotten


def test_nan_and_infinities_are_kept(store: Store) -> None:
    body = frames.grid(0, metrics=["a", "b", "c"])
    body.points[0].value = struct.pack("<3d", float("nan"), float("inf"), float("-inf"))

    store.inserter.insert(block(frames.entry(body)), "t")

    assert {str(value) for value in store.list_rows(tables.POINTS, "value")} == {
        "nan",
        "inf",
        "-inf",
    }


def test_the_watermark_is_the_highest_seq_and_unknown_producers_are_absent(store: Store) -> None:
    known, unknown = UUID(bytes=frames.producer(1)), UUID(bytes=frames.producer(2))
    for seq in (2, 1):
        store.inserter.insert(
            block(frames.entry(frames.grid(seq), seq, who=known.bytes)), f"t{seq}"
        )

    assert store.inserter.read_committed([known, unknown]) == {known: 2}
    assert store.inserter.read_committed([]) == {}


def test_an_edit_beats_what_the_session_said_and_a_later_session_beats_the_edit(
    store: Store,
) -> None:
    def named(name: str, birth_s: int) -> Block:
        body = ingest_pb2.Body(schema=1)
        body.attrs.add(namespace=ingest_pb2.Attr.META, path="name", str=name)
        return block(frames.entry(body, who=frames.producer(birth_s=birth_s)))

    store.inserter.insert(named("first", frames.BIRTH_S), "t1")
    edited_unix_us = (frames.BIRTH_S + 60) * 1_000_000
    Editor(store.inserter).edit_run(
        Run("p", "r", 0, name="first"), Edits(name="edited"), by="ann", at_unix_us=edited_unix_us
    )
    assert store.list_rows(tables.RUN_ATTRS, "str") == ["edited"]

    store.inserter.insert(named("resumed", frames.BIRTH_S + 120), "t2")
    assert store.list_rows(tables.RUN_ATTRS, "str") == ["resumed"]


def test_tags_are_added_and_removed_by_name(store: Store) -> None:
    editor, run = Editor(store.inserter), Run("p", "r", 0)

    editor.edit_run(run, Edits(add_tags=("a", "b")), by="ann", at_unix_us=10)
    tagged = replace(run, tags=("a", "b"))
    editor.edit_run(tagged, Edits(remove_tags=("a",)), by="ann", at_unix_us=11)

    assert store.list_rows(tables.RUN_ATTRS, "path") == ["b"]


def test_a_deleted_run_stays_deleted_however_much_it_still_sends(store: Store) -> None:
    store.inserter.insert(everything(), "t1")
    Editor(store.inserter).delete_run(RunRef("p", "r"), by="ann", at_unix_us=5)
    store.inserter.insert(everything(2), "t2")

    assert store.list_rows(tables.RUNS, "run_id") == []
    assert "deleted" in store.list_rows(tables.EVENTS, "kind")
