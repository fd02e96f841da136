"""HTTP that no client of ours would speak, the same for the same seed."""

from __future__ import annotations

import gzip
import random
import socket
import zlib
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import lz4.frame
import zstandard

from tests.fuzz.bad_frames import mutated

Rng = random.Random
_WAITS_FOR_MORE_S = 0.5  # nothing depends on it but the length of the test
_SQL = (
    *("SELECT 1", "SELECT 1;SELECT 2", "SELECT", "", ";", "SELECT 1 FORMAT Nope", "'", "/*"),
    "SELECT '\0'",
    "SELECT " + "(" * 3_000 + "1" + ")" * 3_000,
    "SELECT " + "1," * 20_000 + "1",
    "SELECT sleep(0.01)",
    "INSERT INTO nothing FORMAT Arrow\n\xff\xfe",
    "INSERT INTO FUNCTION null('x Int8') FORMAT TSV\n1\n2\nx\n",
    *(
        "SELECT throwIf(1)",
        "SELECT * FROM numbers(100000)",
        "SELECT {p:UInt8}",
        "SET max_threads=1",
    ),
    *("WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t", "KILL QUERY WHERE 1", "DROP TABLE nothing"),
    *("SELECT file('/etc/passwd')", "SELECT 1 INTO OUTFILE '/tmp/x'", "EXPLAIN SELECT 1"),
    *("\ufeffSELECT 1", "SELECT 1 -- \u202e"),
)
_VALUES = (
    *(
        "",
        "0",
        "1",
        "-1",
        "9" * 5_000,
        "x" * 70_000,
        "é",
        "\0",
        "a\r\nX-Evil: 1",
        "٣",
        "true",
        "1e9",
    ),
    *("%", "\ud800"),
)
_NAMES = (
    *("query", "query_id", "database", "default_format", "user", "password", "role", "param_p"),
    *("session_id", "session_timeout", "session_check", "compress", "decompress", "no such"),
    *("wait_end_of_query", "buffer_size", "max_threads", "readonly", "max_memory_usage"),
    *("enable_http_compression", "format_schema", "http_native_compression"),
)


def bad_request(rng: Rng) -> bytes:
    """Return the bytes of one connection, from the client's side."""
    return rng.choice(_KINDS)(rng)


def exchange(
    host: str, port: int, request: bytes, *, pieces: int = 1, within_s: float = 30
) -> bytes:
    """Say it, in that many pieces, and return what was answered until the other side closed.

    When it waits for more, it is told that there is none.

    Raises:
        TimeoutError: It neither closed nor said anything for so long.
    """
    with socket.create_connection((host, port), timeout=within_s) as connection:
        size = max(1, -(-len(request) // pieces))
        try:
            for start in range(0, len(request), size):
                connection.sendall(request[start : start + size])
        except ConnectionError:  # it closed before it had heard all
            pass
        heard = bytearray()
        with suppress(ConnectionError):
            connection.settimeout(_WAITS_FOR_MORE_S)
            with suppress(TimeoutError):
                _listen(connection, heard)
                return bytes(heard)
            connection.shutdown(socket.SHUT_WR)
            connection.settimeout(within_s)
            _listen(connection, heard)
        return bytes(heard)


def _listen(connection: socket.socket, heard: bytearray) -> None:
    while piece := connection.recv(1 << 16):
        heard += piece


def _post(body: bytes, *headers: str, path: str = "/") -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*head, *headers, "", ""]).encode("utf-8", "surrogateescape") + body


def _query(rng: Rng) -> bytes:
    return rng.choice(_SQL).encode("utf-8")


def _parameters(rng: Rng) -> bytes:
    given = "&".join(
        f"{quote(rng.choice(_NAMES))}={quote(rng.choice(_VALUES), errors='surrogatepass')}"
        for _ in range(rng.randrange(1, 5))
    )
    return _post(_query(rng), path=f"/?{given}")


def _mutated(rng: Rng) -> bytes:
    return mutated(rng, _parameters(rng))


