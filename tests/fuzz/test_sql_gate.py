"""SQL that nobody would write: refused, or harmless by the word of ClickHouse's own analyser."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.fixtures_engine import EngineProcess
from tests.integration.sql_store import (
    CANARY,
    OURS,
    VIEWS,
    SqlStore,
    drop_store,
    make_store,
    statements,
    with_reasons,
)
from weir_store.clickhouse import connect
from weir_store.errors import StoreError
from weir_store.sql import functions
from weir_store.sql.base import Limits, Question, Refused, Rights
from weir_store.sql.gate import admit

TIGHT = Limits(seconds=1, memory_bytes=128 << 20, rows_read=1_000_000, result_bytes=4 << 20)
OUR_RIGHTS = Rights((OURS,))
GOOD = statements("good.sql")
SEEDS = GOOD + [text for _, text in with_reasons("hostile.sql")]
PIECES = re.compile(r"\s+|'[^']*'|`[^`]*`|\"[^\"]*\"|\w+|.", re.S)
WORDS = (
    "SELECT", "FROM", "WHERE", "WITH", "AS", "IN", "NOT IN", "GLOBAL IN", "UNION ALL", "EXCEPT", "INTERSECT",
    "JOIN", "ASOF JOIN", "ARRAY JOIN", "ON", "USING", "GROUP BY", "ORDER BY", "LIMIT", "BY", "OFFSET",
    "SETTINGS", "FORMAT", "INTO OUTFILE", "FINAL", "SAMPLE", "PREWHERE", "EXISTS", "CASE", "WHEN", "THEN",
    "END", "OVER", "WINDOW", "RECURSIVE", "INTERVAL", "DISTINCT", "*", "(", ")", ")", "(", ",", ".", "::", "->",
    "?", ":", "[", "]", "{", "}", ";", "--", "/*", "*/", "#", "'", "''", "\\'", "\\", "`", '"', "$$", "$a$",
    "\0", "\n", "\u00a0", "\u2018", "\u202e", "é", "\ud800", "RAW.params", "RAW", "params", "metrics", "runs",
    "DB.params", "system.one", "project", "others", "`weir view`", "file('FILE')", "url('http://127.0.0.1:1')",
    "merge('RAW', '.*')", "numbers(3)", "view(SELECT 1)", "value", "1", "-1", "{t:Identifier}", "{p:String}",
    "throwIf(value LIKE 'c4n4%')", "toFloat64(value)", "dictGet('a', 'b', 1)", "x -> x", "project = 'others'",
    "OR 1", "nan", "0x1F", "1e9", "a", "b", "NULL", "TRUE", "AND", "OR", "NOT", "LIKE", "BETWEEN",
)  # fmt: skip
# What ClickHouse's analyser makes of operators and of calls by other names.
INTERNAL = {
    "in", "exists", "_cast", "lambda", "arrayjoin", "nullin", "notnullin", "indexhint",
    "globalin", "scalarsubquery", "__groupingforgroupingsets", "__groupingforrollup", "__groupingforcube",
    "__groupingordinary", "nothingnull", "any_respect_nulls", "anylast_respect_nulls",
    "getsubcolumn", "__getscalar", "equals", "tupleelement", "arrayelement",
}  # fmt: skip


@pytest.fixture(scope="module")
def store(engine: EngineProcess) -> Iterator[SqlStore]:
    clickhouse = connect(engine.url)
    made = make_store(clickhouse)
    before = made.fingerprint()
    yield made
    assert made.fingerprint() == before, "a statement changed something"
    drop_store(made)
    clickhouse.close()


def judge(store: SqlStore, text: str) -> None:
    """Ask, and hold what comes back against what may be known."""
    text = text.replace("RAW", f"{store.database}_raw").replace("DB", store.database)
    question = Question(text, OUR_RIGHTS, parameters={"p": "1"}, limits=TIGHT)
    reader = store.asking
    try:
        admitted = reader.admit(question)
    except Refused:
        return
    assert_harmless(store, admitted.sql)
    try:
        answer = reader.ask(question)
        said = repr([list(row.values()) for batch in answer.batches for row in batch.to_pylist()])
    except StoreError as error:
        said = str(error)
        assert "Code: 395" not in said, text
        if CANARY in text:
            return
    assert CANARY not in said or f"{CANARY}" in text, text


def assert_harmless(store: SqlStore, sql: str) -> None:
    """Ask ClickHouse which tables and functions it sees in what the gate wrote."""
    try:
        used = {"p": "1"} if "{p:" in sql else None
        tree = store.clickhouse.query_rows(f"EXPLAIN QUERY TREE {sql}", used)
    except StoreError:
        return  # it makes no sense to ClickHouse, so it does not run
    plan = "\n".join(line for (line,) in tree)
    views = {f"{store.database}.{view.name}" for view in VIEWS}
    for table in re.findall(r" table_name: ([^\s,]+)", plan):
        of_recursion = table.startswith("_temporary_and_external_tables.")
        assert of_recursion or table in views | {"system.one"}, sql
    for function in re.findall(r"table_function_name: (\w+)", plan):
        assert function in functions.TABLES, sql
    for function in re.findall(r"[^_]function_name: (\w+)", plan):
        allowed = functions.is_allowed(function) or function.lower().removeprefix("not") in INTERNAL
        assert allowed, f"{function} in {sql}"


def mutated(seed: int) -> str:
    """Return a good or a hostile statement with pieces of others, and of nowhere, in it."""
    rng = random.Random(seed)
    lightly = rng.random() < 0.5  # one change to a good one often leaves it good
    pieces = PIECES.findall(rng.choice(GOOD if lightly else SEEDS))
    other = PIECES.findall(rng.choice(SEEDS))
    for _ in range(1 if lightly else rng.randrange(1, 5)):
        at = rng.randrange(len(pieces) + 1)
        what = rng.randrange(5)
        if what == 0:
            pieces[at:at] = [" ", rng.choice(WORDS), " "]
        elif what == 1:
            del pieces[at : at + rng.randrange(1, 4)]
        elif what == 2:
            start = rng.randrange(len(other) + 1)
            pieces[at:at] = [" ", *other[start : start + rng.randrange(1, 12)], " "]
        elif what == 3 and at < len(pieces):
            pieces[at] = rng.choice(WORDS)
        else:
            pieces[at:at] = ["(SELECT ", rng.choice(WORDS), " FROM ", rng.choice(WORDS), ")"]
    return "".join(pieces)


@settings(max_examples=200)
@given(seed=st.integers(0, 2**48))
def test_a_mutated_statement_is_refused_or_harmless(store: SqlStore, seed: int) -> None:
    judge(store, mutated(seed))


EVIL = ["RAW.params", "system.one", "file('/etc/passwd')", "merge('RAW', '.*')", "{t:Identifier}"]
TABLES = ["params", "runs", "metrics", "DB.params", "numbers(3)", "w", *EVIL]
NAMES = [
    "value",
    "run_id",
    "project",
    "p.value",
    "x",
    "`weir view`.project",
    "1",
    "'others'",
    "{p:String}",
]


def expressions(queries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions of any depth over the columns of the views, with queries in them."""
    leaf = st.sampled_from([*NAMES, *EVIL])

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pair = st.tuples(inner, inner)
        return st.one_of(
            pair.map(lambda e: f"{e[0]} = {e[1]}"),
            pair.map(lambda e: f"({e[0]} OR {e[1]})"),
            pair.map(lambda e: f"if({e[0]} != '', {e[1]}, '')"),
            pair.map(lambda e: f"{e[0]} IN {e[1]}"),
            pair.map(lambda e: f"{e[0]} NOT IN ({e[1]})"),
            inner.map(lambda e: f"throwIf({e} LIKE 'c4n4%')"),
            inner.map(lambda e: f"toFloat64({e})"),
            inner.map(lambda e: f"CAST({e} AS String)"),
            inner.map(lambda e: f"groupArray({e})"),
            inner.map(lambda e: f"max({e}) OVER (PARTITION BY {e})"),
            inner.map(lambda e: f"arrayMap(project -> {e}, [1])"),
            inner.map(lambda e: f"{e} AS project"),
            queries.map(lambda q: f"({q})"),
            queries.map(lambda q: f"run_id IN ({q})"),
            queries.map(lambda q: f"EXISTS ({q})"),
        )

    return st.recursive(leaf, more, max_leaves=4)


