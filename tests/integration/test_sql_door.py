"""The SQL door against those who mean harm, and those who are only slow; over a real engine."""

from __future__ import annotations

import asyncio
import base64
import gzip
import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa
import pytest

from tests.integration.fixtures_gateway import eventually
from tests.integration.fixtures_sql_door import (
    DATABASE,
    SECRET,
    STEPS,
    OpenDoor,
    running_door,
    sql_door,
    sql_store,
    sql_tokens,
)
from tests.integration.sql_store import statements
from weir_server.gateway.tokens import Role, create_token, revoke_token
from weir_server.http_door import bind_door
from weir_server.sql_door.formats import FORMATS
from weir_server.sql_door.statement import read_statement
from weir_server.sql_door.turns import Turns
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.sql.base import LimitReached
from weir_store.sql.raw import without_reasons

__all__ = ["sql_door", "sql_store", "sql_tokens"]

Tokens = tuple[Path, dict[str, str]]
# More than a socket's buffers hold, and quick to begin.
LONG = "SELECT number, randomPrintableASCII(200) FROM numbers(100000000)".replace(
    "randomPrintableASCII(200)", "repeat(toString(rand64(number)), 20)"
)


class Said:
    """An answer of the door."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body
        self.text = body.decode("utf-8", "replace")


def say(
    door: OpenDoor,
    statement: str | bytes = "",
    *,
    token: str | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
    **parameters: str,
) -> Said:
    """Send one request as bytes; `token` None = the reader's, "" = none."""
    connection = http.client.HTTPConnection("127.0.0.1", door.port, timeout=30)
    token = door.tokens["reader"] if token is None else token
    lines = {"X-ClickHouse-Key": token} if token else {}
    body = statement.encode() if isinstance(statement, str) else statement
    try:
        target = f"/?{urlencode(parameters)}" if parameters else "/"
        connection.request(method, target, body or None, {**lines, **(headers or {})})
        answer = connection.getresponse()
        return Said(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


# ── who comes in ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("way", ["basic", "bearer", "key", "password", "key and user"])
def test_a_token_is_taken_wherever_a_tool_can_put_it(sql_door: OpenDoor, way: str) -> None:
    token = sql_door.tokens["reader"]
    basic = base64.b64encode(f"whoever:{token}".encode()).decode()
    headers = {
        "basic": {"Authorization": f"Basic {basic}"},
        "bearer": {"Authorization": f"Bearer {token}"},
        "key": {"X-ClickHouse-Key": token},
        "key and user": {"X-ClickHouse-Key": token, "X-ClickHouse-User": "default"},
        "password": {},
    }[way]
    more = {"password": token} if way == "password" else {}
    said = say(sql_door, "SELECT count() FROM runs", token="", headers=headers, **more)
    assert (said.status, said.text) == (200, "2\n")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-ClickHouse-Key": "weir_wrong"},
        {"Authorization": "Basic %%%"},
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Bearer"},
        {"Authorization": "Digest x"},
        {"X-ClickHouse-User": "default", "X-ClickHouse-Key": ""},
    ],
)
def test_nobody_comes_in_without_a_good_token(sql_door: OpenDoor, headers: dict[str, str]) -> None:
    for statement in ("SELECT 1", "SELECT version()", "SHOW TABLES", ""):
        said = say(sql_door, statement, token="", headers=headers)
        assert said.status == 401
        assert said.text.startswith("Code: 516. DB::Exception: no valid token")
        assert said.headers["x-clickhouse-exception-code"] == "516"
        assert said.headers["www-authenticate"].startswith("Basic ")
    assert say(sql_door, token="", method="GET", headers=headers, query="SELECT 1").status == 401


