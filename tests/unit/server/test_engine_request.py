"""An HTTP request becomes a query: parameters, settings, formats, who is asking."""

from __future__ import annotations

import base64
import gzip
import zlib

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from weir_server.content_encoding import packer
from weir_server.engine.compression import unpack
from weir_server.engine.errors import QueryFailed, from_engine
from weir_server.engine.insert import Rows
from weir_server.engine.reply import content_type
from weir_server.engine.request import Query, is_allowed, read_form, read_query


def read(method: str = "POST", headers: dict[str, str] | None = None, **parameters: str) -> Query:
    return read_query(method, list(parameters.items()), headers or {})


def code_of(**parameters: str) -> int:
    with pytest.raises(QueryFailed) as failed:
        read(**parameters)
    return failed.value.code


def test_what_http_does_not_know_is_a_setting() -> None:
    query = read(query="SELECT 1", max_threads="2", async_insert="0", param_x="1", database="d")
    assert query.settings == {"max_threads": "2", "async_insert": "0"}
    assert query.parameters == {"x": "1"}
    assert query.database == "d"


def test_a_setting_whose_name_is_sql_is_refused() -> None:
    assert code_of(**{"a=1, b": "1"}) == 115


def test_get_only_reads_and_post_may_write() -> None:
    assert read("GET").readonly == 2
    assert read("GET", readonly="1").readonly == 1
    assert read("POST").readonly == 0
    assert read("POST", readonly="1").readonly == 1


def test_readonly_is_no_setting_that_could_come_before_others() -> None:
    assert "readonly" not in read(readonly="1", max_threads="1").settings


@pytest.mark.parametrize("option", ["compress", "decompress", "role"])
def test_an_option_the_engine_does_not_honour_is_refused(option: str) -> None:
    assert code_of(**{option: "1"}) == 48
    assert read(**{option: "0"}) is not None


def test_the_format_comes_from_the_parameter_then_the_header() -> None:
    header = {"x-clickhouse-format": "JSON"}
    assert read().default_format == "TabSeparated"
    assert read(headers=header).default_format == "JSON"
    assert read(headers=header, default_format="CSV").default_format == "CSV"


def test_a_query_without_an_id_is_given_one() -> None:
    assert read(query_id="mine").query_id == "mine"
    assert read().query_id != read().query_id


def test_a_session_has_a_timeout_within_bounds() -> None:
    session = read(session_id="s", session_timeout="10", session_check="1").session
    assert session is not None
    assert (session.id, session.timeout_s, session.must_exist) == ("s", 10, True)
    assert code_of(session_id="s", session_timeout="99999") == 374
    assert code_of(session_id="s", session_timeout="-1") == 374


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("gzip", "gzip"),
        ("br, zstd;q=0.5, gzip", "zstd"),
        ("lz4,br,zstd,gzip,deflate", "lz4"),
        ("gzip;q=0, deflate", "deflate"),
        ("br", ""),
        ("identity", ""),
    ],
)
def test_the_answer_is_packed_only_as_the_client_accepts(accept: str, chosen: str) -> None:
    headers = {"accept-encoding": accept}
    assert read(headers=headers, enable_http_compression="1").compress == chosen
    assert read(headers=headers).compress == ""


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.mark.parametrize(
    ("parameters", "headers"),
    [
        ({}, basic("u", "p:ä")),
        ({}, {"x-clickhouse-user": "u", "x-clickhouse-key": "p:ä"}),
        ({"user": "u", "password": "p:ä"}, {}),
    ],
)
def test_the_right_user_comes_in_by_every_door(
    parameters: dict[str, str], headers: dict[str, str]
) -> None:
    assert is_allowed(parameters, headers, user="u", password="p:ä")
    assert not is_allowed(parameters, headers, user="u", password="p")
    assert not is_allowed(parameters, headers, user="v", password="p:ä")


@pytest.mark.parametrize(
    "headers",
    [{}, {"authorization": "Bearer x"}, {"authorization": "Basic !"}, {"authorization": "Basic"}],
)
def test_a_stranger_stays_outside(headers: dict[str, str]) -> None:
    assert not is_allowed({}, headers, user="default", password="secret")


def test_a_form_carries_the_query_and_its_parameters() -> None:
    body = (
        b'--X\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT {a:String}\r\n'
        b'--X\r\nContent-Disposition: form-data; name="param_a"\r\n\r\n'
        + "ä\\n".encode()
        + b"\r\n--X--\r\n"
    )
    fields = read_form("multipart/form-data; boundary=X", body)
    assert fields == [("query", "SELECT {a:String}"), ("param_a", "ä\\n")]


