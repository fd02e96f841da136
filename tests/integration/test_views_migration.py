"""Stores from before the views, and writers that died between two tables, end in the same views."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.contract.small_stores import BIRTH_S, StoreBuilder, random_blocks
from tests.integration.fixtures_engine import EngineProcess
from weir_store import inserter, tables
from weir_store.base import Block
from weir_store.clickhouse import ClickHouse, connect
from weir_store.errors import StoreUnavailable
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.records import RunRef

DERIVED = ("careful_corrected_mv", "careful_bent_mv", "careful_deleted_mv", "point_lives_mv")
DERIVED_TABLES = ("point_lives", "careful_runs", "shown")


class Store:
    def __init__(self, clickhouse: ClickHouse) -> None:
        self.clickhouse, self.database = clickhouse, f"v{uuid4().hex[:8]}"
        migrate(clickhouse, self.database)

    def put(self, *blocks: Block) -> None:
        for block in blocks:
            ClickHouseInserter(self.clickhouse, self.database).insert(block, uuid4().hex)

    def metrics(self) -> list[tuple[Any, ...]]:
        rows = self.clickhouse.query_rows(f"SELECT * FROM {self.database}.metrics ORDER BY ALL")
        return [tuple(map(repr, row)) for row in rows]

    def count(self, table: str) -> int:
        rows = self.clickhouse.query_rows(f"SELECT count() FROM {self.database}_raw.{table} FINAL")
        return int(rows[0][0])


@pytest.fixture
def store(engine: EngineProcess) -> Iterator[Store]:
    clickhouse = connect(engine.url)
    made = Store(clickhouse)
    yield made
    for database in (made.database, f"{made.database}_raw"):
        clickhouse.command(f"DROP DATABASE {database}")
    clickhouse.close()


def forked(project: str) -> Block:
    """A run that is rewound, and one that is forked from it."""
    builder = StoreBuilder()
    for run, born in (("a", 0), ("b", 7)):
        builder.add_run(RunRef(project, run))
        for step in range(10):
            ver = (BIRTH_S + born) << 32
            builder.add_point(RunRef(project, run), "loss", step + born, born + 0.5, ver=ver)
    builder.add_branch(RunRef(project, "a"), "a", 4, birth_s=BIRTH_S + 3)
    builder.add_branch(RunRef(project, "b"), "a", 6, birth_s=BIRTH_S + 7)
    return builder.take_block()


def test_a_store_from_before_shows_the_same_as_one_that_had_the_views(store: Store) -> None:
    store.put(forked("f"), *random_blocks("p", 3), *random_blocks("q", 4))
    raw = f"{store.database}_raw"
    before = store.metrics()
    derived = {table: store.count(table) for table in DERIVED_TABLES}
    assert all(derived.values())
    for name in (*DERIVED, *DERIVED_TABLES):
        store.clickhouse.command(f"DROP TABLE {raw}.{name} SYNC")
    store.clickhouse.command(
        f"ALTER TABLE {raw}.schema_versions DELETE WHERE number = 6 SETTINGS mutations_sync = 1"
    )

    assert migrate(store.clickhouse, store.database) == ["0006_shown"]

    assert {table: store.count(table) for table in DERIVED_TABLES} == derived
    assert store.metrics() == before


def test_migrating_again_changes_nothing_and_brings_back_what_was_lost(store: Store) -> None:
    store.put(forked("f"))
    before = store.metrics()
    store.clickhouse.command(f"TRUNCATE TABLE {store.database}_raw.{tables.SHOWN}")
    assert store.metrics() != before

    for _ in range(2):
        assert migrate(store.clickhouse, store.database) == []
        assert store.metrics() == before


def test_a_writer_that_died_behind_the_branches_is_made_good_by_the_block_that_comes_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object, **__: object) -> None:
        raise StoreUnavailable("killed")

    block, once = forked("f"), ClickHouseInserter(store.clickhouse, store.database)
    with monkeypatch.context() as patched:
        patched.setattr(inserter, "refresh", die)
        with pytest.raises(StoreUnavailable):
            once.insert(block, "token")
    assert store.count(tables.BRANCHES) == 2
    assert store.count(tables.SHOWN) == 0
    assert store.count(tables.INGEST_COMMITS) == store.count(tables.RUNS) == 0

    once.insert(block, "token")

    assert store.count(tables.SHOWN) == 2
    assert len(store.metrics()) == 5 + (5 + 10)


def test_late_news_of_an_ancestor_reach_all_that_were_forked_from_it(store: Store) -> None:
    builder, runs = StoreBuilder(), ["r0", "r1", "r2"]
    for depth, run in enumerate(runs):
        ref = RunRef("p", run)
        builder.add_run(ref)
        builder.add_point(ref, "loss", 20 + depth, depth, ver=(BIRTH_S + 9 * depth) << 32)
        if depth:
            builder.add_branch(ref, runs[depth - 1], 25, birth_s=BIRTH_S + 9 * depth)
    store.put(builder.take_block())
    count = f"SELECT run_id, count() FROM {store.database}.metrics GROUP BY run_id ORDER BY run_id"
    assert store.clickhouse.query_rows(count) == [("r0", 1), ("r1", 2), ("r2", 3)]

    # Before anybody left it, the root had been rewound to step 2: told late.
    builder.add_branch(RunRef("p", "r0"), "r0", 2, birth_s=BIRTH_S + 5)
    store.put(builder.take_block())

    assert store.clickhouse.query_rows(count) == [("r1", 1), ("r2", 2)]
