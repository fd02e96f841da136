"""docs/sql.md, the catalogue and the database say the same of the views; every example and recipe runs as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.contract.small_stores import random_blocks
from tests.integration.fixtures_engine import EngineProcess
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.migrate import migrate
from weir_store.sql.base import Question, Rights
from weir_store.sql.reader import ClickHouseSql
from weir_store.views.apply import selects
from weir_store.views.catalog import VIEWS, View
from weir_store.views.page import reference

PAGE = (Path(__file__).parents[2] / "docs" / "sql.md").read_text("utf-8")
STATEMENTS = re.findall(r"```sql\n(.*?)\n```", PAGE, re.DOTALL)
PROJECT, DATABASE = "page", f"views_page_{uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def clickhouse(engine: EngineProcess) -> Iterator[ClickHouse]:
    connection = connect(engine.url)
    migrate(connection, DATABASE)
    for block in random_blocks(PROJECT, 1):
        ClickHouseInserter(connection, DATABASE).insert(block, uuid4().hex)
    yield connection
    for database in (DATABASE, f"{DATABASE}_raw"):
        connection.command(f"DROP DATABASE {database}")
    connection.close()


def described(clickhouse: ClickHouse, what: str) -> list[tuple[str, str]]:
    return [row[:2] for row in clickhouse.query_rows(f"DESCRIBE {what}")]


def named(view: View) -> list[tuple[str, str]]:
    return [(column.name, column.type) for column in view.columns]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_has_the_columns_of_the_catalogue(clickhouse: ClickHouse, view: View) -> None:
    assert described(clickhouse, f"TABLE {DATABASE}.{view.name}") == named(view)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_converts_no_column_behind_its_select(clickhouse: ClickHouse, view: View) -> None:
    select = dict(selects(DATABASE))[view.name]
    assert described(clickhouse, f"({select})") == named(view)


def test_the_database_holds_the_views_of_the_catalogue_and_nothing_else(
    clickhouse: ClickHouse,
) -> None:
    found = clickhouse.query_rows(
        "SELECT name, comment FROM system.tables WHERE database = {d:String}", {"d": DATABASE}
    )
    assert dict(found) == {view.name: view.about for view in VIEWS}


def test_every_view_has_the_column_that_rights_are_given_on() -> None:
    assert [view.name for view in VIEWS if view.columns[0].name != "project"] == []


def test_the_page_is_what_the_catalogue_says() -> None:
    assert reference() in PAGE


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda text: text.split("\n")[0][:60])
def test_every_statement_on_the_page_runs_as_it_stands(
    clickhouse: ClickHouse, statement: str
) -> None:
    sql = ClickHouseSql(clickhouse, DATABASE)
    given = {"run": "run0"} if "{run:" in statement else {}
    answer = sql.ask(Question(statement, Rights((PROJECT,)), given))
    assert sum(batch.num_rows for batch in answer.batches) >= 0
    assert answer.schema.names
