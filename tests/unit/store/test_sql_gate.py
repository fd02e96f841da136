"""The gate's own promises: what it refuses it names, and where."""

from __future__ import annotations

import re
import sys
import threading
from contextlib import suppress
from inspect import signature
from pathlib import Path

import pytest
import sqlglot

from weir_store.errors import InvalidQuery
from weir_store.sql import functions, quoting
from weir_store.sql.base import Limits, Refused, Rights
from weir_store.sql.gate import admit
from weir_store.sql.lexer import MOST_CHARACTERS
from weir_store.sql.page import page
from weir_store.sql.reader import ClickHouseSql
from weir_store.sql.reading import MOST_DEPTH, MOST_TOKENS
from weir_store.sql.types import check_type
from weir_store.views.catalog import VIEWS as CATALOGUE
from weir_store.views.catalog import View

VIEWS = ("metrics", "runs", "params")
OURS = Rights(("ours",))


def written(text: str, rights: Rights = OURS) -> str:
    return admit(text, rights, database="weir", views=VIEWS).sql


def refusal(text: str) -> str:
    with pytest.raises(Refused) as refused:
        written(text)
    return str(refused.value)


def test_a_view_stands_behind_the_projects_of_the_asker() -> None:
    assert written("SELECT name FROM runs") == (
        "SELECT `name` FROM (SELECT * FROM `weir`.`runs` AS `weir view`"
        " WHERE `weir view`.`project` IN ('ours')) AS `runs`"
    )


def test_who_may_see_every_project_gets_the_view_itself() -> None:
    assert written("SELECT name FROM runs r", Rights()) == "SELECT `name` FROM `weir`.`runs` AS `r`"


def test_who_may_see_no_project_sees_no_row() -> None:
    assert "IN (SELECT '' WHERE 0)" in written("SELECT name FROM runs", Rights(()))


def test_every_reference_to_a_view_stands_behind_the_projects() -> None:
    text = written(
        "WITH a AS (SELECT * FROM runs) SELECT (SELECT count() FROM params) FROM a JOIN metrics m USING (run_id)"
        " WHERE run_id IN (SELECT run_id FROM weir.runs) UNION ALL SELECT 1 FROM params"
    )
    assert text.count("`weir`.") == text.count("`project` IN ('ours')") == 5


def test_project_names_are_quoted_whatever_they_hold() -> None:
    nasty = "a' OR 1=1 -- \\ ` \n é"
    text = written("SELECT 1 FROM runs", Rights((nasty,)))
    assert r"IN ('a\' OR 1=1 -- \\ \` \x0a é')" in text


def test_a_with_called_as_a_view_hides_it_where_it_is_in_sight_and_nowhere_else() -> None:
    text = written(
        "SELECT * FROM (WITH runs AS (SELECT 1 AS x) SELECT x FROM runs) AS a, runs AS b"
    )
    assert text.count("`weir`.`runs`") == 1
    assert "FROM `weir with 1 runs` AS `runs`" in text


def test_what_a_statement_reads_and_needs_is_said() -> None:
    admitted = admit(
        "SELECT {a:UInt8}, {b:String} FROM runs, params", OURS, database="weir", views=VIEWS
    )
    assert admitted.views == {"runs", "params"}
    assert admitted.parameters == {"a": "UInt8", "b": "String"}


def test_the_walled_form_lets_no_condition_through_to_the_rows_of_others() -> None:
    sql = admit("SELECT 1 FROM runs", OURS, database="weir", views=VIEWS, walled=True).sql
    assert "IN ('ours') LIMIT 9223372036854775807) AS `runs`" in sql


@pytest.mark.parametrize(
    ("text", "construct", "instead"),
    [
        (
            "SELECT *\nFROM  nothing",
            "the table nothing at line 2, column 7",
            "metrics, params, runs",
        ),
        ("SELECT file('x')", "the function file at line 1, column 8", "docs/sql-limits.md"),
        ("SELECT countt(1)", "the function countt at line 1", "did you mean"),
        (
            "SELECT 1 SETTINGS max_threads = 1",
            "SETTINGS at line 1, column 10",
            "leave SETTINGS out",
        ),
        ("SELECT 1 FORMAT CSV", "FORMAT at line 1, column 10", "choose the format"),
        ("SELECT 1 INTO OUTFILE 'x'", "INTO at line 1", "the answer comes to you"),
        ("SELECT * FROM runs FINAL", "FINAL at line 1, column 20", "once"),
        ("SELECT * FROM runs PREWHERE 1", "PREWHERE at line 1, column 20", "write WHERE"),
        ("SELECT * FROM runs SAMPLE 0.1", "SAMPLE at line 1, column 20", "cityHash64"),
        ("SELECT 1 IN runs", "a name on the right side of IN", "IN (SELECT"),
        ("SELECT 1 GLOBAL IN (1)", "GLOBAL at line 1", "leave GLOBAL out"),
        ("SELECT * FROM url('x')", "the table function url at line 1, column 15", "numbers"),
        ("SELECT 1; SELECT 2", "a second statement at line 1, column 9", "one SELECT"),
        ("DROP TABLE runs", "'DROP' at line 1, column 1", "one SELECT"),
        ("SELECT 'abc", "a quote ' that is not closed, at line 1, column 8", ""),
        ("SELECT ‘a’", "U+2018", "plain ASCII"),
        ("SELECT 1::JSON", "the type JSON", "docs/sql-limits.md"),
        ("SELECT {t:Identifier}", "the type Identifier", ""),
        ("SELECT {t}", "{t}", "{name:Type}"),
        ("SELECT DATE '2024-01-01'", "DATE '…'", "toDate"),
        ("SELECT FROM runs", "", ""),
        ("SELECT (1", "", ""),
        ("", "nothing to run", "write a SELECT"),
    ],
)
def test_a_refusal_names_the_construct_the_place_and_what_to_write_instead(
    text: str, construct: str, instead: str
) -> None:
    said = refusal(text)
    assert construct in said
    assert instead in said


