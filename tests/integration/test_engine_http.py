"""What a ClickHouse HTTP client relies on holds for the engine, and for a ClickHouse server.

Set WEIR_TEST_CLICKHOUSE_URL=http://user:password@host:port to judge a server by the same tests.
"""

from __future__ import annotations

import asyncio
import decimal
import gzip
import inspect
import io
import ipaddress
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import clickhouse_connect
import lz4.frame
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import zstandard
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError

from tests.integration.fixtures_engine import EngineProcess, external_clickhouse, start_engine


@pytest.fixture(scope="module", params=["engine", "clickhouse"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EngineProcess]:
    if request.param == "clickhouse":
        external = external_clickhouse()
        if external is None:
            pytest.skip("WEIR_TEST_CLICKHOUSE_URL names no server")
        yield external
        return
    engine = start_engine(tmp_path_factory.mktemp("http") / "data", user="weir", password="s:cret")
    try:
        yield engine
    finally:
        assert engine.stop() == 0


@pytest.fixture(scope="module")
def database(server: EngineProcess) -> Iterator[str]:
    name = f"t_{uuid.uuid4().hex[:8]}"
    with server.client() as client:
        client.command(f"CREATE DATABASE {name}")
        yield name
        client.command(f"DROP DATABASE {name}")


class AwaitedClient:
    """The async client, every call awaited at once: the same tests judge both."""

    def __init__(self, server: EngineProcess, database: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._client = self._loop.run_until_complete(
            clickhouse_connect.get_async_client(
                host=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                database=database,
                autogenerate_session_id=False,
            )
        )

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._client, name)

        def call(*args: Any, **named: Any) -> Any:
            answer = member(*args, **named)
            return self._loop.run_until_complete(answer) if inspect.isawaitable(answer) else answer

        return call if callable(member) else member

    def close(self) -> None:
        self._loop.run_until_complete(self._client.close())
        self._loop.close()


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, server: EngineProcess, database: str) -> Iterator[Any]:
    opened = (
        server.client(database=database)
        if request.param == "sync"
        else AwaitedClient(server, database)
    )
    yield opened
    opened.close()


@pytest.fixture
def table(client: Any) -> Callable[..., str]:
    def make(columns: str, engine: str = "MergeTree ORDER BY tuple()") -> str:
        name = f"t_{uuid.uuid4().hex[:8]}"
        client.command(f"CREATE TABLE {name} ({columns}) ENGINE = {engine}")
        return name

    return make


