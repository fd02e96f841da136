"""What the engine answers when a query cannot run: ClickHouse's codes, names and HTTP statuses."""

from __future__ import annotations

import re

SYNTAX_ERROR = (62, "SYNTAX_ERROR")
NOT_IMPLEMENTED = (48, "NOT_IMPLEMENTED")
READONLY = (164, "READONLY")
BAD_ARGUMENTS = (36, "BAD_ARGUMENTS")
UNKNOWN_SETTING = (115, "UNKNOWN_SETTING")
UNKNOWN_TYPE_OF_QUERY = (78, "UNKNOWN_TYPE_OF_QUERY")
INTO_OUTFILE_NOT_ALLOWED = (358, "INTO_OUTFILE_NOT_ALLOWED")
REQUIRED_PASSWORD = (194, "REQUIRED_PASSWORD")
AUTHENTICATION_FAILED = (516, "AUTHENTICATION_FAILED")
TOO_MANY_SIMULTANEOUS_QUERIES = (202, "TOO_MANY_SIMULTANEOUS_QUERIES")
SESSION_NOT_FOUND = (372, "SESSION_NOT_FOUND")
SESSION_IS_LOCKED = (373, "SESSION_IS_LOCKED")
INVALID_SESSION_TIMEOUT = (374, "INVALID_SESSION_TIMEOUT")
QUERY_WAS_CANCELLED = (394, "QUERY_WAS_CANCELLED")
INCORRECT_DATA = (117, "INCORRECT_DATA")
UNKNOWN_COMPRESSION_METHOD = (89, "UNKNOWN_COMPRESSION_METHOD")
LIMIT_EXCEEDED = (290, "LIMIT_EXCEEDED")
CANNOT_WRITE_TO_FILE = (75, "CANNOT_WRITE_TO_FILE_DESCRIPTOR")

# ClickHouse's exceptionCodeToHTTPStatus; every code not named here is answered with 500.
_STATUS_BY_CODES: dict[int, frozenset[int]] = {
    400: frozenset(
        {6, 15, 25, 26, 27, 36, 38, 41, 44, 53, 62, 69, 70, 72, 117, 120, 167, 168, 185, 195, 223}
        | {358, 374, 376, 441, 456, 457, 467, 675, 676}
    ),
    401: frozenset({194}),
    403: frozenset({164, 192, 193, 497, 516}),
    404: frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 139, 150, 336, 372}),
    408: frozenset({159}),
    411: frozenset({381}),
    413: frozenset({290}),
    501: frozenset({48}),
    503: frozenset({76, 202, 209, 439}),
}
_STATUS = {code: status for status, codes in _STATUS_BY_CODES.items() for code in codes}
_CODE = re.compile(r"Code: (\d+)\. DB::Exception: ")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)(?: \(version [^)]*\))?\.?\s*(?=\(|$)")


class QueryFailed(Exception):
    """A query that cannot run, or stopped; `code` and `name` are ClickHouse's."""

    def __init__(self, code: tuple[int, str], message: str) -> None:
        super().__init__(message)
        self.code, self.name = code
        self.message = message

    @property
    def status(self) -> int:
        """The HTTP status ClickHouse answers this code with."""
        return _STATUS.get(self.code, 500)

    def text(self, version: str) -> str:
        """Return the one line ClickHouse writes for this exception."""
        return (
            f"Code: {self.code}. DB::Exception: {self.message}. ({self.name})"
            f" (version {version} (weir engine))"
        )


def from_engine(message: str) -> QueryFailed:
    """Translate the text of an exception that came out of chDB.

    chDB puts its own words in front, and sometimes repeats the head and the name; what is left
    is one code (the outermost), one message and one name.
    """
    heads = list(_CODE.finditer(message))
    if not heads:
        return QueryFailed((1001, "STD_EXCEPTION"), message.strip() or "the engine gave no reason")
    code = int(heads[0][1])
    innermost = heads[0]
    for head in heads[1:]:
        if head.start() != innermost.end():
            break
        innermost = head
    rest = message[innermost.end() :]
    names = list(_NAME.finditer(rest))
    name = names[0][1] if names else "UNKNOWN_EXCEPTION"
    plain = rest[: names[0].start()] if names else rest
    return QueryFailed((code, name), plain.strip().removesuffix("."))