def test_a_refusal_is_an_invalid_query_and_nothing_else_ever_leaves_the_gate() -> None:
    assert issubclass(Refused, InvalidQuery)
    for text in (
        "\0",
        "SELECT",
        "SELECT \ud800",
        "SELECT '\ud800'",
        "SELECT `\ud800`",
        "(",
        "\ufeff",
    ):
        refusal(text)


LONG = {
    "brackets": "SELECT " + "(" * 5_000 + "1" + ")" * 5_000,
    "brackets just inside": "SELECT " + "(" * MOST_DEPTH + "1" + ")" * MOST_DEPTH,
    "calls": "SELECT " + "abs(" * 5_000 + "1" + ")" * 5_000,
    "queries": "SELECT * FROM " + "(SELECT * FROM " * 24 + "runs" + ")" * 24,
    "many queries": "SELECT * FROM " + "(SELECT * FROM " * 900 + "runs" + ")" * 900,
    "a WITH in a WITH": "WITH a AS (" * 24 + "SELECT 1" + ") SELECT * FROM a" * 24,
    "lambdas": "SELECT arrayMap(" + "x -> " * 3_000 + "1, [1])",
    "lists in lists": "SELECT " + "[" * 24 + "]" * 24,
    "tuples in IN": "SELECT 1 IN " + "(1, " * 24 + "1" + ")" * 24,
    "cases": "SELECT " + "CASE WHEN " * 3_000 + "1" + " THEN 1 END" * 3_000,
    "nots": "SELECT " + "NOT " * 9_000 + "1",
    "minuses": "SELECT " + "- " * 9_000 + "1",
    "ands": "SELECT " + "1 AND " * 9_000 + "1",
    "unions": "SELECT 1 " + "UNION ALL SELECT 1 " * 4_000,
    "ternaries": "SELECT " + "1 ? 1 : " * 3_000 + "1",
    "betweens": "SELECT " + "1 BETWEEN 1 AND " * 3_000 + "1",
    "casts": "SELECT 1" + "::Int8" * 5_000,
    "CASTs in a row": "SELECT " + "CAST(1 AS Int8), " * 2_500 + "1",
    "indices": "SELECT a" + "[1]" * 5_000,
    "dots": "SELECT " + ".".join(["a"] * 5_000),
    "joins": "SELECT 1 FROM runs " + "JOIN runs USING (a) " * 2_000,
    "words": "SELECT " * 30_000,
    "semicolons": ";" * 200_000,
    "open brackets": "(" * 200_000,
    "quotes": "'" * 200_001,
    "backslashes": "SELECT '" + "\\" * 200_000,
    "comments": "SELECT 1 " + "/* */" * 50_000,
    "an open comment": "/*" * 100_000,
    "dollars": "".join(f"$a{i}$" for i in range(20_000)),
    "a long string": "SELECT '" + "é" * 250_000 + "'",
    "a long type": "SELECT 1::" + "Array(" * 24 + "Int8" + ")" * 24,
    "too long": "SELECT '" + "a" * MOST_CHARACTERS + "'",
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_or_a_deep_statement_is_answered(name: str) -> None:
    """Passed or refused: no crash, no recursion that gets out; the suite's time limit is the judge."""
    with suppress(Refused):
        written(LONG[name])


def test_how_deep_a_statement_may_be_does_not_hang_on_who_calls() -> None:
    deep = LONG["a WITH in a WITH"]
    assert written(deep)
    passed: list[str] = []

    def called(depth: int) -> None:
        if depth:
            called(depth - 1)
        else:
            passed.append(written(deep))

    thread = threading.Thread(target=called, args=(200,))
    thread.start()
    thread.join()
    assert passed
    assert sys.getrecursionlimit() <= 1_000 or passed


def test_limits_of_size_are_named() -> None:
    assert str(MOST_CHARACTERS) in refusal(LONG["too long"])
    assert str(MOST_TOKENS) in refusal("SELECT " + "1," * MOST_TOKENS + "1")
    assert str(MOST_DEPTH) in refusal(LONG["brackets"])


@pytest.mark.parametrize(
    "name", ["sumIf", "quantilesTimingIfOrNull", "COUNT", "avgWeightedIf", "groupArrayIf", "SUM"]
)
def test_aggregates_may_be_combined(name: str) -> None:
    assert functions.is_allowed(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "file",
            "url",
            "dictGet",
            "joinGet",
            "in",
            "globalIn",
            "sleep",
            "hostName",
            "currentUser",
            "getSetting",
        ),
        *("fileIf", "sumState", "sumMerge", "initializeAggregation", "", "OrNull", "addressToLine"),
    ],
)
def test_doors_are_not_among_the_functions(name: str) -> None:
    assert not functions.is_allowed(name)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Float64", "Float64"),
        ("Nullable( Array(String) )", "Nullable(Array(String))"),
        ("DateTime64(6, 'UTC')", "DateTime64(6, 'UTC')"),
        ("Tuple(a UInt8, `b` String)", "Tuple(`a` UInt8, `b` String)"),
        ("Enum8('a' = 1, 'b''c' = -2)", r"Enum8('a' = 1, 'b\'c' = -2)"),
        ("Map(String, Array(Int64))", "Map(String, Array(Int64))"),
    ],
)
def test_a_type_is_written_in_one_form(text: str, form: str) -> None:
    assert check_type(text) == form