def fetch(
    server: EngineProcess,
    body: bytes | None = None,
    *,
    headers: dict[str, str] | None = None,
    path: str = "/",
    method: str | None = None,
    **parameters: str,
) -> tuple[int, dict[str, str], bytes]:
    """Ask with the standard library only; the database's user and password come along."""
    known = {"X-ClickHouse-User": server.user, "X-ClickHouse-Key": server.password}
    request = urllib.request.Request(
        f"{server.url}{path}?{urllib.parse.urlencode(parameters)}",
        data=body,
        headers=known if headers is None else headers,
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, _lower(answer.headers), answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, _lower(refused.headers), refused.read()


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def known(server: EngineProcess, **more: str) -> dict[str, str]:
    return {"X-ClickHouse-User": server.user, "X-ClickHouse-Key": server.password, **more}


# ── values ──────────────────────────────────────────────────────────────────

_at = datetime.fromisoformat
_U = uuid.UUID("12345678-1234-5678-1234-567812345678")
_VALUES: list[tuple[str, list[Any]]] = [
    ("UInt8", [0, 255]),
    ("Int64", [-(2**63), 2**63 - 1]),
    ("Int128", [-(2**127), 5]),
    ("UInt256", [2**256 - 1, 0]),
    ("Float32", [0.5, float("inf")]),
    ("Float64", [-0.1, float("-inf")]),
    ("Bool", [True, False]),
    ("String", ["", "ä\n\t'\\\0 ☃"]),
    ("FixedString(3)", [b"abc", b"\x00\x01\x02"]),
    ("Nullable(Int32)", [None, 3]),
    ("LowCardinality(String)", ["a", "b"]),
    ("LowCardinality(Nullable(String))", [None, "b"]),
    ("Array(UInt32)", [[], [1, 2, 3]]),
    ("Array(Array(Nullable(String)))", [[["a", None], []], [["b"]]]),
    ("Tuple(UInt8, String)", [(1, "x"), (2, "y")]),
    ("Tuple(a UInt8, b Array(String))", [{"a": 1, "b": ["x"]}, {"a": 2, "b": []}]),
    ("Map(String, UInt64)", [{}, {"k": 1, "l": 2}]),
    ("Map(LowCardinality(String), Array(Int8))", [{"k": [1]}, {}]),
    ("Decimal(18, 4)", [decimal.Decimal("1.5000"), decimal.Decimal("-2.0001")]),
    ("Decimal256(10)", [decimal.Decimal("123456789012345678901234567890.0123456789")] * 2),
    ("UUID", [_U, uuid.UUID(int=0)]),
    ("Date", [date(1970, 1, 1), date(2026, 2, 3)]),
    ("Date32", [date(1950, 1, 1), date(2026, 2, 3)]),
    ("DateTime('UTC')", [_at("2026-02-03T04:05:06"), _at("1970-01-01")]),
    ("DateTime64(6, 'UTC')", [_at("2026-02-03T04:05:06.789012"), _at("2000-01-01")]),
    ("Enum8('a' = 1, 'b' = -2)", ["a", "b"]),
    ("IPv4", [ipaddress.IPv4Address("10.0.0.1"), ipaddress.IPv4Address("0.0.0.0")]),
    ("IPv6", [ipaddress.IPv6Address("::1"), ipaddress.IPv6Address("2001:db8::")]),
    ("Nested(a UInt8, b String)", []),
]


@pytest.mark.parametrize(("kind", "values"), _VALUES, ids=[kind for kind, _ in _VALUES])
def test_a_value_comes_back_as_it_went_in(
    client: Any, table: Callable[..., str], kind: str, values: list[Any]
) -> None:
    if not values:
        name = table("i UInt8, n Nested(a UInt8, b String)")
        client.insert(name, [[1, [1, 2], ["x", "y"]]], column_names=["i", "n.a", "n.b"])
        assert client.query(f"SELECT n.a, n.b FROM {name}").result_rows == [([1, 2], ["x", "y"])]
        return
    name = table(f"i UInt8, v {kind}")
    client.insert(name, [[i, value] for i, value in enumerate(values)], column_names=["i", "v"])
    rows = client.query(f"SELECT v FROM {name} ORDER BY i").result_rows
    assert [row[0] for row in rows] == values


def test_nan_survives(client: Any, table: Callable[..., str]) -> None:
    name = table("v Float64")
    client.insert(name, [[float("nan")]], column_names=["v"])
    assert np.isnan(client.query(f"SELECT v FROM {name}").result_rows[0][0])


# ── parameters ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("UInt64", 2**64 - 1),
        ("String", "it's \\ \n\t 'ä' {x:Int8} -- ;"),
        ("Nullable(String)", None),
        ("Array(String)", ["a'b", "c\\d"]),
        ("Array(Int32)", []),
        ("Tuple(Int8, String)", (1, "x'y")),
        ("Date", date(2026, 1, 2)),
        ("DateTime64(6, 'UTC')", _at("2026-01-02T03:04:05.678901")),
        ("Float64", 0.1),
        ("Bool", True),
        ("UUID", _U),
    ],
)
def test_a_bound_parameter_is_a_value_and_never_sql(client: Any, kind: str, value: Any) -> None:
    answer = client.query(f"SELECT {{v:{kind}}} AS v", parameters={"v": value})
    assert answer.result_rows == [(value,)]


def test_a_map_is_bound_in_clickhouses_own_notation(server: EngineProcess) -> None:
    answer = fetch(server, b"SELECT {m:Map(String, Array(Int8))}", param_m="{'a':[1,2],'b':[]}")
    assert answer[2] == b"{'a':[1,2],'b':[]}\n"