def test_a_token_sees_its_projects_and_no_other(sql_door: OpenDoor) -> None:
    tokens = sql_door.tokens
    for who, projects in (("reader", "vision\n"), ("other", ""), ("admin", "private\nvision\n")):
        said = say(sql_door, "SELECT DISTINCT project FROM runs ORDER BY 1", token=tokens[who])
        assert said.text == projects
        points = say(sql_door, "SELECT count() FROM metrics", token=tokens[who])
        assert points.text == f"{STEPS * {'reader': 2, 'other': 0, 'admin': 3}[who]}\n"


def test_anybody_may_knock_but_learns_nothing(sql_door: OpenDoor) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", sql_door.port, timeout=10)
    connection.request("GET", "/ping")
    assert connection.getresponse().read() == b"Ok.\n"
    for path in ("/play", "/dashboard", "/replicas_status", "/metrics", "//", "/?/../x"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status in (401, 404), path
        answer.read()
    connection.close()


# ── what they may say ────────────────────────────────────────────────────────


def test_no_hostile_statement_gets_a_row_of_others_or_changes_anything(
    sql_store: ClickHouse, sql_tokens: Tokens
) -> None:
    with running_door(sql_store, sql_tokens, sql_seconds=2.0) as door:
        _say_what_is_hostile(door)


def _say_what_is_hostile(sql_door: OpenDoor) -> None:
    own = [
        f"SELECT * FROM runs FORMAT CSV; DROP DATABASE {DATABASE}",
        "SELECT * FROM runs INTO OUTFILE '/tmp/x' FORMAT CSV",
        "SELECT * FROM runs SETTINGS readonly = 0, allow_ddl = 1",
        "SELECT * FROM runs SETTINGS additional_table_filters = {'runs': '1'} FORMAT CSV",
        "SELECT * FROM system.tables AS t, system.processes AS p",
        "SELECT * FROM system.tables UNION ALL SELECT * FROM system.users",
        "SELECT * FROM `system`.`tables``` ",
        "DESCRIBE TABLE file('/etc/passwd')",
        "DESCRIBE (SELECT * FROM url('http://127.0.0.1'))",
        f"SHOW CREATE TABLE {DATABASE}_raw.points",
        "SHOW TABLES FROM system",
        "SHOW TABLES FROM x' OR 1=1 --",
        "SHOW DATABASES LIKE 'x' UNION ALL SELECT name FROM system.users",
        "EXISTS TABLE system.users",
        f"USE {DATABASE}_raw",
        "SET readonly = 0",
        "INSERT INTO runs VALUES (1)",
        "KILL QUERY WHERE 1",
        "CREATE TABLE t (x Int8) ENGINE = Memory",
        "SYSTEM SHUTDOWN",
        "SELECT version() FROM remote('127.0.0.1', system.one)",
        f"SELECT * FROM {DATABASE}.runs, {DATABASE}_raw.runs",
    ]
    before = sql_door.clickhouse.query_rows("SELECT count() FROM system.tables")
    for statement in (*own, *statements("hostile.sql")):
        said = say(sql_door, statement.encode("utf-8", "surrogateescape"))
        assert SECRET.run_id not in said.text, statement
        assert SECRET.project not in said.text, statement
        assert said.status in (200, 400, 404, 413), (said.status, said.text, statement)
    for statement in own:
        said = say(sql_door, statement)
        assert said.status != 200 or said.text in ("", "0\n"), (statement, said.text)
    assert sql_door.clickhouse.query_rows("SELECT count() FROM system.tables") == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("readonly", "0"),
        ("max_execution_time", "0"),
        ("max_result_rows", "0"),
        ("max_memory_usage", "999999999999999"),
    ],
)
def test_no_setting_widens_what_a_request_may(
    sql_store: ClickHouse, sql_tokens: Tokens, name: str, value: str
) -> None:
    with running_door(sql_store, sql_tokens, sql_result_rows=100) as door:
        said = say(door, "SELECT step FROM metrics", **{name: value})
        assert (said.status, "100 rows" in said.text) == (400, True)
        narrower = say(door, "SELECT step FROM metrics LIMIT 50", max_result_rows="10")
        assert (narrower.status, "10 rows" in narrower.text) == (400, True)


