"""An HTTP request as the door understands it: who asks, what, and how the answer is wanted. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from weir_server.content_encoding import chosen_encoding
from weir_server.sql_door.faults import NOT_IMPLEMENTED, UNKNOWN_COMPRESSION_METHOD, Fault

# Parameters that speak to the HTTP interface; every other one is a setting.
_OWN: Final = frozenset(
    [
        "query", "query_id", "database", "default_format", "user", "password", "quota_key", "role",
        "session_id", "session_timeout", "session_check", "close_session", "client_protocol_version",
        "compress", "decompress", "wait_end_of_query", "buffer_size", "stacktrace",
    ]
)  # fmt: skip
_PARAM: Final = "param_"


@dataclass(frozen=True, slots=True)
class Request:
    """What a request asks for.

    Attributes:
        text: The statement: the parameter `query`, and the body behind it.
        form: Format asked for outside the statement; "" = none.
        database: Named outside the statement; "" = none.
        parameters: Values of `{name:Type}`, as texts, escaped as sent.
        settings: Settings as sent.
        encoding: Content-Encoding to answer with; "" = none.
        revision: Of ClickHouse's protocol that the client speaks; 0 = not told.
        wait_end: Begin the answer when the statement has ended well.
    """

    text: str
    form: str
    database: str
    parameters: Mapping[str, str]
    settings: tuple[tuple[str, str], ...]
    encoding: str
    revision: int
    wait_end: bool


def read_request(
    parameters: Iterable[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> Request:
    """Read a request.

    Args:
        parameters: Of the address, in order; the last of a name counts.
        headers: Names in lower case.
        body: Unpacked.

    Raises:
        Fault: An option that the door does not honour.
    """
    given = dict(parameters)
    _refuse_options(given, headers)
    pieces = [given.get("query", ""), _text_of(body)]
    settings = tuple(
        (name, value)
        for name, value in given.items()
        if name not in _OWN and not name.startswith(_PARAM)
    )
    packed = _is_on(given.get("enable_http_compression", "0"))
    return Request(
        text="\n".join(filter(None, pieces)),
        form=given.get("default_format") or headers.get("x-clickhouse-format", ""),
        database=given.get("database") or headers.get("x-clickhouse-database", ""),
        parameters={
            name.removeprefix(_PARAM): value
            for name, value in given.items()
            if name.startswith(_PARAM)
        },
        settings=settings,
        encoding=chosen_encoding(headers.get("accept-encoding", "")) if packed else "",
        revision=_whole(given.get("client_protocol_version", "0")),
        wait_end=_is_on(given.get("wait_end_of_query", "0")),
    )


def secret_of(parameters: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """Return the token a request carries; "" = none. Any user name will do.

    It is the password of `Authorization: Basic`, what follows `Bearer`, the header
    `X-ClickHouse-Key`, or the parameter `password`, in that order.
    """
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(token.strip(), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return ""
        return pair.partition(":")[2]
    return headers.get("x-clickhouse-key") or parameters.get("password", "")


def _refuse_options(given: Mapping[str, str], headers: Mapping[str, str]) -> None:
    for name in ("compress", "decompress"):
        if _is_on(given.get(name, "0")):
            raise Fault(
                UNKNOWN_COMPRESSION_METHOD,
                f"{name}=1 packs blocks in ClickHouse's own way, which is not offered here;"
                " turn compression off, or use that of HTTP (enable_http_compression=1)",
            )
    if headers.get("content-type", "").startswith("multipart/form-data"):
        raise Fault(
            NOT_IMPLEMENTED,
            "forms and external tables are not offered: send the statement as the body",
        )


def _text_of(body: bytes) -> str:
    # Half characters become lone surrogates, which the gate refuses by name.
    return body.decode("utf-8", "surrogateescape")


def _is_on(value: str) -> bool:
    return value.lower() in ("1", "true")


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