def test_an_identifier_can_be_bound(client: Any, table: Callable[..., str]) -> None:
    name = table("a Int8")
    client.insert(name, [[7]], column_names=["a"])
    found = client.query(
        "SELECT {column:Identifier} FROM {name:Identifier}",
        parameters={"column": "a", "name": name},
    )
    assert found.result_rows == [(7,)]


def test_a_parameter_that_is_not_given_is_an_error(client: Any) -> None:
    with pytest.raises(DatabaseError) as failed:
        client.query("SELECT {nobody:Int8}", parameters={"other": 1})
    assert failed.value.code == 456


def test_many_parameters_travel_as_a_form(client: Any) -> None:
    values = [f"value {i} ä" for i in range(3_000)]
    found = client.query("SELECT {v:Array(String)}", parameters={"v": values}).result_rows
    assert found == [(values,)]


@pytest.mark.parametrize("text", ["plain", "a\\nb", "tab\\there", "quote'", "back\\\\slash", "ä"])
def test_an_insert_reads_parameters_as_a_select_does(
    server: EngineProcess, database: str, client: Any, table: Callable[..., str], text: str
) -> None:
    name = table("v String")
    status, _, body = fetch(
        server,
        b"({v:String})",
        query="INSERT INTO {name:Identifier} VALUES",
        param_name=name,
        param_v=text,
        database=database,
    )
    assert (status, body) == (200, b"")
    _, _, selected = fetch(server, b"SELECT {v:String}", param_v=text)
    _, _, stored = fetch(server, f"SELECT v FROM {database}.{name}".encode())
    assert stored == selected


# ── settings ────────────────────────────────────────────────────────────────


def test_a_setting_holds_for_its_query_and_no_other(client: Any) -> None:
    asked = "SELECT getSetting('max_block_size')"
    usual = client.query(asked).result_rows
    assert client.query(asked, settings={"max_block_size": 123}).result_rows == [(123,)]
    assert client.query(asked).result_rows == usual


def test_a_setting_with_an_odd_value_is_a_value(client: Any) -> None:
    odd = "it's \\ = , ';"
    asked = client.query("SELECT getSetting('log_comment')", settings={"log_comment": odd})
    assert asked.result_rows == [(odd,)]


def test_an_unknown_setting_is_an_error(server: EngineProcess) -> None:
    status, headers, body = fetch(server, b"SELECT 1", no_such_setting="1")
    assert (status, headers["x-clickhouse-exception-code"]) == (404, "115")
    assert b"no_such_setting" in body


def test_an_unknown_database_is_an_error(server: EngineProcess) -> None:
    status, headers, _ = fetch(server, b"SELECT 1", database="no_such_database")
    assert (status, headers["x-clickhouse-exception-code"]) == (404, "81")


def test_the_database_parameter_resolves_plain_names(
    server: EngineProcess, database: str, table: Callable[..., str]
) -> None:
    name = table("a Int8")
    status, _, body = fetch(server, f"EXISTS TABLE {name}".encode(), database=database)
    assert (status, body) == (200, b"1\n")


# ── inserts ─────────────────────────────────────────────────────────────────


def test_rows_columns_frames_and_arrow_all_arrive(client: Any, table: Callable[..., str]) -> None:
    name = table("a Int64, s String, f Nullable(Float64)")
    columns = ["a", "s", "f"]
    client.insert(name, [[1, "rows", 0.5], [2, "rows", None]], column_names=columns)
    client.insert(
        name, [[3, 4], ["x", "y"], [1.0, 2.0]], column_names=columns, column_oriented=True
    )
    client.insert_df(name, pd.DataFrame({"a": [5], "s": ["df"], "f": [3.0]}))
    client.insert_arrow(name, pa.table({"a": [6, 7], "s": ["ar", "row"], "f": [None, 1.5]}))
    found = client.query(f"SELECT a, s, f FROM {name} ORDER BY a").result_rows
    assert found == [
        (1, "rows", 0.5),
        (2, "rows", None),
        (3, "x", 1.0),
        (4, "y", 2.0),
        (5, "df", 3.0),
        (6, "ar", None),
        (7, "row", 1.5),
    ]


