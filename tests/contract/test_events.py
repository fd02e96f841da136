"""One suite for both readers: what happened to a run, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest

from tests.integration.fixtures_engine import EngineProcess
from tests.unit.server import frames
from weir_proto.v1 import ingest_pb2
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store.base import Inserter, Reader
from weir_store.clickhouse import connect
from weir_store.editor import Editor
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import RunRef

START_US = frames.ACCEPTED_UNIX_US


class Store(NamedTuple):
    inserter: Inserter
    reader: Reader

    def put(self, ref: RunRef, body: ingest_pb2.Body, **more: Any) -> None:
        source = frames.entry(body, project=ref.project, run_id=ref.run_id, **more)
        self.inserter.insert(build_block([unpack(source)]), uuid4().hex)


@pytest.fixture(scope="module")
def connection(engine: EngineProcess) -> Iterator[Store]:
    clickhouse, database = connect(engine.url), "events_contract"
    migrate(clickhouse, database)
    yield Store(ClickHouseInserter(clickhouse, database), ClickHouseReader(clickhouse, database))
    clickhouse.close()


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        memory = MemoryStore()
        return Store(memory, MemoryReader(memory))
    found: Store = request.getfixturevalue("connection")
    return found


@pytest.fixture
def ref() -> RunRef:
    return RunRef(f"p-{uuid4().hex}", "run")


def told(*kinds: str, severity: str = "info") -> ingest_pb2.Body:
    """Return a body with an event of each kind, a second apart."""
    body = ingest_pb2.Body(schema=1)
    for number, kind in enumerate(kinds):
        body.events.add(
            event_id=uuid4().bytes,
            time_unix_us=START_US + number * 1_000_000,
            kind=kind,
            severity=severity,
            title=f"the {kind}",
        )
    return body


def test_events_come_newest_first_with_everything_said_of_them(store: Store, ref: RunRef) -> None:
    event_id = uuid4()
    body = told("checkpoint")
    body.events.add(
        event_id=event_id.bytes,
        time_unix_us=START_US + 5_000_001,
        kind="alert",
        severity="error",
        title="loss is NaN — größer",
        body="since 9",
        has_step=True,
        step=0,
        attrs={"metric": "loss", "ü": "\t"},
    )
    store.put(ref, body, rank=3)

    page = store.reader.list_events(ref)

    assert [event.kind for event in page.events] == ["alert", "checkpoint"]
    newest, oldest = page.events
    assert (newest.event_id, newest.time_unix_us) == (UUID(int=event_id.int), START_US + 5_000_001)
    assert (newest.severity, newest.title, newest.body) == (
        "error",
        "loss is NaN — größer",
        "since 9",
    )
    assert (newest.step, newest.rank, newest.attrs) == (0, 3, {"metric": "loss", "ü": "\t"})
    assert (oldest.step, oldest.attrs) == (None, {})


def test_kinds_severity_and_limit_choose_and_the_total_says_how_many(
    store: Store, ref: RunRef
) -> None:
    store.put(ref, told("a", "b", "a"), seq=1)
    store.put(ref, told("a", "c", severity="critical"), seq=2)
    reader = store.reader

    def kinds(**asked: Any) -> tuple[list[str], int]:
        page = reader.list_events(ref, **asked)
        return [event.kind for event in page.events], page.total

    assert sorted(kinds()[0]) == ["a", "a", "a", "b", "c"]
    assert kinds(kinds=["a"]) == (["a", "a", "a"], 3)
    assert sorted(kinds(kinds=["b", "c"])[0]) == ["b", "c"]
    assert sorted(kinds(min_severity="warn")[0]) == ["a", "c"]
    assert kinds(limit=1) == (["a"], 5)
    assert kinds(kinds=["none"]) == ([], 0)


def test_what_the_server_finds_is_listed_beside_what_the_process_told(
    store: Store, ref: RunRef
) -> None:
    body = told("alert")
    body.losses.add(reason="disk_full", points=3)
    store.put(ref, body, rejects=[ingest_pb2.Reject(code="TEXT_TOO_LONG", count=2)])
    found = {event.kind: event.severity for event in store.reader.list_events(ref).events}
    assert found == {"alert": "info", "loss": "error", "rejected": "warn"}


def test_a_replayed_event_is_listed_once(store: Store, ref: RunRef) -> None:
    body = told("alert")
    store.put(ref, body)
    store.put(ref, body)
    assert store.reader.list_events(ref).total == 1


def test_wrong_questions_and_runs_that_do_not_exist_are_refused(store: Store, ref: RunRef) -> None:
    with pytest.raises(UnknownRun):
        store.reader.list_events(ref)
    store.put(ref, told("alert"))
    for wrong in ({"limit": 0}, {"limit": 10_001}, {"min_severity": "loud"}):
        with pytest.raises(InvalidQuery):
            store.reader.list_events(ref, **wrong)
    Editor(store.inserter).delete_run(ref, by="ann", at_unix_us=START_US)
    with pytest.raises(UnknownRun):
        store.reader.list_events(ref)