def test_an_external_table_is_refused_by_name() -> None:
    body = (
        b'--X\r\nContent-Disposition: form-data; name="t"; filename="t.csv"\r\n\r\n1\r\n--X--\r\n'
    )
    with pytest.raises(QueryFailed, match="External data"):
        read_form("multipart/form-data; boundary=X", body)


_PACK = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
    "": bytes,
}


@given(
    data=st.binary(max_size=5_000),
    encoding=st.sampled_from(sorted(_PACK)),
    size=st.integers(1, 700),
)
def test_a_packed_body_unpacks_to_itself_however_it_is_cut(
    data: bytes, encoding: str, size: int
) -> None:
    packed = _PACK[encoding](data)
    pieces = (packed[at : at + size] for at in range(0, len(packed), size))
    assert b"".join(unpack(encoding, pieces)) == data


@given(st.lists(st.binary(max_size=300), max_size=5), st.sampled_from(["gzip", "zstd", "lz4"]))
def test_a_packed_answer_unpacks_to_itself(pieces: list[bytes], encoding: str) -> None:
    pack = packer(encoding)
    packed = [pack.compress(piece) for piece in pieces]
    packed.append(pack.flush())
    assert b"".join(unpack(encoding, iter(packed))) == b"".join(pieces)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "lz4"])
def test_a_bomb_unpacks_in_small_pieces(encoding: str) -> None:
    packed = _PACK[encoding](bytes(80 << 20))
    limit = 33 << 20 if encoding == "zstd" else 1 << 20
    assert max(map(len, unpack(encoding, iter([packed])))) <= limit


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "lz4"])
def test_a_body_that_is_not_what_it_says_is_incorrect_data(encoding: str) -> None:
    for body in (b"surely not packed", _PACK[encoding](b"x" * 1_000)[:-5]):
        with pytest.raises(QueryFailed) as failed:
            list(unpack(encoding, iter([body])))
        assert failed.value.code == 117


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(QueryFailed, match="snappy"):
        list(unpack("snappy", iter([b""])))


def test_a_format_that_is_held_whole_is_bounded_and_one_that_streams_is_not() -> None:
    pieces = [b"x" * 10] * 5
    assert b"".join(Rows(pieces, "CSV", max_whole_bytes=20)) == b"x" * 50
    with pytest.raises(QueryFailed, match="Parquet"):
        list(Rows(pieces, "Parquet", max_whole_bytes=20))


@pytest.mark.parametrize(
    ("text", "code", "name", "message", "status"),
    [
        ("Code: 62. DB::Exception: Bad (x). (SYNTAX_ERROR)", 62, "SYNTAX_ERROR", "Bad (x)", 400),
        (
            "Code: 115. DB::Exception: Code: 115. DB::Exception: Unknown 'foo'. (UNKNOWN_SETTING)"
            " (version 26.9.2.1). (UNKNOWN_SETTING)",
            115,
            "UNKNOWN_SETTING",
            "Unknown 'foo'",
            404,
        ),
        (
            "Streaming insert finish failed: Code: 27. DB::Exception: Cannot parse: (at row 1)\n:"
            " While executing X. (CANNOT_PARSE_INPUT_ASSERTION_FAILED) (version 26.9.2.1)",
            27,
            "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
            "Cannot parse: (at row 1)\n: While executing X",
            400,
        ),
        ("out of luck", 1001, "STD_EXCEPTION", "out of luck", 500),
        ("Code: 60. DB::Exception: No t. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", "No t", 404),
        (
            "Code: 159. DB::Exception: Slow. (TIMEOUT_EXCEEDED)",
            159,
            "TIMEOUT_EXCEEDED",
            "Slow",
            408,
        ),
        (
            "Code: 241. DB::Exception: Big. (MEMORY_LIMIT_EXCEEDED)",
            241,
            "MEMORY_LIMIT_EXCEEDED",
            "Big",
            500,
        ),
    ],
)
def test_the_engines_words_become_clickhouses(
    text: str, code: int, name: str, message: str, status: int
) -> None:
    fault = from_engine(text)
    assert (fault.code, fault.name, fault.message, fault.status) == (code, name, message, status)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("TabSeparatedWithNames", "text/tab-separated-values; charset=UTF-8"),
        ("CSVWithNames", "text/csv; charset=UTF-8; header=present"),
        ("JSONCompact", "application/json; charset=UTF-8"),
        ("JSONEachRow", "application/x-ndjson; charset=UTF-8"),
        ("Native", "application/octet-stream"),
        ("Pretty", "text/plain; charset=UTF-8"),
    ],
)
def test_a_format_has_clickhouses_content_type(name: str, kind: str) -> None:
    assert content_type(name) == kind