def test_an_insert_says_how_much_it_wrote(client: Any, table: Callable[..., str]) -> None:
    name = table("a Int64")
    done = client.insert(name, [[i] for i in range(1_000)], column_names=["a"])
    assert done.written_rows == 1_000
    assert done.written_bytes() > 0 if callable(done.written_bytes) else True


def arrow_stream(rows: int) -> bytes:
    sink = io.BytesIO()
    block = pa.table({"a": pa.array(range(rows), pa.int32()), "s": [f"s{i}" for i in range(rows)]})
    with pa.ipc.new_stream(sink, block.schema) as writer:
        writer.write_table(block)
    return sink.getvalue()


def arrow_file(rows: int) -> bytes:
    sink = io.BytesIO()
    block = pa.table({"a": pa.array(range(rows), pa.int32()), "s": [f"s{i}" for i in range(rows)]})
    with pa.ipc.new_file(sink, block.schema) as writer:
        writer.write_table(block)
    return sink.getvalue()


_BODIES = {
    "CSV": b'0,"s0"\n1,"s1"\n2,s2\n',
    "TabSeparated": b"0\ts0\n1\ts1\n2\ts2\n",
    "JSONEachRow": b'{"a":0,"s":"s0"}\n{"a":1,"s":"s1"}{"a":2,"s":"s2"}',
    "Values": b"(0,'s0'),(1,'s1'),(1+1,concat('s','2'))",
    "RowBinary": b"".join(i.to_bytes(4, "little") + b"\x02s%d" % i for i in range(3)),
    "ArrowStream": arrow_stream(3),
    "Arrow": arrow_file(3),
}


@pytest.mark.parametrize(
    "format_name", [*_BODIES, "Native", "Parquet", "RowBinaryWithNamesAndTypes"]
)
@pytest.mark.parametrize("where", ["body", "parameter"])
def test_every_format_goes_in(
    server: EngineProcess, database: str, table: Callable[..., str], format_name: str, where: str
) -> None:
    name = f"{database}.{table('a Int32, s String')}"
    rows = _BODIES.get(format_name)
    if rows is None:
        made = f"SELECT toInt32(number) AS a, concat('s', toString(number)) AS s FROM numbers(3) FORMAT {format_name}"
        rows = fetch(server, made.encode())[2]
    insert = f"INSERT INTO {name} FORMAT {format_name}"
    if where == "body":
        status, _, body = fetch(server, insert.encode() + b"\n" + rows)
    else:
        status, _, body = fetch(server, rows, query=insert)
    assert (status, body) == (200, b"")
    found = fetch(server, f"SELECT * FROM {name} ORDER BY a".encode())[2]
    assert found == b"0\ts0\n1\ts1\n2\ts2\n"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("lz4", lz4.frame.compress),
    ],
)
def test_a_packed_body_is_unpacked(
    server: EngineProcess,
    database: str,
    table: Callable[..., str],
    encoding: str,
    pack: Callable[[bytes], bytes],
) -> None:
    name = f"{database}.{table('a Int32')}"
    rows = b"".join(b"%d\n" % i for i in range(200_000))
    headers = known(server, **{"Content-Encoding": encoding})
    for body, query in (
        (rows, f"INSERT INTO {name} FORMAT TSV"),
        (f"INSERT INTO {name} FORMAT TSV\n".encode() + rows, ""),
    ):
        parameters = {"query": query} if query else {}
        assert fetch(server, pack(body), headers=headers, **parameters)[0] == 200
    asked = pack(f"SELECT count(), sum(a) FROM {name}".encode())
    assert fetch(server, asked, headers=headers)[2] == b"400000\t39999800000\n"