def select(queries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One SELECT around other queries."""
    expression = expressions(queries)
    source = st.one_of(st.sampled_from(TABLES), queries.map(lambda q: f"({q})"))
    joined = st.tuples(
        source, st.sampled_from([", ", " JOIN ", " FULL JOIN ", " ANTI LEFT JOIN "]), source
    )
    sources = st.one_of(
        source,
        source.map(lambda s: f"{s} AS p"),
        joined.map(
            lambda j: (
                f"{j[0]} AS p{j[1]}{j[2]} AS q"
                + (" ON p.run_id = q.run_id" if "JOIN" in j[1] else "")
            )
        ),
    )
    start = st.one_of(
        st.just(""),
        queries.map(lambda q: f"WITH w AS ({q}) "),
        queries.map(lambda q: f"WITH params AS ({q}) "),
        expression.map(lambda e: f"WITH {e} AS project "),
        expression.map(lambda e: f"WITH {e} AS params "),
    )
    end = st.one_of(
        st.just(""),
        expression.map(lambda e: f" WHERE {e}"),
        expression.map(lambda e: f" GROUP BY {e} WITH TOTALS"),
        expression.map(lambda e: f" ORDER BY {e} LIMIT 1 BY {e}"),
        queries.map(lambda q: f" UNION ALL {q}"),
    )
    return st.tuples(start, st.one_of(st.just("*"), expression), sources, end).map(
        lambda s: f"{s[0]}SELECT {s[1]} FROM {s[2]}{s[3]}"
    )


SIMPLE = [
    "SELECT value FROM params",
    "SELECT * FROM RAW.params",
    "SELECT 'others'",
    "SELECT project FROM runs",
]
QUERIES = st.recursive(
    st.sampled_from(SIMPLE),
    select,
    max_leaves=5,
)  # fmt: skip


@settings(max_examples=150)
@given(text=QUERIES)
def test_a_statement_from_the_grammar_is_refused_or_harmless(store: SqlStore, text: str) -> None:
    judge(store, text)


def answered(text: str) -> None:
    """Pass the gate, or be refused by it: nothing else may happen."""
    with suppress(Refused):
        admit(text, OUR_RIGHTS, database="w", views=[view.name for view in VIEWS])


@settings(max_examples=300)
@given(st.lists(st.sampled_from(WORDS), max_size=16), st.sampled_from([" ", ""]))
def test_words_of_the_language_in_any_order_pass_or_are_refused(
    words: list[str], between: str
) -> None:
    answered(between.join(words))
    answered("SELECT " + between.join(words))


@settings(max_examples=200)
@given(st.text(max_size=200))
def test_any_text_passes_or_is_refused(text: str) -> None:
    answered(text)
    answered("SELECT '" + text)


@settings(max_examples=100)
@given(content=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_a_string_and_a_name_of_any_content_come_back_as_they_are(
    store: SqlStore, content: str
) -> None:
    escaped = content.replace("\\", "\\\\").replace("'", "\\'")
    answer = store.asking.ask(Question(f"SELECT '{escaped}' AS a", OUR_RIGHTS))
    assert [row["a"] for batch in answer.batches for row in batch.to_pylist()] == [content]
    if content and "\0" not in content:
        quoted = content.replace("\\", "\\\\").replace("`", "``")
        named = store.asking.ask(Question(f"SELECT 1 AS `x{quoted}`", OUR_RIGHTS))
        assert named.schema.names == [f"x{content}"]
        named.batches.close()  # type: ignore[attr-defined]


@settings(max_examples=60)
@given(project=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_project_of_any_name_sees_itself_and_nothing_else(store: SqlStore, project: str) -> None:
    if project == OURS or project == "others":
        return
    answer = store.asking.ask(Question("SELECT count() AS n FROM params", Rights((project,))))
    assert [row["n"] for batch in answer.batches for row in batch.to_pylist()] == [0]
