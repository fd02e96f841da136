"""What passes the gate means what was written: the same answer as ClickHouse gives itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.fixtures_engine import EngineProcess
from tests.integration.sql_store import (
    OURS,
    VIEWS,
    SqlStore,
    drop_store,
    make_store,
    statements,
)
from weir_store.clickhouse import connect
from weir_store.sql.base import Limits, Question, Rights
from weir_store.sql.gate import admit

GOOD = statements("good.sql")
ONE_THREAD = Limits(threads=1)  # sums of floats depend on who adds first
RIGHTS = {"every project": None, "our project": (OURS,)}


@pytest.fixture(scope="module")
def store(engine: EngineProcess) -> Iterator[SqlStore]:
    clickhouse = connect(engine.url)
    made = make_store(clickhouse)
    yield made
    drop_store(made)
    clickhouse.close()


def answer(table_rows: list[dict[str, object]]) -> list[str]:
    return [repr(row) for row in table_rows]


@pytest.mark.parametrize("rights", RIGHTS)
def test_a_good_statement_answers_through_the_gate_as_it_does_without(
    engine: EngineProcess, store: SqlStore, rights: str
) -> None:
    assert len(GOOD) >= 120
    projects = RIGHTS[rights]
    reader = store.asking
    database = store.ours if rights == "our project" else store.database
    direct = engine.client(database=database)
    for text in GOOD:
        written = text.replace("views.", f"{store.database}.")
        got = reader.ask(Question(written, Rights(projects), limits=ONE_THREAD))
        rows = [row for batch in got.batches for row in batch.to_pylist()]
        plain = text.replace("views.", f"{database}.")
        table = direct.query_arrow(
            plain.rstrip().rstrip(";") + "\n", use_strings=True, settings={"max_threads": 1}
        )
        assert got.schema.names == table.schema.names, text
        assert got.schema.types == table.schema.types, text
        ordered = "ORDER BY" in text.upper()
        mine, theirs = answer(rows), answer(table.to_pylist())
        assert (mine if ordered else sorted(mine)) == (theirs if ordered else sorted(theirs)), text


def test_a_statement_written_by_the_gate_passes_it_again_and_stays_as_it_is() -> None:
    views = [view.name for view in VIEWS]
    for text in GOOD:
        if "FILTER" in text or "WITH " in text:
            continue  # names that the gate gave are nobody's to use
        once = admit(text, Rights(), database="views", views=views).sql
        assert admit(once, Rights(), database="views", views=views).sql == once
