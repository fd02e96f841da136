"""Where a statement ends and what it is: told from ClickHouse's lexical rules, without an engine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_server.engine.errors import QueryFailed
from weir_server.engine.lexer import tokens
from weir_server.engine.statement import Kind, Statement, parse, refuse_outside


def told(sql: str | bytes) -> Statement:
    statement = parse(sql.encode() if isinstance(sql, str) else sql)
    assert statement is not None
    return statement


def code_of(sql: str | bytes) -> int:
    with pytest.raises(QueryFailed) as failed:
        told(sql)
    return failed.value.code


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT ';'",
        r"SELECT 'it\'s; fine'",
        "SELECT 'it''s; fine'",
        "SELECT 1 AS `a;b`",
        'SELECT 1 AS "a;""b"',
        "SELECT 1 -- ; comment",
        "SELECT 1 # ; comment",
        "SELECT 1 #! ; comment",
        "SELECT /* ; ' */ 1",
        "SELECT $$a;b$$",
        "SELECT $tag$ ; $$ ; $tag$",
        "SELECT ‘a; b’",
        "SELECT 1 AS “a; b”",
        "SELECT 1;",
        "SELECT 1 ; ; -- the end",
    ],
)
def test_one_statement_is_one_statement(sql: str) -> None:
    assert told(sql).kind is Kind.RESULT


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1; SELECT 2",
        "SELECT 1;DROP TABLE t",
        "SELECT ‘ ' ’; DROP TABLE t -- '",
        "SELECT 'a' ; SELECT 'b'",
        "SELECT $a$ $a$; DROP TABLE t",
        "SELECT /* /* */ 1; DROP TABLE t -- */",
        "; SELECT 1",
        "SET a = 1; SELECT 1",
        "INSERT INTO t SELECT 1; DROP TABLE t",
    ],
)
def test_several_statements_are_refused_with_clickhouses_code(sql: str) -> None:
    assert code_of(sql) == 62


@pytest.mark.parametrize("sql", ["", "  ", ";", "-- nothing", "/* nothing */"])
def test_an_empty_query_is_a_syntax_error(sql: str) -> None:
    assert code_of(sql) == 62


@pytest.mark.parametrize("sql", ["SELECT 'open", "SELECT `open", "SELECT 1 /* open; DROP TABLE t"])
def test_a_quote_that_never_closes_is_a_syntax_error(sql: str) -> None:
    assert code_of(sql) == 62


@pytest.mark.parametrize(
    ("sql", "head", "name", "rows"),
    [
        ("INSERT INTO t VALUES (1), (';')", "INSERT INTO t", "Values", " (1), (';')"),
        ("insert into t(a)values(1)", "insert into t(a)", "Values", "(1)"),
        ("INSERT INTO t FORMAT CSV\n1;2\n", "INSERT INTO t", "CSV", "1;2\n"),
        ("INSERT INTO t FORMAT CSV\r\n1;2\n", "INSERT INTO t", "CSV", "1;2\n"),
        ("INSERT INTO t (format) FORMAT TSV 1", "INSERT INTO t (format)", "TSV", "1"),
        ("INSERT INTO format VALUES (1)", "INSERT INTO format", "Values", " (1)"),
        ("INSERT INTO db.values FORMAT TSV\n1", "INSERT INTO db.values", "TSV", "1"),
        ("INSERT INTO `a`.`b` FORMAT TSV\n1", "INSERT INTO `a`.`b`", "TSV", "1"),
        ("INSERT INTO TABLE t FORMAT TSV\n1", "INSERT INTO TABLE t", "TSV", "1"),
        (
            "INSERT INTO t SETTINGS a = 'VALUES' FORMAT TSV\n1",
            "INSERT INTO t SETTINGS a = 'VALUES'",
            "TSV",
            "1",
        ),
        ("INSERT INTO t", "INSERT INTO t", "Values", ""),
        ("INSERT INTO t FORMAT Values (1)", "INSERT INTO t", "Values", " (1)"),
        ("INSERT INTO FUNCTION null('a Int8') FORMAT TSV\n1", None, "TSV", "1"),
    ],
)
def test_the_rows_of_an_insert_begin_where_clickhouse_says(
    sql: str, head: str | None, name: str, rows: str
) -> None:
    statement = told(sql)
    assert statement.kind is Kind.INSERT
    assert statement.format == name
    assert sql.encode()[statement.rows_at :] == rows.encode()
    assert head is None or statement.sql == head.encode()


def test_binary_rows_are_not_read_as_sql() -> None:
    rows = bytes(range(256)) + b"';`\"/*"
    statement = told(b"INSERT INTO t FORMAT Native\n" + rows)
    assert statement.rows_at == len(b"INSERT INTO t FORMAT Native\n")


def test_a_semicolon_between_format_and_rows_is_refused() -> None:
    assert code_of("INSERT INTO t FORMAT CSV ; 1") == 62


def test_an_insert_is_told_from_its_beginning_and_a_select_is_not() -> None:
    insert = parse(b"INSERT INTO t FORMAT CSV\n1,2,", complete=False)
    assert insert is not None
    assert insert.kind is Kind.INSERT
    assert parse(b"SELECT 1, 2, ", complete=False) is None
    assert parse(b"INSERT INTO t SELECT 1, ", complete=False) is None


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", Kind.RESULT),
        ("(SELECT 1) UNION ALL SELECT 2", Kind.RESULT),
        ("WITH 1 AS x SELECT x", Kind.RESULT),
        ("FROM t SELECT a", Kind.RESULT),
        ("show tables", Kind.RESULT),
        ("DESCRIBE TABLE t", Kind.RESULT),
        ("EXPLAIN SELECT 1", Kind.RESULT),
        ("EXISTS TABLE t", Kind.RESULT),
        ("CREATE TABLE t (a Int8) ENGINE = Memory", Kind.COMMAND),
        ("INSERT INTO t SELECT 1", Kind.COMMAND),
        ("INSERT INTO t WITH 1 AS x SELECT x", Kind.COMMAND),
        ("WITH 1 AS x INSERT INTO t SELECT x", Kind.COMMAND),
        ("SET max_threads = 1", Kind.COMMAND),
        ("KILL QUERY WHERE 1", Kind.COMMAND),
    ],
)
def test_a_statement_is_taken_for_what_it_is(sql: str, kind: Kind) -> None:
    assert told(sql).kind is kind


@pytest.mark.parametrize(
    ("sql", "name", "rest"),
    [
        ("SELECT 1", "", ""),
        ("SELECT 1 FORMAT JSON", "JSON", "FORMAT JSON"),
        ("SELECT 1 format `JSON` ;", "JSON", "format `JSON`"),
        (
            "SELECT 1 FORMAT TSV SETTINGS max_threads = 1",
            "TSV",
            "FORMAT TSV SETTINGS max_threads = 1",
        ),
        ("SELECT format FROM t", "", ""),
        ("SELECT 1 AS format SETTINGS a = 1", "", ""),
        ("SELECT (SELECT 1 FORMAT x)", "", ""),
        ("SELECT ' FORMAT JSON'", "", ""),
        ("SELECT 1 -- FORMAT JSON", "", ""),
    ],
)
def test_the_format_clause_is_found_and_only_that(sql: str, name: str, rest: str) -> None:
    statement = told(sql)
    assert statement.format == name
    assert statement.sql[statement.answer_at :] == rest.encode()


@pytest.mark.parametrize(
    "sql", ["SELECT 1 INTO OUTFILE 'x'", "SELECT 1 into /* */ outfile 'x' TRUNCATE FORMAT CSV"]
)
def test_into_outfile_is_refused(sql: str) -> None:
    assert code_of(sql) == 358


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        "INSERT INTO t (a) FROM /* */ INFILE $$x$$",
        "INSERT INTO t SETTINGS a = 1 FROM INFILE 'x' FORMAT CSV",
    ],
)
def test_from_infile_is_refused(sql: str) -> None:
    assert code_of(sql) == 78


def test_a_table_called_infile_is_a_table() -> None:
    assert told("SELECT * FROM infile").kind is Kind.RESULT


@pytest.mark.parametrize(
    "call",
    [
        "file('/etc/passwd')",
        "FILE ('/etc/passwd')",
        "`file`('/etc/passwd')",
        '"file"(1)',
        r"`\x66ile`('x')",
        "file /* */ ('x')",
        "url('http://x')",
        "remoteSecure('x')",
        "icebergS3Cluster('x')",
        "executable('x', CSV, 'a Int8')",
    ],
)
def test_a_readonly_query_cannot_reach_out_of_the_database(call: str) -> None:
    for sql in (f"SELECT * FROM {call}", f"SELECT {call}", f"SELECT 1 IN (SELECT * FROM {call})"):
        with pytest.raises(QueryFailed) as failed:
            refuse_outside(sql.encode(), readonly=True)
        assert failed.value.code == 164


def test_a_column_may_be_called_file() -> None:
    refuse_outside(b"SELECT file, url FROM t WHERE file = 'file(' AND x.file IN (1)", readonly=True)


def test_nobody_may_read_the_objects_of_the_process() -> None:
    with pytest.raises(QueryFailed):
        refuse_outside(b"SELECT * FROM Python(secrets)", readonly=False)


@given(st.binary(max_size=200))
def test_tokens_of_any_bytes_are_in_order_and_do_not_overlap(sql: bytes) -> None:
    end = 0
    for token in tokens(sql):
        assert end <= token.start < token.end <= len(sql)
        assert token.depth >= 0
        end = token.end