def test_rows_that_do_not_parse_are_an_error_and_write_nothing(
    client: Any, server: EngineProcess, database: str, table: Callable[..., str]
) -> None:
    name = f"{database}.{table('a Int32')}"
    rows = b"1\n2\nthree\n"
    status, headers, body = fetch(server, rows, query=f"INSERT INTO {name} FORMAT TSV")
    assert (status, headers["x-clickhouse-exception-code"]) == (400, "27")
    assert b"CANNOT_PARSE_INPUT_ASSERTION_FAILED" in body
    assert client.query(f"SELECT count() FROM {name}").result_rows == [(0,)]


def test_a_large_insert_into_nothing_is_answered_and_not_broken_off(
    server: EngineProcess, database: str
) -> None:
    rows = b"1\n" * 4_000_000
    insert = f"INSERT INTO {database}.nowhere FORMAT TSV"
    status, headers, _ = fetch(server, rows, query=insert)
    assert (status, headers["x-clickhouse-exception-code"]) == (404, "60")


def test_a_dedup_token_makes_a_second_insert_of_the_block_nothing(
    client: Any, table: Callable[..., str]
) -> None:
    name = table(
        "a Int64",
        "MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100",
    )
    block = pa.table({"a": list(range(10))})
    for token in ("x", "x", "y"):
        client.insert_arrow(name, block, settings={"insert_deduplication_token": token})
    assert client.query(f"SELECT count() FROM {name}").result_rows == [(20,)]


def test_insert_select_writes(client: Any, table: Callable[..., str]) -> None:
    name = table("a UInt64")
    client.command(f"INSERT INTO {name} SELECT number FROM numbers(10)")
    assert client.query(f"SELECT sum(a) FROM {name}").result_rows == [(45,)]


def test_a_command_takes_its_rows_as_data(client: Any, table: Callable[..., str]) -> None:
    name = table("a UInt64, s String")
    client.command(f"INSERT INTO {name} FORMAT CSV", data="1,x\n2,y\n")
    assert client.query(f"SELECT * FROM {name} ORDER BY a").result_rows == [(1, "x"), (2, "y")]


# ── answers ─────────────────────────────────────────────────────────────────


def test_arrow_pandas_and_raw_answers_agree(client: Any) -> None:
    asked = "SELECT number AS n, toString(number) AS s FROM numbers(1000)"
    arrow = client.query_arrow(asked)
    frame = client.query_df(asked)
    raw = client.raw_query(asked, fmt="CSVWithNames")
    assert arrow.column("n").to_pylist() == list(range(1_000))
    assert frame["n"].tolist() == list(range(1_000))
    assert raw.splitlines()[0] == b'"n","s"'
    assert len(raw.splitlines()) == 1_001


def test_an_empty_result_is_empty_and_no_error(client: Any) -> None:
    asked = "SELECT number AS n FROM numbers(0)"
    assert client.query(asked).result_rows == []
    assert client.query_arrow(asked).num_rows == 0
    assert client.query_df(asked).empty
    assert client.query("SELECT 1 AS x LIMIT 0").column_names == ("x",)


def test_a_command_returns_its_one_value(client: Any) -> None:
    assert client.command("SELECT 7") == 7
    assert client.command("SELECT 'a'") == "a"


def test_a_big_result_is_whole(client: Any) -> None:
    arrow = client.query_arrow("SELECT number AS n FROM numbers(3000000)")
    assert arrow.num_rows == 3_000_000
    assert pa.compute.sum(arrow.column("n")).as_py() == 3_000_000 * 2_999_999 // 2


@pytest.mark.parametrize("format_name", ["Native", "ArrowStream", "JSONCompactEachRow", "Parquet"])
def test_a_streamed_result_is_the_held_result(server: EngineProcess, format_name: str) -> None:
    asked = f"SELECT number, toString(number) FROM numbers(400000) FORMAT {format_name}".encode()
    settings = {"max_threads": "1", "max_block_size": "65536"}
    streamed = fetch(server, asked, **settings)
    held = fetch(server, asked, wait_end_of_query="1", **settings)
    assert streamed[0] == held[0] == 200
    if format_name == "Parquet":
        assert len(streamed[2]) == len(held[2])
    else:
        assert streamed[2] == held[2]


