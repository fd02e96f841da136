import threading
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pyarrow as pa
import pytest

from tests.integration.fixtures_engine import EngineProcess
from weir_store import columns
from weir_store.clickhouse import ClickHouse, connect
from weir_store.codes import INSERT_SCHEMA_CODES, INVALID_QUERY_CODES, REJECTED_CODES, SCHEMA_CODES
from weir_store.errors import InvalidQuery, SchemaMismatch, StoreRejected, StoreUnavailable
from weir_store.migrate import check, list_migrations, migrate


@pytest.fixture
def clickhouse(engine: EngineProcess) -> Iterator[ClickHouse]:
    connection = connect(engine.url)
    yield connection
    connection.close()


@pytest.fixture
def database(clickhouse: ClickHouse) -> Iterator[str]:
    name = f"m{uuid4().hex[:8]}"
    yield name
    clickhouse.command(f"DROP DATABASE IF EXISTS {name}_raw")


def test_a_new_store_gets_every_migration_once(clickhouse: ClickHouse, database: str) -> None:
    assert migrate(clickhouse, database) == [migration.label for migration in list_migrations()]
    assert migrate(clickhouse, database) == []
    check(clickhouse, database)


def test_migrating_twice_at_once_ends_in_one_good_store(
    clickhouse: ClickHouse, database: str
) -> None:
    threads = [threading.Thread(target=migrate, args=(clickhouse, database)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    check(clickhouse, database)
    assert migrate(clickhouse, database) == []


def test_a_migration_that_was_cut_off_is_completed_by_the_next(
    clickhouse: ClickHouse, database: str
) -> None:
    migrate(clickhouse, database)
    clickhouse.command(f"DROP TABLE {database}_raw.sessions")
    clickhouse.command(
        f"ALTER TABLE {database}_raw.schema_versions DELETE WHERE number = 2 SETTINGS mutations_sync = 1"
    )

    assert migrate(clickhouse, database) == ["0002_runs"]
    assert clickhouse.query_rows(f"SELECT count() FROM {database}_raw.sessions") == [(0,)]


def test_a_process_does_not_start_on_a_store_without_tables(
    clickhouse: ClickHouse, database: str
) -> None:
    with pytest.raises(SchemaMismatch, match="weir migrate"):
        check(clickhouse, database)


def test_a_store_newer_than_the_release_is_left_alone(
    clickhouse: ClickHouse, database: str
) -> None:
    migrate(clickhouse, database)
    clickhouse.command(
        f"INSERT INTO {database}_raw.schema_versions (number, name, sha256) VALUES (9999, 'future', '{'0' * 64}')"
    )

    with pytest.raises(SchemaMismatch, match="9999"):
        migrate(clickhouse, database)
    with pytest.raises(SchemaMismatch, match="9999"):
        check(clickhouse, database)


def test_a_migration_whose_file_was_changed_after_it_was_applied_is_refused(
    clickhouse: ClickHouse, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(clickhouse, database)
    first, *rest = list_migrations()
    changed = [replace(first, text=first.text + "\n-- edited"), *rest]
    monkeypatch.setattr("weir_store.migrate.list_migrations", lambda: changed)

    with pytest.raises(SchemaMismatch, match=first.label):
        migrate(clickhouse, database)


@pytest.mark.parametrize("table", sorted(columns.BY_TABLE))
def test_the_writer_builds_every_column_of_a_table_and_no_other(
    clickhouse: ClickHouse, database: str, table: str
) -> None:
    migrate(clickhouse, database)

    described = [row[0] for row in clickhouse.query_rows(f"DESCRIBE {database}_raw.{table}")]

    assert described == columns.BY_TABLE[table].names


# ── what the driver's errors become ──────────────────────────────────────────


def test_a_question_that_is_wrong_is_not_worth_repeating(clickhouse: ClickHouse) -> None:
    for sql in ("SELEC 1", "SELECT no_such_column", "SELECT no_such_function(1)"):
        with pytest.raises(InvalidQuery):
            clickhouse.query_arrow(sql)
        with pytest.raises(InvalidQuery):
            clickhouse.query_rows(sql)
        with pytest.raises(InvalidQuery):
            list(clickhouse.stream_arrow(sql))


def test_a_table_that_is_missing_asks_for_a_migration(
    clickhouse: ClickHouse, database: str
) -> None:
    with pytest.raises(SchemaMismatch, match="weir migrate"):
        clickhouse.query_rows(f"SELECT 1 FROM {database}_raw.points")
    with pytest.raises(SchemaMismatch, match="weir migrate"):
        clickhouse.insert_arrow(f"{database}_raw.points", pa.table({"step": [1]}))


def test_a_column_that_is_missing_asks_for_a_migration(
    clickhouse: ClickHouse, database: str
) -> None:
    migrate(clickhouse, database)

    with pytest.raises(SchemaMismatch):
        clickhouse.insert_arrow(f"{database}_raw.points", pa.table({"no_such_column": [1]}))


def test_a_row_the_store_can_never_take_is_refused_for_good(
    clickhouse: ClickHouse, database: str
) -> None:
    migrate(clickhouse, database)

    with pytest.raises(StoreRejected):
        clickhouse.insert_arrow(f"{database}_raw.events", pa.table({"severity": ["catastrophic"]}))


def test_a_server_that_is_not_there_is_worth_waiting_for() -> None:
    nowhere = connect("http://127.0.0.1:9")

    with pytest.raises(StoreUnavailable):
        nowhere.query_rows("SELECT 1")
    with pytest.raises(StoreUnavailable):
        nowhere.insert_arrow("t", pa.table({"a": [1]}))


def test_a_connection_is_shared_by_threads(clickhouse: ClickHouse) -> None:
    answers: list[int] = []
    threads = [
        threading.Thread(
            target=lambda n=n: answers.append(
                clickhouse.query_rows("SELECT {n:UInt8} + 0", {"n": n})[0][0]
            )
        )
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == list(range(16))


def test_the_codes_we_sort_errors_by_are_clickhouse_s(clickhouse: ClickHouse) -> None:
    ours = {**SCHEMA_CODES, **INSERT_SCHEMA_CODES, **REJECTED_CODES, **INVALID_QUERY_CODES}

    rows = clickhouse.query_rows(
        "SELECT code, errorCodeToName(code) FROM (SELECT arrayJoin({codes:Array(Int32)}) AS code)",
        {"codes": sorted(ours)},
    )

    assert dict(rows) == ours
