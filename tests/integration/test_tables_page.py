import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.integration.fixtures_engine import EngineProcess
from weir_store.clickhouse import connect
from weir_store.migrate import migrate

PAGE = Path(__file__).parents[2] / "docs" / "formats" / "tables.md"
ROW = re.compile(r"^\| `(\w+)` \| `(.+?)` \|", re.MULTILINE)


def on_the_page() -> dict[str, list[tuple[str, str]]]:
    _, *sections = PAGE.read_text("utf-8").split("\n## ")
    return {section.split("\n", 1)[0]: ROW.findall(section) for section in sections}


@pytest.fixture
def in_the_store(engine: EngineProcess) -> Iterator[dict[str, list[tuple[str, str]]]]:
    clickhouse, database = connect(engine.url), f"d{uuid4().hex[:8]}"
    migrate(clickhouse, database)
    names = clickhouse.query_rows(
        "SELECT name FROM system.tables WHERE database = {d:String} AND engine NOT IN ('MaterializedView', 'View')",
        {"d": f"{database}_raw"},
    )
    yield {
        name: [row[:2] for row in clickhouse.query_rows(f"DESCRIBE {database}_raw.{name}")]
        for (name,) in names
    }
    clickhouse.command(f"DROP DATABASE {database}_raw")
    clickhouse.close()


def test_the_page_names_every_table_and_column_with_its_type(
    in_the_store: dict[str, list[tuple[str, str]]],
) -> None:
    assert on_the_page() == in_the_store