def test_rows_can_be_streamed(server: EngineProcess) -> None:
    with (
        server.client() as client,
        client.query_row_block_stream("SELECT number FROM numbers(1000000)") as blocks,
    ):
        assert sum(len(block) for block in blocks) == 1_000_000


def test_arrow_can_be_streamed_asynchronously(server: EngineProcess) -> None:
    async def ask() -> int:
        client = await clickhouse_connect.get_async_client(
            host=server.host, port=server.port, username=server.user, password=server.password
        )
        rows = 0
        async with client:
            stream = await client.query_arrow_stream("SELECT number FROM numbers(1000000)")
            async with stream:
                async for batch in stream:
                    rows += batch.num_rows
        return rows

    assert asyncio.run(ask()) == 1_000_000


def test_headers_say_what_the_answer_is(server: EngineProcess) -> None:
    status, headers, body = fetch(
        server, b"SELECT 1 AS a FORMAT JSON", query_id="my-id", session_timezone="Europe/Paris"
    )
    assert status == 200
    assert json.loads(body)["data"] == [{"a": 1}]
    assert headers["x-clickhouse-query-id"] == "my-id"
    assert headers["x-clickhouse-format"] == "JSON"
    assert headers["content-type"] == "application/json; charset=UTF-8"
    assert headers["x-clickhouse-timezone"] == "Europe/Paris"
    assert headers["x-clickhouse-server-display-name"]
    assert json.loads(headers["x-clickhouse-summary"])["read_rows"] == "1"


def test_the_default_format_is_tab_separated_unless_asked(server: EngineProcess) -> None:
    asked = b"SELECT 1, 'a'"
    assert fetch(server, asked)[2] == b"1\ta\n"
    assert fetch(server, asked, default_format="CSV")[2] == b'1,"a"\n'
    with_header = known(server, **{"X-ClickHouse-Format": "JSONCompactEachRow"})
    assert fetch(server, asked, headers=with_header)[2] == b'[1, "a"]\n'
    assert fetch(server, asked + b" FORMAT TSV", default_format="CSV")[2] == b"1\ta\n"


def test_the_query_is_the_parameter_and_then_the_body(server: EngineProcess) -> None:
    assert fetch(server, b"+ 1", query="SELECT 1")[2] == b"2\n"
    assert fetch(server, query="SELECT 1")[2] == b"1\n"
    assert fetch(server, b"SELECT 1;\n")[2] == b"1\n"


@pytest.mark.parametrize(
    ("encoding", "unpack"),
    [
        ("gzip", gzip.decompress),
        ("zstd", lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)),
        ("lz4", lz4.frame.decompress),
    ],
)
def test_an_answer_is_packed_when_asked(
    server: EngineProcess, encoding: str, unpack: Callable[[bytes], bytes]
) -> None:
    asked = b"SELECT number FROM numbers(300000)"
    headers = known(server, **{"Accept-Encoding": encoding})
    plain = fetch(server, asked, headers=headers)
    assert "content-encoding" not in plain[1]
    for wait in ("0", "1"):
        packed = fetch(
            server, asked, headers=headers, enable_http_compression="1", wait_end_of_query=wait
        )
        assert packed[1]["content-encoding"] == encoding
        assert unpack(packed[2]) == plain[2]


def test_ping_needs_no_password(server: EngineProcess) -> None:
    assert fetch(server, path="/ping", headers={})[::2] == (200, b"Ok.\n")
    assert fetch(server, path="/", headers={})[::2] == (200, b"Ok.\n")
    assert fetch(server, path="/ping", method="HEAD", headers={})[::2] == (200, b"")
    assert fetch(server, path="/nowhere")[0] == 404