def test_a_setting_that_cannot_be_honoured_is_refused_by_name(sql_door: OpenDoor) -> None:
    for name, value in (
        ("additional_table_filters", "{'runs':'1'}"),
        ("allow_ddl", "1"),
        ("session_timezone", "x' OR 1"),
        ("max_threads", "many"),
        ("SQL_project", "private"),
        ("limit", "3"),
    ):
        said = say(sql_door, "SELECT 1", **{name: value})
        assert said.status == 400
        assert name in said.text
    assert say(sql_door, "SELECT 1 SETTINGS join_use_nulls = 1").status == 400
    assert say(sql_door, "SELECT 1 SETTINGS max_execution_time = 5 FORMAT TSV").text == "1\n"


def test_every_format_that_is_offered_gives_rows_and_no_other_does(sql_door: OpenDoor) -> None:
    for name in FORMATS:
        said = say(sql_door, f"SELECT run_id, 1.5 AS x FROM runs FORMAT {name}")
        assert said.status == 200, (name, said.text)
        assert said.body or name == "Null"
    for name in (
        "Template",
        "CapnProto",
        "SQLInsert",
        "MySQLDump",
        "nothing",
        "'CSV'",
        "PostgreSQLWire",
    ):
        said = say(sql_door, f"SELECT 1 FORMAT {name}")
        assert said.status == 400, name
    assert say(sql_door, "SELECT 1", default_format="SQLInsert").status == 400
    arrow = say(sql_door, "SELECT 1 AS n", headers={"X-ClickHouse-Format": "ArrowStream"})
    assert pa.ipc.open_stream(arrow.body).read_all()["n"].to_pylist() == [1]
    assert json.loads(say(sql_door, "SELECT 1 AS n format json").text)["data"] == [{"n": 1}]
    assert say(sql_door, "SELECT 1 AS n", default_format="CSVWithNames").text == '"n"\n1\n'


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "lz4", "br", ""])
def test_answers_are_packed_as_http_packs_them(sql_door: OpenDoor, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    said = say(sql_door, "SELECT 'x' FORMAT CSV", headers=headers, enable_http_compression="1")
    packed = said.headers.get("content-encoding", "")
    assert packed == ("" if encoding in ("br", "") else encoding)
    if encoding == "gzip":
        assert gzip.decompress(said.body) == b'"x"\n'
    refused = say(sql_door, "SELECT 1", compress="1")
    assert (refused.status, "enable_http_compression" in refused.text) == (400, True)


def test_a_statement_may_come_in_the_address_the_body_or_both(sql_door: OpenDoor) -> None:
    assert say(sql_door, method="GET", query="SELECT 1").text == "1\n"
    assert say(sql_door, "+ 1", query="SELECT 1").text == "2\n"
    assert (
        say(sql_door, gzip.compress(b"SELECT 3"), headers={"Content-Encoding": "gzip"}).text
        == "3\n"
    )
    assert say(sql_door, "").text == "Ok.\n"
    values = {"param_a": "['it\\'s', 'b']", "param_b": "tab\\there"}
    said = say(
        sql_door, "SELECT {a:Array(String)}[1], {b:String} FORMAT JSONCompactEachRow", **values
    )
    assert json.loads(said.text) == ["it's", "tab\there"]
    missing = say(sql_door, "SELECT {a:String}")
    assert (missing.status, "param_a" in missing.text) == (400, True)


def test_clients_in_go_are_greeted_in_the_revision_they_name_and_told_none(
    sql_door: OpenDoor,
) -> None:
    """What Grafana's driver sends first, and what it has to read (block info, a byte per column)."""
    hello = "SELECT displayName(), version(), revision(), timezone()"
    options = {"default_format": "Native", "client_protocol_version": "54460", "database": DATABASE}
    said = say(sql_door, hello, **options)
    assert said.body.startswith(
        b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00\x04weir"
    )
    assert b"\x0arevision()\x06UInt32\x00\x00\x00\x00\x00" in said.body
    plain = say(sql_door, "SELECT 1 AS one", **options)
    assert plain.body == b"\x01\x01\x03one\x05UInt8\x01"
    assert say(sql_door, "SELECT 1", database="nothing").status == 404


# ── too much of it ───────────────────────────────────────────────────────────


def test_a_body_that_is_too_large_is_refused_packed_or_not(sql_door: OpenDoor) -> None:
    large = b"SELECT '" + b"x" * (1 << 20) + b"'"
    for body, headers in (
        (large, {}),
        (gzip.compress(large), {"Content-Encoding": "gzip"}),
        (b"not gzip", {"Content-Encoding": "gzip"}),
        (b"SELECT 1", {"Content-Encoding": "br"}),
    ):
        said = say(sql_door, body, headers=headers)
        assert said.status in (400, 413)
    assert "gateway.sql_text_bytes" in say(sql_door, large).text
    assert say(sql_door, "SELECT 1").text == "1\n"


def test_bytes_that_are_no_http_or_no_text_are_refused(sql_door: OpenDoor) -> None:
    assert say(sql_door, b"SELECT '\xff\xfe'").status == 400
    assert say(sql_door, b"\x00\x01\x02").status == 400
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert say(sql_door, b"--x--", headers=form).status == 400
    with socket.create_connection(("127.0.0.1", sql_door.port), 10) as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00 no tls here\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")
    assert say(sql_door, "SELECT 1").text == "1\n"


def test_limits_are_named(sql_store: ClickHouse, sql_tokens: Tokens) -> None:
    with running_door(
        sql_store, sql_tokens, sql_seconds=1.0, sql_result_rows=10, sql_rows_read=10**15
    ) as door:
        slow = say(door, "SELECT count() FROM numbers(1000000000000) WHERE rand() = rand64()")
        assert (slow.status, "1 s" in slow.text) == (400, True)
        many = say(door, "SELECT step FROM metrics")
        assert (many.status, "10 rows" in many.text) == (400, True)


def ask_slowly(
    door: OpenDoor, statement: str, token: str = "", buffer_bytes: int = 1 << 14
) -> socket.socket:
    """Return a connection that has asked."""
    connection = socket.create_connection(("127.0.0.1", door.port), 20)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    body = statement.encode()
    head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\nX-ClickHouse-Key: "
    connection.sendall(f"{head}{token or door.tokens['reader']}\r\n\r\n".encode() + body)
    return connection


def say_until_it_breaks(door: OpenDoor, statement: str, token: str) -> bytes:
    """Return the bytes of an answer that has no good end."""
    with ask_slowly(door, statement, token, 1 << 20) as connection:
        connection.settimeout(20)
        received = bytearray()
        while not received.endswith(b"0\r\n\r\n") and (piece := connection.recv(1 << 20)):
            received += piece
        return bytes(received)


def open_slowly(door: OpenDoor, statement: str) -> Iterator[socket.socket]:
    """Yield a connection that has asked, and has read the first bytes of its answer."""
    connection = ask_slowly(door, statement)
    assert connection.recv(100).startswith(b"HTTP/1.1 200")
    yield connection
    connection.close()


def running(clickhouse: ClickHouse) -> int:
    """Return how many statements the engine runs besides this one."""
    rows = clickhouse.query_rows(
        "SELECT count() FROM system.processes WHERE query ILIKE '%repeat(%' AND query NOT ILIKE '%system.proc%'"
    )
    return int(rows[0][0])


def test_a_reader_that_stops_reading_is_cut_off_and_its_statement_ended(
    sql_store: ClickHouse, sql_tokens: Tokens
) -> None:
    wide = {"sql_result_rows": 10**12, "sql_result_bytes": 10**15}
    with running_door(sql_store, sql_tokens, sql_answer_s=3.0, **wide) as door:
        for connection in open_slowly(door, LONG):
            eventually(lambda: running(sql_store) == 1)
            eventually(lambda: running(sql_store) == 0)
            connection.settimeout(20)
            received = read_all(connection)
            assert not received.endswith(b"0\r\n\r\n"), "it looks whole"


def read_all(connection: socket.socket) -> bytes:
    """Read what still comes, up to the end or the reset."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(1 << 16):
            received += piece
    return received


def test_a_reader_that_hangs_up_ends_its_statement(
    sql_store: ClickHouse, sql_tokens: Tokens
) -> None:
    wide = {"sql_result_rows": 10**12, "sql_result_bytes": 10**15}
    with running_door(sql_store, sql_tokens, **wide) as door:
        for connection in open_slowly(door, LONG):
            eventually(lambda: running(sql_store) == 1)
            connection.close()
            eventually(lambda: running(sql_store) == 0)


def test_a_reader_that_hangs_up_before_the_first_row_ends_its_statement(
    sql_store: ClickHouse, sql_tokens: Tokens
) -> None:
    """… and holds its turn until then, so that hanging up buys nobody more statements at once."""
    slow = "SELECT repeat('x', count()) FROM numbers(1000000000000) WHERE rand() = rand64()"
    with running_door(sql_store, sql_tokens, sql_rows_read=10**15, sql_each=1) as door:
        connection = ask_slowly(door, slow)
        eventually(lambda: running(sql_store) == 1)
        connection.close()
        assert say(door, "SELECT 1").text == "1\n"
        assert running(sql_store) == 0


def test_why_an_answer_breaks_off_is_not_told_to_whom_it_may_tell_of_others(
    sql_door: OpenDoor,
) -> None:
    """The reason holds the value at fault, and the value may be of a row that one may not see."""
    late = (
        "SELECT throwIf(number = 140000, 'c4n4ry'), repeat('x', 100) FROM numbers(200000)"
        " SETTINGS max_threads = 1"
    )
    for who, told in (("admin", True), ("reader", False)):
        # Mostly it fails behind its first rows; where it fails before, ask again.
        asked = (say_until_it_breaks(sql_door, late, sql_door.tokens[who]) for _ in range(20))
        said = next(each for each in asked if b"__exception__" in each)
        assert (b"c4n4ry" in said) is told
        assert (b"failed behind its first rows" in said) is not told


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_reasons_are_left_out_however_the_bytes_are_cut(size: int) -> None:
    tag = "0123456789abcdef"
    failed = (
        b"rows" * 10
        + f"\r\n__exception__\r\n{tag}\r\nCode: 1. secret\n16 {tag}\r\n__exception__\r\n".encode()
    )

    def passed(whole: bytes) -> bytes:
        pieces = (whole[at : at + size] for at in range(0, len(whole), size))
        return b"".join(without_reasons(pieces, tag))

    assert passed(failed).startswith(b"rows" * 10 + b"\r\n__exception__\r\n" + tag.encode())
    assert b"secret" not in passed(failed)
    whole = b"rows with __exception__ in them, \r\n__exception__\r\nand more" * 50
    assert passed(whole) == whole
    assert passed(b"") == b""


def test_a_token_revoked_while_its_answer_streams_gets_no_more(
    sql_store: ClickHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weir_store.tokens.RELOAD_S", 0.0)
    path = tmp_path / "tokens.toml"
    tokens = {"reader": create_token(path, name="r", role=Role.READER, projects=["vision"])}
    wide = {"sql_result_rows": 10**12, "sql_result_bytes": 10**15}
    with running_door(sql_store, (path, tokens), **wide) as door:
        for connection in open_slowly(door, LONG):
            revoke_token(path, "r")
            received = read_all(connection)
            assert not received.endswith(b"0\r\n\r\n"), "it looks whole"
        assert say(door, "SELECT 1").status == 401
        eventually(lambda: running(sql_store) == 0)


def test_many_at_once_take_turns_and_nobody_is_turned_away(
    sql_store: ClickHouse, sql_tokens: Tokens
) -> None:
    with (
        running_door(sql_store, sql_tokens, sql_at_once=3, sql_each=2) as door,
        ThreadPoolExecutor(24) as people,
    ):
        tokens = [door.tokens["reader"], door.tokens["admin"]] * 20
        said = list(people.map(lambda t: say(door, "SELECT count() FROM runs", token=t), tokens))
        assert {(one.status, one.text) for one in said} == {(200, "2\n"), (200, "3\n")}


def test_whoever_waits_too_long_for_a_turn_is_told_which_limit_moves_it() -> None:
    async def crowd() -> None:
        turns = Turns(at_once=3, each=2, wait_s=0.05, most_waiting=5)
        async with turns.turn("a"), turns.turn("a"):
            with pytest.raises(LimitReached, match=r"gateway\.sql_each"):
                async with turns.turn("a"):
                    pass
            async with turns.turn("b"):
                with pytest.raises(
                    LimitReached, match=r"3 statements are running, 0 of them yours"
                ):
                    async with turns.turn("c"):
                        pass
        async with turns.turn("a"), turns.turn("a"), turns.turn("c"):
            pass

    asyncio.run(crowd())


def test_slow_senders_are_sent_away_and_keep_nobody_out(
    sql_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weir_server.sql_door.body._PATIENCE_S", 0.5)
    key = sql_door.tokens["reader"]
    head = f"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-Key: {key}\r\nContent-Length: 100\r\n\r\n"
    slow = [socket.create_connection(("127.0.0.1", sql_door.port), 20) for _ in range(50)]
    for connection in slow:
        connection.sendall(f"{head}SELECT".encode())
    assert say(sql_door, "SELECT 1").text == "1\n"
    for connection in slow:
        assert connection.recv(100).startswith(b"HTTP/1.1 408")
        connection.close()


def test_small_answers_are_sent_at_once() -> None:
    """An accepted connection inherits the protocol, by which asyncio knows to turn Nagle off."""
    with bind_door("127.0.0.1", 0, "gateway.sql_port") as listener:
        assert listener.proto == socket.IPPROTO_TCP


# ── taking statements apart ──────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "select", "form", "settings"),
    [
        ("SELECT 1", "SELECT 1", "", ()),
        ("SELECT 1 FORMAT CSV", "SELECT 1", "CSV", ()),
        ("SELECT 1\nformat `CSV` ;", "SELECT 1", "CSV", ()),
        ("SELECT 1 FORMAT CSV -- why", "SELECT 1", "CSV", ()),
        ("SELECT 1 SETTINGS a=1, b = 'x' FORMAT CSV", "SELECT 1", "CSV", (("a", "1"), ("b", "x"))),
        ("SELECT 1 FORMAT CSV SETTINGS a=1", "SELECT 1", "CSV", (("a", "1"),)),
        ("SELECT 'FORMAT CSV'", "SELECT 'FORMAT CSV'", "", ()),
        ("SELECT 1 -- FORMAT CSV", "SELECT 1 -- FORMAT CSV", "", ()),
        ("SELECT t.format x FROM t", "SELECT t.format x FROM t", "", ()),
        ("SELECT 1 SETTINGS a = 1 + 1", "SELECT 1 SETTINGS a = 1 + 1", "", ()),
    ],
)
def test_format_and_settings_are_taken_off_the_end_and_nowhere_else(
    text: str, select: str, form: str, settings: tuple[tuple[str, str], ...]
) -> None:
    read_one = read_statement(text)
    assert (read_one.text.strip(), read_one.form, read_one.settings) == (select, form, settings)


def test_what_is_no_sql_is_refused() -> None:
    for text in ("", ";", "'", "SELECT 1; SELECT 2", "SELECT /* "):
        with pytest.raises(InvalidQuery):
            read_statement(text)
