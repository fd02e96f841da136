"""What the door answers instead of rows, in the words and numbers that drivers of ClickHouse know."""

from __future__ import annotations

import re
from typing import Final

from weir_server.errors import ServerError, Unauthenticated
from weir_store.errors import InvalidQuery, StoreError
from weir_store.sql.base import LimitReached, Refused

# ClickHouse's own numbers, `system.errors`.
SYNTAX_ERROR: Final = 62
NOT_IMPLEMENTED: Final = 48
UNKNOWN_TABLE: Final = 60
UNKNOWN_DATABASE: Final = 81
UNKNOWN_FORMAT: Final = 73
INCORRECT_DATA: Final = 117
TIMEOUT_EXCEEDED: Final = 159
TOO_MANY_ROWS_OR_BYTES: Final = 396
SETTING_CONSTRAINT_VIOLATION: Final = 452
ACCESS_DENIED: Final = 497
AUTHENTICATION_FAILED: Final = 516
ALL_CONNECTION_TRIES_FAILED: Final = 279
UNKNOWN_COMPRESSION_METHOD: Final = 89
QUERY_IS_TOO_LARGE: Final = 307

_CODE: Final = re.compile(r"\bcode:? (\d{1,4})\b", re.IGNORECASE)


class Fault(Exception):
    """A request that gets no rows.

    Attributes:
        code: ClickHouse's number.
        status: Of HTTP.
    """

    def __init__(self, code: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    @property
    def text(self) -> str:
        """The body, as every driver of ClickHouse reads it."""
        return f"Code: {self.code}. DB::Exception: {self}\n"


def fault_of(error: StoreError | ServerError) -> Fault:
    """Return what to answer to something that went wrong."""
    words = str(error)
    if isinstance(error, Unauthenticated):
        return Fault(AUTHENTICATION_FAILED, words, status=401)
    if isinstance(error, Refused):
        return Fault(ACCESS_DENIED, words)
    if isinstance(error, LimitReached):
        return Fault(TOO_MANY_ROWS_OR_BYTES, words)
    told = _CODE.search(words)
    if isinstance(error, InvalidQuery):
        return Fault(int(told[1]) if told else SYNTAX_ERROR, words)
    return Fault(int(told[1]) if told else ALL_CONNECTION_TRIES_FAILED, words, status=503)