# ── errors ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sql", "code", "status"),
    [
        ("SELEC 1", 62, 400),
        ("SELECT 1; SELECT 2", 62, 400),
        ("SELECT * FROM no_such_table", 60, 404),
        ("SELECT no_such_column", 47, 404),
        ("SELECT no_such_function(1)", 46, 404),
        ("SELECT 1 FORMAT NoSuchFormat", 73, 404),
        ("SELECT throwIf(1)", 395, 500),
        ("SELECT 1 INTO OUTFILE '/tmp/x'", 358, None),
        ("SELECT sleep(3) SETTINGS max_execution_time = 0.1", 159, 408),
    ],
)
def test_an_error_has_clickhouses_code_status_and_words(
    server: EngineProcess, sql: str, code: int, status: int | None
) -> None:
    answered, headers, body = fetch(server, sql.encode())
    assert headers["x-clickhouse-exception-code"] == str(code)
    assert body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert status is None or answered == status


def test_the_client_raises_with_the_code(client: Any) -> None:
    with pytest.raises(DatabaseError) as failed:
        client.query("SELECT * FROM no_such_table")
    assert failed.value.code == 60


def test_an_error_late_in_a_query_is_still_raised(client: Any) -> None:
    with pytest.raises(DatabaseError) as failed:
        client.query("SELECT throwIf(number = 900000) FROM numbers(1000000)")
    assert failed.value.code == 395


def test_an_error_in_the_middle_of_a_stream_is_raised(server: EngineProcess) -> None:
    asked = "SELECT throwIf(number = 9000000), number FROM numbers(10000000)"
    with (
        server.client() as client,
        client.query_row_block_stream(asked, settings={"max_threads": 1}) as blocks,
        pytest.raises(StreamFailureError) as failed,
    ):
        list(blocks)
    assert failed.value.code == 395


# ── who may do what ─────────────────────────────────────────────────────────


def test_a_wrong_password_is_refused(server: EngineProcess) -> None:
    wrong = {"X-ClickHouse-User": server.user, "X-ClickHouse-Key": "wrong"}
    status, headers, body = fetch(server, b"SELECT 1", headers=wrong)
    assert (status, headers["x-clickhouse-exception-code"]) == (403, "516")
    assert b"AUTHENTICATION_FAILED" in body
    nobody = {"X-ClickHouse-User": "nobody", "X-ClickHouse-Key": ""}
    assert fetch(server, b"SELECT 1", headers=nobody)[0] == 403
    with pytest.raises(DatabaseError):
        clickhouse_connect.get_client(
            host=server.host, port=server.port, username=server.user, password="wrong"
        )


def test_the_password_may_come_as_a_parameter(server: EngineProcess) -> None:
    answer = fetch(server, b"SELECT 1", headers={}, user=server.user, password=server.password)
    assert answer[::2] == (200, b"1\n")


@pytest.mark.parametrize("level", ["1", "2"])
@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE {table}",
        "INSERT INTO {table} VALUES (1)",
        "INSERT INTO {table} SELECT 1",
        "CREATE TABLE {table}_2 (a Int8) ENGINE = Memory",
        "ALTER TABLE {table} DELETE WHERE 1",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT * FROM file('/etc/hostname', LineAsString)",
        "SELECT file('/etc/hostname')",
        "SELECT * FROM `/etc/hostname`",
        "SELECT * FROM default.`/etc/hostname`",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
        "SELECT * FROM remote('127.0.0.1', system.one)",
    ],
)
def test_readonly_cannot_be_escaped(
    server: EngineProcess,
    database: str,
    client: Any,
    table: Callable[..., str],
    sql: str,
    level: str,
) -> None:
    name = f"{database}.{table('a Int8')}"
    status, headers, _ = fetch(server, sql.format(table=name).encode(), readonly=level)
    assert status >= 400
    assert headers["x-clickhouse-exception-code"] in ("164", "60", "62", "497", "291")
    assert client.query(f"SELECT count() FROM {name}").result_rows == [(0,)]


def test_readonly_holds_for_one_request_only(
    server: EngineProcess, client: Any, table: Callable[..., str]
) -> None:
    name = table("a Int8")
    for _ in range(3):
        client.query("SELECT 1", settings={"readonly": "1"})
    client.insert(name, [[1]], column_names=["a"])
    assert client.query(f"SELECT a FROM {name}").result_rows == [(1,)]


