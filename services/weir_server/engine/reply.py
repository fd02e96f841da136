"""What goes back over HTTP: headers, content types, summaries, exceptions. Pure."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from weir_server.engine.errors import QueryFailed
from weir_server.engine.outcome import Outcome
from weir_server.engine.request import Query
from weir_server.engine.statement import Statement

Headers = dict[str, str]

_TEXT = "text/plain; charset=UTF-8"
_BINARY = "application/octet-stream"
_CONTENT_TYPES: Mapping[str, str] = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "csvwithnamesandtypes": "text/csv; charset=UTF-8; header=present",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "jsoncompacteachrow": "application/x-ndjson; charset=UTF-8",
    "jsonlines": "application/x-ndjson; charset=UTF-8",
    "ndjson": "application/x-ndjson; charset=UTF-8",
    "xml": "application/xml; charset=UTF-8",
}
_CONTENT_TYPE_BY_PREFIX = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "json": "application/json; charset=UTF-8",
    "native": _BINARY,
    "arrow": _BINARY,
    "parquet": _BINARY,
    "rowbinary": _BINARY,
    "orc": _BINARY,
    "avro": _BINARY,
    "msgpack": _BINARY,
    "protobuf": _BINARY,
    "capnproto": _BINARY,
    "bson": _BINARY,
    "npy": _BINARY,
    "raw": _BINARY,
}


@dataclass(frozen=True, slots=True)
class Server:
    """What every answer says about who answers."""

    version: str
    timezone: str
    host_name: str


def content_type(format_name: str) -> str:
    """Return the content type ClickHouse gives an output format."""
    name = format_name.lower()
    if name in _CONTENT_TYPES:
        return _CONTENT_TYPES[name]
    prefixes = _CONTENT_TYPE_BY_PREFIX.items()
    return next((kind for prefix, kind in prefixes if name.startswith(prefix)), _TEXT)


def result_headers(server: Server, query: Query, statement: Statement) -> Headers:
    """Return the headers of an answer that has a result."""
    format_name = statement.format or query.default_format
    return _plain_headers(server, query) | {
        "Content-Type": content_type(format_name),
        "X-ClickHouse-Format": format_name,
    }


def summary(outcome: Outcome, *, result_bytes: int = 0) -> str:
    """Return the `X-ClickHouse-Summary` of a query that has ended; every value is text."""
    return json.dumps(
        {
            "read_rows": str(outcome.read_rows),
            "read_bytes": str(outcome.read_bytes),
            "written_rows": str(outcome.written_rows),
            "written_bytes": str(outcome.written_bytes),
            "total_rows_to_read": str(outcome.read_rows),
            "result_rows": str(outcome.result_rows),
            "result_bytes": str(result_bytes),
            "elapsed_ns": str(outcome.elapsed_ns),
        },
        separators=(",", ":"),
    )


def failure(server: Server, query: Query, fault: QueryFailed) -> tuple[int, Headers, bytes]:
    """Return status, headers and body of a query that failed before its answer began."""
    headers = _plain_headers(server, query) | {
        "Content-Type": _TEXT,
        "X-ClickHouse-Exception-Code": str(fault.code),
    }
    if fault.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="weir engine"'
    return fault.status, headers, f"{fault.text(server.version)}\n".encode()


def command_headers(server: Server, query: Query, statement: Statement, body: bytes) -> Headers:
    """Return the headers of a command: it names a format only when it has a result."""
    if body:
        return result_headers(server, query, statement)
    return _plain_headers(server, query) | {"Content-Type": _TEXT}


def exception_tag() -> str:
    """Return a tag no result will hold, to mark an exception in the middle of one."""
    return secrets.token_hex(8)


def tagged_failure(server: Server, fault: QueryFailed, tag: str) -> bytes:
    """Return what stands in the stream of a result that broke off.

    Source: ClickHouse 25.11, `WriteBufferFromHTTPServerResponse::cancelWithException`; the tag is
    announced in the header `X-ClickHouse-Exception-Tag`.
    """
    message = f"{fault.text(server.version)}\n".encode()
    return b"\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n" % (
        tag.encode(),
        message,
        len(message),
        tag.encode(),
    )


def _plain_headers(server: Server, query: Query) -> Headers:
    return {
        "X-ClickHouse-Server-Display-Name": server.host_name,
        "X-ClickHouse-Timezone": query.settings.get("session_timezone") or server.timezone,
        "X-ClickHouse-Query-Id": query.query_id,
    }
