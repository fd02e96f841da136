"""Pages of runs for those who may see some runs: both stores list and count these alone."""

from __future__ import annotations

import uuid

import pytest

from tests.contract.small_stores import NOW_UNIX_US, StoreBuilder
from weir_store.base import Reader
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.reader import ClickHouseReader
from weir_store.records import RunQuery, RunRef

DATABASE = "runs_allowed_contract"


@pytest.fixture(params=["memory", "clickhouse"])
def reader(request: pytest.FixtureRequest) -> Reader:
    rows = StoreBuilder()
    for project in ("a", "b"):
        for number in range(4):
            rows.add_run(RunRef(project, f"r{number}"))
    block = rows.take_block()
    if request.param == "memory":
        store = MemoryStore()
        store.insert(block, "")
        return MemoryReader(store, now_unix_us=lambda: NOW_UNIX_US)
    connection = request.getfixturevalue("connection")
    ClickHouseInserter(connection, DATABASE).insert(block, uuid.uuid4().hex)
    return ClickHouseReader(connection, DATABASE, now_unix_us=lambda: NOW_UNIX_US)


def listed(reader: Reader, **query) -> tuple[set[RunRef], int]:
    page = reader.list_runs(RunQuery(**query))
    return {run.ref for run in page.runs}, page.total


def test_only_the_runs_that_are_allowed_are_listed_and_counted(reader):
    allowed = (RunRef("a", "r1"), RunRef("b", "r2"))
    assert listed(reader, runs_allowed=allowed) == (set(allowed), 2)
    assert listed(reader, project="a", runs_allowed=allowed) == ({RunRef("a", "r1")}, 1)
    assert listed(reader, runs_allowed=allowed, limit=1)[1] == 2


def test_no_filter_and_no_order_reaches_beyond_them(reader):
    allowed = (RunRef("a", "r1"),)
    where = "id = 'r1' OR id = 'r2' OR project = 'b'"
    assert listed(reader, where=where, runs_allowed=allowed) == (set(allowed), 1)
    assert listed(reader, order_by="-created", runs_allowed=allowed) == (set(allowed), 1)


def test_projects_and_runs_both_have_to_allow_it(reader):
    allowed = (RunRef("a", "r1"), RunRef("b", "r2"))
    only_b = listed(reader, projects_allowed=("b",), runs_allowed=allowed)
    assert only_b == ({RunRef("b", "r2")}, 1)


def test_allowing_no_run_shows_none(reader):
    assert listed(reader, runs_allowed=()) == (set(), 0)
    assert listed(reader, runs_allowed=(RunRef("a", "nosuch"),)) == (set(), 0)