def test_a_get_only_reads(server: EngineProcess, database: str, table: Callable[..., str]) -> None:
    name = f"{database}.{table('a Int8')}"
    status, headers, _ = fetch(server, query=f"DROP TABLE {name}")
    assert headers["x-clickhouse-exception-code"] == "164"
    assert fetch(server, query=f"EXISTS TABLE {name}")[2] == b"1\n"
    assert status >= 400


# ── sessions ────────────────────────────────────────────────────────────────


def test_a_session_remembers_settings_database_and_temporary_tables(
    server: EngineProcess, database: str
) -> None:
    session = uuid.uuid4().hex

    def ask(sql: str, **parameters: str) -> tuple[int, bytes]:
        return fetch(server, sql.encode(), session_id=session, **parameters)[::2]

    assert ask("SET max_block_size = 77") == (200, b"")
    assert ask(f"USE {database}") == (200, b"")
    asked = "SELECT getSetting('max_block_size'), currentDatabase()"
    assert ask(asked) == (200, f"77\t{database}\n".encode())
    assert ask("CREATE TEMPORARY TABLE kept (a Int8)") == (200, b"")
    assert ask("INSERT INTO kept VALUES (5)") == (200, b"")
    assert ask("SELECT getSetting('max_block_size')", max_block_size="5") == (200, b"5\n")
    assert ask(asked) == (200, f"77\t{database}\n".encode())
    assert ask("SELECT a FROM kept") == (200, b"5\n")
    assert fetch(server, b"SELECT a FROM kept")[0] == 404


def test_a_session_serves_one_request_at_a_time(server: EngineProcess) -> None:
    session = uuid.uuid4().hex
    running = b"SELECT count() > 1 FROM system.processes WHERE position(query, 'sleep(2.5)') > 0"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(fetch, server, b"SELECT sleep(2.5)", session_id=session)
        while fetch(server, running)[2] == b"0\n":
            assert not first.done()
        second = fetch(server, b"SELECT 1", session_id=session)
        assert second[1]["x-clickhouse-exception-code"] == "373"
        assert first.result()[0] == 200


def test_a_session_that_must_exist_must_exist(server: EngineProcess) -> None:
    status, headers, _ = fetch(server, b"SELECT 1", session_id=uuid.uuid4().hex, session_check="1")
    assert (status, headers["x-clickhouse-exception-code"]) == (404, "372")


# ── many at once ────────────────────────────────────────────────────────────


def test_many_clients_write_and_read_at_once(
    server: EngineProcess, database: str, table: Callable[..., str]
) -> None:
    name = f"{database}.{table('who UInt8, a UInt64')}"

    def work(who: int) -> None:
        with server.client() as mine:
            for block in range(5):
                rows = [[who, block * 100 + i] for i in range(100)]
                mine.insert(name, rows, column_names=["who", "a"])
                mine.query(f"SELECT count() FROM {name} WHERE who = {who}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    found = fetch(server, f"SELECT uniqExact(who, a), count() FROM {name}".encode())[2]
    assert found == b"4000\t4000\n"


def test_a_long_query_blocks_neither_ping_nor_insert(
    server: EngineProcess, database: str, table: Callable[..., str]
) -> None:
    name = f"{database}.{table('a Int8')}"
    asked = b"SELECT count() FROM numbers(100000000000) WHERE NOT ignore(sipHash64(number))"
    started = threading.Event()

    def ask() -> tuple[int, dict[str, str], bytes]:
        started.set()
        return fetch(server, asked, max_execution_time="5", max_threads="1")

    with ThreadPoolExecutor(1) as pool:
        long = pool.submit(ask)
        started.wait(10)
        assert fetch(server, path="/ping")[0] == 200
        assert fetch(server, f"INSERT INTO {name} VALUES (1)".encode())[0] == 200
        assert not long.done()
        assert long.result()[1]["x-clickhouse-exception-code"] == "159"


def test_now_is_now(client: Any) -> None:
    now = client.query("SELECT now('UTC')").result_rows[0][0]
    assert abs(now.replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=5)