@pytest.mark.parametrize(
    "text",
    [
        *(
            "AggregateFunction(uniq, String)",
            "Array(AggregateFunction(sum, Int8))",
            "Identifier",
            "JSON",
        ),
        *(
            "Float64) FROM x --",
            "Tuple(",
            "Array(",
            "Nested(a Int8)",
            "'a'",
            "1",
            "",
            "Float64 Float64",
        ),
    ],
)
def test_types_that_are_doors_or_no_types_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        check_type(text)


def test_strings_and_names_are_written_so_that_no_content_ends_them() -> None:
    assert quoting.string("a'b\\c\n`") == r"'a\'b\\c\x0a\`'"
    assert quoting.name('x`y"') == r"`x\`y\"`"
    assert quoting.string("\udcff") == r"'\xff'"


def test_the_parser_is_the_one_that_the_gate_was_tried_with() -> None:
    """Another sqlglot may read another shape: raise the pin together with the corpora."""
    assert sqlglot.__version__.startswith("30.30.")


# ── the page ─────────────────────────────────────────────────────────────────

PAGE = (Path(__file__).parents[3] / "docs" / "sql-limits.md").read_text()


def test_the_page_lists_the_functions_and_types_there_are_and_no_others() -> None:
    assert PAGE.endswith(f"<!-- Generated by `python -m weir_store.sql.page`. -->\n{page()}")


def test_the_page_names_the_bounds_and_limits_that_hold() -> None:
    limits, options = Limits(), signature(ClickHouseSql).parameters
    for said in (
        f"{MOST_CHARACTERS:,}".replace(",", " "),
        f"{MOST_TOKENS:,}".replace(",", " "),
        f"brackets {MOST_DEPTH} deep",
        f"| `seconds` | {limits.seconds:g} |",
        f"| `memory_bytes` | {limits.memory_bytes >> 30} GiB |",
        f"| `rows_read` | {limits.rows_read:,} |".replace(",", " "),
        f"| `result_rows` | {limits.result_rows:,} |".replace(",", " "),
        f"| `result_bytes` | {limits.result_bytes >> 30} GiB |",
        f"| `threads` | {limits.threads} |",
        f"| statements of one asker | {options['each'].default} |",
        f"| statements at once | {options['at_once'].default} | the next waits for {options['wait_s'].default:g} s",
        f"| an answer that nobody reads | {options['idle_s'].default:g} s |",
    ):
        assert said in PAGE


def test_every_refusal_that_the_page_shows_is_said_so() -> None:
    shown = PAGE.partition("```\n")[2].partition("```")[0].splitlines()
    said = [
        refusal(text)
        for text in ("SELECT file('x')", "SELECT * FROM runs FINAL", "SELECT 'a' IN tags FROM runs")
    ]
    assert shown == said


@pytest.mark.parametrize("view", CATALOGUE, ids=lambda view: view.name)
def test_the_example_of_every_view_passes(view: View) -> None:
    names = [each.name for each in CATALOGUE]
    assert view.name in admit(view.example, OURS, database="weir", views=names).views


def test_every_statement_of_the_pages_about_sql_passes() -> None:
    names = [each.name for each in CATALOGUE]
    blocks = [
        statement
        for pattern in ("sql*.md", "ranks.md", "rules.md")  # docs/export.md speaks DuckDB's SQL
        for file in sorted(Path(__file__).parents[3].glob(f"docs/{pattern}"))
        for block in re.findall(r"```sql\n(.*?)```", file.read_text(), re.S)
        for statement in block.split(";")
        if statement.strip()
    ]
    for statement in blocks:
        admit(statement, OURS, database="weir", views=names)
