"""An HTTP request as the engine understands it: pure, from parameters and headers to a `Query`."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP

from weir_server.content_encoding import chosen_encoding
from weir_server.engine import errors
from weir_server.engine.errors import QueryFailed

# Parameters that speak to the HTTP interface; every other one is a setting of the query.
_OWN_PARAMETERS = (
    {"query", "query_id", "database", "default_format", "user", "password", "quota_key", "role"}
    | {"session_id", "session_timeout", "session_check", "client_protocol_version"}
    | {"compress", "decompress", "wait_end_of_query", "buffer_size", "stacktrace"}
)
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RESULT_BUFFER_BYTES = 1 << 20
_MAX_RESULT_BUFFER_BYTES = 16 << 20
_SESSION_TIMEOUT_S = 60
_MAX_SESSION_TIMEOUT_S = 3600
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Session:
    """The session a request belongs to."""

    id: str
    timeout_s: int
    must_exist: bool


@dataclass(frozen=True, slots=True)
class Query:
    """What a request asks for, the body aside.

    Attributes:
        text: The `query` parameter; the body follows it.
        parameters: Bound parameters, name (without `param_`) → value as escaped text.
        settings: Settings for this query only, in the order given.
        readonly: 0, 1 or 2 as ClickHouse means them; 2 at least for GET.
        wait_end: Answer only when the query has ended well.
        buffer_bytes: How much of a result is held before the answer begins.
        compress: Content-Encoding to answer with, "" for none.
    """

    text: bytes = b""
    database: str = ""
    format: str = ""
    query_id: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    readonly: int = 0
    session: Session | None = None
    wait_end: bool = False
    buffer_bytes: int = _RESULT_BUFFER_BYTES
    compress: str = ""

    @property
    def default_format(self) -> str:
        """The format of an answer whose statement names none."""
        return self.format or "TabSeparated"


def read_query(
    method: str, parameters: Iterable[tuple[str, str]], headers: Mapping[str, str]
) -> Query:
    """Read a request into a `Query`.

    Args:
        method: GET and HEAD may only read.
        parameters: URL parameters and form fields, in order; the last of a name counts.
        headers: Header names in lower case.

    Raises:
        QueryFailed: A setting whose name is none, or an option the engine does not honour.
    """
    given = dict(parameters)
    for option in ("compress", "decompress", "role"):
        if given.get(option, "0") not in ("", "0", "false"):
            raise QueryFailed(errors.NOT_IMPLEMENTED, f"Parameter {option} is not supported here")
    settings = {
        name: value
        for name, value in given.items()
        if name not in _OWN_PARAMETERS and not name.startswith("param_")
    }
    for name in settings:
        if not _SETTING_NAME.match(name):
            raise QueryFailed(errors.UNKNOWN_SETTING, f"Unknown setting '{name}'")
    readonly = _whole("readonly", settings.pop("readonly", "0"), 0, 2)
    if method in ("GET", "HEAD") and not readonly:
        readonly = 2
    return Query(
        text=given.get("query", "").encode("utf-8", "surrogateescape"),
        database=given.get("database") or headers.get("x-clickhouse-database", ""),
        format=given.get("default_format") or headers.get("x-clickhouse-format", ""),
        query_id=given.get("query_id") or str(uuid.uuid4()),
        parameters={
            name.removeprefix("param_"): value
            for name, value in given.items()
            if name.startswith("param_")
        },
        settings=settings,
        readonly=readonly,
        session=_session(given),
        wait_end=_is_on(given.get("wait_end_of_query", "0")),
        buffer_bytes=_whole(
            "buffer_size",
            given.get("buffer_size", str(_RESULT_BUFFER_BYTES)),
            0,
            _MAX_RESULT_BUFFER_BYTES,
        ),
        compress=_encoding(settings.get("enable_http_compression", "0"), headers),
    )


def read_form(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Read the fields of a `multipart/form-data` body.

    Raises:
        QueryFailed: The form carries a file, i.e. an external table.
    """
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields = []
    for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
        if part.get_filename() is not None:
            raise QueryFailed(
                errors.NOT_IMPLEMENTED, "External data is not supported by the embedded engine"
            )
        content = part.get_payload(decode=True)
        name = part.get_param("name", header="content-disposition")
        text = content.decode("utf-8", "surrogateescape") if isinstance(content, bytes) else ""
        fields.append((str(name), text))
    return fields


def is_allowed(
    parameters: Mapping[str, str], headers: Mapping[str, str], *, user: str, password: str
) -> bool:
    """Tell whether the request names the user and the password, in constant time.

    The user comes from `Authorization: Basic`, the `X-ClickHouse-User` and `X-ClickHouse-Key`
    headers, or the `user` and `password` parameters, in that order.
    """
    given_user, given_password = _credentials(parameters, headers)
    right_user = hmac.compare_digest(_raw(given_user), _raw(user))
    right_password = hmac.compare_digest(_raw(given_password), _raw(password))
    return right_user and right_password


def has_credentials(parameters: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """Tell whether the request tries to say who it is."""
    return bool(
        {"authorization", "x-clickhouse-user", "x-clickhouse-key"} & headers.keys()
        or {"user", "password"} & parameters.keys()
    )


def _credentials(parameters: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(token.strip(), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return "", ""
        user, _, password = pair.partition(":")
        return user, password
    if scheme:
        return "", ""
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user", "default"), headers.get("x-clickhouse-key", "")
    return parameters.get("user", "default"), parameters.get("password", "")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _session(given: Mapping[str, str]) -> Session | None:
    if not given.get("session_id"):
        return None
    text = given.get("session_timeout", str(_SESSION_TIMEOUT_S))
    if not _is_whole(text) or int(text) > _MAX_SESSION_TIMEOUT_S:
        raise QueryFailed(
            errors.INVALID_SESSION_TIMEOUT,
            f"Session timeout '{text}' is not a number of seconds up to {_MAX_SESSION_TIMEOUT_S}",
        )
    return Session(given["session_id"], int(text), _is_on(given.get("session_check", "0")))


def _encoding(enabled: str, headers: Mapping[str, str]) -> str:
    """Choose the encoding of the answer: the cheapest of those the client takes."""
    if not _is_on(enabled):
        return ""
    return chosen_encoding(headers.get("accept-encoding", ""))


def _is_on(value: str) -> bool:
    return value.lower() in ("1", "true")


def _is_whole(text: str) -> bool:
    # Python refuses to read a number of thousands of digits, and nobody means one.
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not _is_whole(text) or not low <= int(text):
        raise QueryFailed(errors.BAD_ARGUMENTS, f"Parameter {name} is not a whole number: '{text}'")
    return min(int(text), high)
