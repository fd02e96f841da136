"""An insert that stored nothing never ends as success: what goes wrong behind the parser is told."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest

from tests.integration.fixtures_engine import EngineProcess
from weir_store.clickhouse import ClickHouse, connect
from weir_store.errors import StoreError, StoreRejected, StoreUnavailable

TOKEN = {"insert_deduplication_token": "t", "async_insert": 0}


@pytest.fixture
def store(engine: EngineProcess) -> Iterator[tuple[ClickHouse, str]]:
    clickhouse, database = connect(engine.url), f"i{uuid4().hex[:8]}"
    clickhouse.command(f"CREATE DATABASE {database}")
    yield clickhouse, database
    clickhouse.command(f"DROP DATABASE {database}")
    clickhouse.close()


def make_table(store: tuple[ClickHouse, str], name: str, more: str = "", **settings: int) -> str:
    clickhouse, database = store
    settings = {"non_replicated_deduplication_window": 100, **settings}
    listed = ", ".join(f"{key} = {value}" for key, value in settings.items())
    clickhouse.command(
        f"CREATE TABLE {database}.{name} (a Float64) ENGINE = MergeTree {more} ORDER BY a"
        f" SETTINGS {listed}"
    )
    return f"{database}.{name}"


def rows(*values: float) -> pa.Table:
    return pa.table({"a": pa.array(values, pa.float64())})


def count(store: tuple[ClickHouse, str], table: str) -> int:
    return int(store[0].query_rows(f"SELECT count() FROM {table}")[0][0])


def test_a_violated_constraint_is_told(store):
    table = make_table(store, "t")
    store[0].command(f"ALTER TABLE {table} ADD CONSTRAINT small CHECK a < 10")
    with pytest.raises(StoreRejected, match="small"):
        store[0].insert_arrow(table, rows(1, 17))
    assert count(store, table) == 0


def test_too_many_parts_are_told(store):
    table = make_table(store, "t", parts_to_throw_insert=1)
    store[0].insert_arrow(table, rows(1))
    with pytest.raises(StoreUnavailable, match="Too many parts"):
        store[0].insert_arrow(table, rows(2))
    assert count(store, table) == 1


def test_too_many_partitions_are_told(store):
    table = make_table(store, "t", more="PARTITION BY toInt64(a)")
    with pytest.raises(StoreError, match="partitions"):
        store[0].insert_arrow(table, rows(*range(200)))
    assert count(store, table) == 0


def test_a_view_that_throws_is_told_and_the_retry_fills_it_once(store):
    """F15: the base rows are there, the answer is an error, the same insert again completes it."""
    base, target = make_table(store, "base"), make_table(store, "target")
    switch = make_table(store, "switch")
    store[0].command(
        f"CREATE MATERIALIZED VIEW {store[1]}.view TO {target} AS SELECT a + throwIf((SELECT count()"
        f" FROM {switch}) > 0, 'the view throws') AS a FROM {base}"
    )
    store[0].insert_arrow(switch, rows(1))
    settings = {**TOKEN, "deduplicate_blocks_in_dependent_materialized_views": 1}
    with pytest.raises(StoreUnavailable, match="the view throws"):
        store[0].insert_arrow(base, rows(1, 2, 3), settings)
    store[0].command(f"TRUNCATE TABLE {switch}")
    for _ in range(2):
        store[0].insert_arrow(base, rows(1, 2, 3), settings)
    assert (count(store, base), count(store, target)) == (3, 3)


def test_a_disk_that_takes_no_more_is_told_and_the_retry_stores_once(store, engine):
    """F13: a limit on the size of files stands for a full disk."""
    table = make_table(store, "t")
    many = pa.table({"a": np.random.default_rng(0).random(400_000)})
    before = resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    try:
        with pytest.raises(StoreUnavailable):
            store[0].insert_arrow(table, many, TOKEN)
    finally:
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, before)
    assert count(store, table) == 0
    for _ in range(2):
        store[0].insert_arrow(table, many, TOKEN)
    assert count(store, table) == 400_000


def test_rows_too_many_for_memory_go_over_the_disk(store):
    table = make_table(store, "t")
    many = pa.table({"a": np.arange(9_000_000, dtype="<f8")})  # 72 MB
    store[0].insert_arrow(table, many, TOKEN)
    assert count(store, table) == 9_000_000