def _packed(rng: Rng) -> bytes:
    name = rng.choice(
        ("gzip", "deflate", "zstd", "lz4", "br", "identity", "", "gzip, zstd", "\x00")
    )
    body = _query(rng)
    packed = {
        "gzip": gzip.compress(body),
        "deflate": zlib.compress(body),
        "zstd": zstandard.compress(body),
        "lz4": lz4.frame.compress(body),
    }.get(name, body)
    kind = rng.randrange(4)
    if kind == 0:
        packed = mutated(rng, packed)
    elif kind == 1:
        packed = _bomb(name)
    elif kind == 2:
        packed = packed[: rng.randrange(len(packed) + 1)]
    return _post(packed, f"Content-Encoding: {name}", "Accept-Encoding: zstd, gzip")


def _bomb(name: str) -> bytes:
    """Return eight megabytes of nothing behind a comment, well packed."""
    text = b"SELECT 1 --" + bytes(8 << 20)
    match name:
        case "gzip":
            return gzip.compress(text)
        case "zstd":
            return zstandard.compress(text)
        case "lz4":
            return bytes(lz4.frame.compress(text))
        case _:
            return zlib.compress(text)


def _chunked(rng: Rng) -> bytes:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    size = rng.choice(
        (b"8", b"0", b"-1", b"ffffffffffffffff", b"zz", b"8;ext=" + b"x" * 9_000, b"")
    )
    return (
        head
        + size
        + b"\r\nSELECT 1\r\n"
        + rng.choice((b"0\r\n\r\n", b"", b"0\r\nX: y\r\n\r\n", b"\r\n"))
    )


def _heads(rng: Rng) -> bytes:
    line = rng.choice(
        (
            *("GET / HTTP/1.1", "GET /?query=SELECT+1 HTTP/9.9", "BREW / HTTP/1.1", "GET", ""),
            *("\r\n\r\n", "GET " + "/x" * 40_000 + " HTTP/1.1", "GET http://other/ HTTP/1.1"),
            *("GET /../../etc/passwd HTTP/1.1", "PRI * HTTP/2.0", "CONNECT x:1 HTTP/1.1"),
            *("OPTIONS * HTTP/1.1", "GET /ping HTTP/1.0", "HEAD /?query=SELECT+1 HTTP/1.1"),
        )
    )
    headers = rng.choice(
        (
            ["Host: x"],
            ["X: " + "y" * 200_000],
            [f"X{i}: y" for i in range(2_000)],
            ["Content-Length: -1"],
            ["Content-Length: 5", "Content-Length: 9"],
            ["Content-Length: 99999999999999999999"],
            ["Content-Length: 5", "Transfer-Encoding: chunked"],
            ["Authorization: Basic !!!"],
            ["Authorization: Basic " + "QQ" * 30_000],
            ["X-ClickHouse-User: \xff", "X-ClickHouse-Key: \xfe"],
            ["Expect: 100-continue", "Content-Length: 8"],
            ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x"],
            [" folded: x", ": empty", "no colon"],
            ["Connection: close", "X-ClickHouse-Format: Nope", "X-ClickHouse-Database: ../x"],
        )
    )
    return "\r\n".join([line, *headers, "", ""]).encode("latin-1", "replace")


def _form(rng: Rng) -> bytes:
    parts = rng.choice(
        (
            b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT 1\r\n--b--\r\n',
            b'--b\r\nContent-Disposition: form-data; name="t"; filename="f"\r\n\r\n1\r\n--b--\r\n',
            b"--b\r\n\r\n--b", b"", b"--b" * 20_000, b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" * 500,
        )
    )  # fmt: skip
    kind = rng.choice(
        ("multipart/form-data; boundary=b", "multipart/form-data", "multipart/form-data; boundary=")
    )
    return _post(mutated(rng, parts) if rng.random() < 0.5 else parts, f"Content-Type: {kind}")


def _pipelined(rng: Rng) -> bytes:
    ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    return ping * rng.choice((2, 50)) + _parameters(rng) + _heads(rng)


def _noise(rng: Rng) -> bytes:
    return rng.randbytes(rng.choice((1, 50, 5_000)))


def _cut(rng: Rng) -> bytes:
    whole = rng.choice((_parameters, _packed, _chunked))(rng)
    return whole[: rng.randrange(len(whole))]


_KINDS: tuple[Callable[[Rng], bytes], ...] = (
    _parameters, _parameters, _mutated, _packed, _packed, _chunked, _heads, _heads, _form, _pipelined, _noise, _cut,
)  # fmt: skip
