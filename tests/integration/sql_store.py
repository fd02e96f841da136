"""A small store for SQL tests: two projects, one of them nobody's business, and views of our own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from weir_store.clickhouse import ClickHouse
from weir_store.sql.reader import ClickHouseSql
from weir_store.views.catalog import View

DATA = Path(__file__).parent.parent / "data" / "sql"
CANARY = "c4n4ry0fTheOthers"  # stands in every text of the other project, and in a file
MINE = "m1neAl0ne"  # stands in every text of our project
OURS, OTHERS = "ours", "others"
VIEWS = tuple(View(name, "", (), "") for name in ("metrics", "params", "runs", "system"))

_TABLES = {
    "metrics": "run_id String, metric String, rank UInt32, step Int64, time DateTime64(6, 'UTC'), value Float64",
    "params": "run_id String, path String, value String",
    "runs": "run_id String, name String, state String, tags Array(String), facts Map(String, String)",
    "system": "run_id String, metric String, time DateTime64(6, 'UTC'), value Float64",
}
_KEYS = {"metrics": "project, run_id, metric, step, rank", "system": "project, run_id, time"}


@dataclass(frozen=True, slots=True)
class SqlStore:
    """Where the views are: `database` shows all projects, `ours` shows one; `asking` asks the first."""

    clickhouse: ClickHouse
    database: str
    ours: str
    asking: ClickHouseSql

    def reader(self, **options: float) -> ClickHouseSql:
        """Return a reader of the views."""
        return ClickHouseSql(self.clickhouse, self.database, views=VIEWS, **options)  # type: ignore[arg-type]

    def fingerprint(self) -> object:
        """Return what changes when anything in the store does."""
        tables = self.clickhouse.query_rows(
            "SELECT database, name, engine, total_rows, create_table_query FROM system.tables"
            " WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') ORDER BY ALL"
        )
        rows = [
            self.clickhouse.query_rows(
                f"SELECT count(), sum(cityHash64(*)) FROM {self.database}_raw.{name}"
            )
            for name in _TABLES
        ]
        functions = self.clickhouse.query_rows(
            "SELECT count() FROM system.functions WHERE origin != 'System'"
        )
        return tables, rows, functions


def make_store(clickhouse: ClickHouse) -> SqlStore:
    """Fill a store of its own."""
    name = f"q{uuid4().hex[:8]}"
    raw, ours = f"{name}_raw", f"{name}_ours"
    for database in (raw, name, ours):
        clickhouse.command(f"CREATE DATABASE {database}")
    for table, columns in _TABLES.items():
        key = _KEYS.get(table, "project, run_id")
        clickhouse.command(
            f"CREATE TABLE {raw}.{table} (project String, {columns}) ENGINE = MergeTree ORDER BY ({key})"
        )
        clickhouse.command(f"CREATE VIEW {name}.{table} AS SELECT * FROM {raw}.{table}")
        clickhouse.command(
            f"CREATE VIEW {ours}.{table} AS SELECT * FROM {raw}.{table} WHERE project = '{OURS}'"
        )
    for project, text in ((OURS, MINE), (OTHERS, CANARY)):
        _fill(clickhouse, raw, project, text)
    for table in _TABLES:
        # Both in one part and one granule: else the primary key alone keeps the others' rows away.
        clickhouse.command(f"OPTIMIZE TABLE {raw}.{table} FINAL")
    return SqlStore(clickhouse, name, ours, ClickHouseSql(clickhouse, name, views=VIEWS))


def drop_store(store: SqlStore) -> None:
    """Remove it."""
    for database in (store.ours, store.database, f"{store.database}_raw"):
        store.clickhouse.command(f"DROP DATABASE IF EXISTS {database}")


def _fill(clickhouse: ClickHouse, raw: str, project: str, text: str) -> None:
    clickhouse.command(
        f"INSERT INTO {raw}.metrics SELECT '{project}', concat('r', toString(number % 3 + 1)), "
        "['loss', 'acc'][intDiv(number, 3) % 2 + 1], intDiv(number, 6) % 2, intDiv(number, 12) AS at, "
        "toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + at, "
        "multiIf(number = 50, nan, number = 51, inf, 1 / (1 + at) + number % 3) FROM numbers(360)"
    )
    clickhouse.command(
        f"INSERT INTO {raw}.params SELECT '{project}', concat('r', toString(number % 3 + 1)), "
        f"['lr', 'name'][intDiv(number, 3) + 1], "
        f"if(number < 3, toString(0.02 * (number + 1)), '{text}') FROM numbers(6)"
    )
    clickhouse.command(
        f"INSERT INTO {raw}.runs SELECT '{project}', concat('r', toString(number + 1)), "
        f"concat('{text} ', toString(number)), 'finished', [['best', 'a'], ['b'], []][number + 1], "
        f"map('gpu', '{text}') FROM numbers(3)"
    )
    clickhouse.command(
        f"INSERT INTO {raw}.system SELECT '{project}', concat('r', toString(number % 3 + 1)), 'power', "
        "toDateTime64('2024-01-01 00:00:00', 6, 'UTC') + intDiv(number, 3) * 2, 100 + number FROM numbers(45)"
    )


def statements(name: str) -> list[str]:
    """Return the paragraphs of a file of tests/data/sql, without those that only comment."""
    paragraphs = (DATA / name).read_text().split("\n\n")
    return [
        paragraph.strip()
        for paragraph in paragraphs
        if paragraph.strip()
        and not all(line.startswith("-- ") for line in paragraph.strip().splitlines())
    ]


def with_reasons(name: str) -> list[tuple[str, str]]:
    """Return (reason, statement) of each paragraph that begins with `-- reason`."""
    pairs = []
    for paragraph in (DATA / name).read_text().split("\n\n")[1:]:
        reason, _, text = paragraph.strip().partition("\n")
        pairs.append((reason.removeprefix("-- "), text))
    return pairs
