from string import Template

import pytest

from weir_store.errors import SchemaMismatch
from weir_store.migrate import Migration, list_migrations, placeholders, plan, split_statements

ONE, TWO = Migration(1, "one", "SELECT 1;"), Migration(2, "two", "SELECT 2;")


def test_what_is_missing_is_planned_in_order() -> None:
    assert plan([ONE, TWO], {}) == [ONE, TWO]
    assert plan([ONE, TWO], {1: ONE.sha256}) == [TWO]
    assert plan([ONE, TWO], {1: ONE.sha256, 2: TWO.sha256}) == []


def test_a_newer_store_is_refused() -> None:
    with pytest.raises(SchemaMismatch, match="upgrade weir"):
        plan([ONE], {1: ONE.sha256, 2: TWO.sha256})


def test_a_changed_file_is_refused() -> None:
    with pytest.raises(SchemaMismatch, match="0001_one"):
        plan([ONE, TWO], {1: "0" * 64})


def test_numbers_are_dense_and_unique() -> None:
    assert [migration.number for migration in list_migrations()] == [
        *range(1, len(list_migrations()) + 1)
    ]


COLLAPSING = {"point_lives", "careful_runs"}
"""Tables in which a row that is there already changes nothing: min and max, or the whole row is its key."""


@pytest.mark.parametrize("cluster", ["", "main"])
def test_every_shipped_statement_may_be_run_twice(cluster: str) -> None:
    for migration in list_migrations():
        text = Template(migration.text).substitute(placeholders("weir", cluster))
        for statement in split_statements(text):
            if statement.split()[:2] == ["INSERT", "INTO"]:
                assert statement.split()[2].removeprefix("weir_raw.") in COLLAPSING
                continue
            assert "IF NOT EXISTS" in statement.splitlines()[0]
            assert ("ON CLUSTER 'main'" in statement) == bool(cluster)


def test_a_semicolon_inside_a_line_ends_no_statement() -> None:
    text = "-- a; b;\nSELECT ';' AS a,\n 2;\n\nSELECT 3;  \n"

    assert split_statements(text) == ["SELECT ';' AS a,\n 2", "SELECT 3"]
