"""One suite for both stores: what people edit is stored, and who changed what from what stays."""

from __future__ import annotations

import json
from typing import NamedTuple
from uuid import uuid4

import pytest

from tests.contract.small_stores import BIRTH_S, StoreBuilder
from weir_store import clickhouse
from weir_store.base import Block, Inserter, Reader
from weir_store.editor import Editor
from weir_store.edits import Edits
from weir_store.errors import StoreUnavailable
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.reader import ClickHouseReader
from weir_store.records import Event, Run, RunRef

DATABASE = "edits_contract"
NOW_US = (BIRTH_S + 100) * 1_000_000


class Store(NamedTuple):
    inserter: Inserter
    reader: Reader

    def edit(self, ref: RunRef, edits: Edits, *, by: str = "ann", at_us: int = NOW_US) -> Run:
        Editor(self.inserter).edit_run(self.reader.get_run(ref), edits, by=by, at_unix_us=at_us)
        return self.reader.get_run(ref)

    def audit(self, ref: RunRef) -> list[Event]:
        return list(self.reader.list_events(ref, kinds=["edited"]).events)


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        memory = MemoryStore()
        return Store(memory, MemoryReader(memory))
    connection: clickhouse.ClickHouse = request.getfixturevalue("connection")
    return Store(ClickHouseInserter(connection, DATABASE), ClickHouseReader(connection, DATABASE))


@pytest.fixture
def ref(store: Store) -> RunRef:
    made, builder = RunRef(f"p-{uuid4().hex}", "run"), StoreBuilder()
    builder.add_run(made)
    builder.add_attr(made, "meta", "name", "first")
    builder.add_attr(made, "tag", "base", True)
    store.inserter.insert(builder.take_block(), uuid4().hex)
    return made


def test_every_field_that_changes_leaves_who_when_before_and_after(
    store: Store, ref: RunRef
) -> None:
    wanted = Edits(
        name="größe",
        notes="# why",
        group="g",
        job_type="eval",
        add_tags=("a, b",),
        remove_tags=("base",),
    )
    run = store.edit(ref, wanted)
    assert (run.name, run.notes, run.group, run.job_type) == ("größe", "# why", "g", "eval")
    assert run.tags == ("a, b",)
    audit = {event.attrs["field"]: event for event in store.audit(ref)}
    told = {field: (e.attrs["before"], e.attrs["after"]) for field, e in audit.items()}
    assert told == {
        "name": ("first", "größe"),
        "notes": ("", "# why"),
        "group": ("", "g"),
        "job_type": ("", "eval"),
        "tags": ('["base"]', '["a, b"]'),
    }
    for event in audit.values():
        assert (event.severity, event.attrs["by"], event.time_unix_us) == ("info", "ann", NOW_US)


def test_an_edit_that_changes_nothing_leaves_no_event(store: Store, ref: RunRef) -> None:
    run = store.edit(ref, Edits(name="first", group="", add_tags=("base",), remove_tags=("none",)))
    assert (run.name, run.tags) == ("first", ("base",))
    assert store.audit(ref) == []
    store.edit(ref, Edits(name="second", add_tags=("base",)))
    assert [event.attrs["field"] for event in store.audit(ref)] == ["name"]


def test_a_label_can_be_taken_away(store: Store, ref: RunRef) -> None:
    assert store.edit(ref, Edits(name="")).name == ""
    (event,) = store.audit(ref)
    assert (event.attrs["before"], event.attrs["after"]) == ("first", "")


def test_edits_of_two_people_in_one_second_are_both_in_the_audit(store: Store, ref: RunRef) -> None:
    before = store.reader.get_run(ref)
    editor = Editor(store.inserter)
    for by, name in (("ann", "of ann"), ("bob", "of bob")):
        editor.edit_run(before, Edits(name=name), by=by, at_unix_us=NOW_US)
    told = {(event.attrs["by"], event.attrs["after"]) for event in store.audit(ref)}
    assert told == {("ann", "of ann"), ("bob", "of bob")}
    assert store.reader.get_run(ref).name == "of bob"


def test_long_notes_are_kept_whole_and_shown_in_part(store: Store, ref: RunRef) -> None:
    notes = "é" * 30_000
    assert store.edit(ref, Edits(notes=notes)).notes == notes
    (event,) = store.audit(ref)
    assert 4_000 < len(event.attrs["after"].encode()) <= 4_096
    assert event.attrs["after"].startswith("ééé")
    assert event.attrs["after"].endswith("é …")


def test_many_tags_are_one_event(store: Store, ref: RunRef) -> None:
    store.edit(ref, Edits(add_tags=("x", "y")))
    (event,) = store.audit(ref)
    assert json.loads(event.attrs["after"]) == ["base", "x", "y"]


class _Breaking:
    """An inserter that goes away after so many inserts."""

    def __init__(self, inserter: Inserter, inserts: int) -> None:
        self.inserter, self.left = inserter, inserts

    def insert(self, block: Block, token: str) -> None:
        if not self.left:
            raise StoreUnavailable("gone")
        self.left -= 1
        self.inserter.insert(block, token)

    def read_committed(self, producers: object) -> dict[object, int]:
        return {}


@pytest.mark.parametrize("inserts", [0, 1])
def test_a_store_that_goes_away_never_keeps_an_edit_without_its_event(
    store: Store, ref: RunRef, inserts: int
) -> None:
    editor = Editor(_Breaking(store.inserter, inserts))  # type: ignore[arg-type]
    before = store.reader.get_run(ref)
    with pytest.raises(StoreUnavailable):
        editor.edit_run(before, Edits(name="second"), by="ann", at_unix_us=NOW_US)
    changed = store.reader.get_run(ref).name != "first"
    assert not changed or store.audit(ref)
    assert store.edit(ref, Edits(name="second")).name == "second"
    assert store.audit(ref)[0].attrs["after"] == "second"
