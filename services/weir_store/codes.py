"""What each ClickHouse error code asks of the caller. Anything not listed asks to wait and repeat.

Repeating is the safe default because every write is idempotent: a code nobody
has thought of costs time, never points. Numbers are ClickHouse's own, `system.errors`.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from weir_store.errors import (
    InvalidQuery,
    SchemaMismatch,
    StoreError,
    StoreRejected,
    StoreUnavailable,
    WrongCredentials,
)


class Doing(Enum):
    """What was under way when the server refused: the same code can mean different things."""

    ASKING = "asking"
    INSERTING = "inserting"
    CHANGING = "changing"  # DDL and mutations


SCHEMA_CODES: Final = {
    60: "UNKNOWN_TABLE",
    81: "UNKNOWN_DATABASE",
}

INSERT_SCHEMA_CODES: Final = {
    8: "THERE_IS_NO_COLUMN",
    10: "NOT_FOUND_COLUMN_IN_BLOCK",
    16: "NO_SUCH_COLUMN_IN_TABLE",
    20: "NUMBER_OF_COLUMNS_DOESNT_MATCH",
    44: "ILLEGAL_COLUMN",
    47: "UNKNOWN_IDENTIFIER",
    53: "TYPE_MISMATCH",
    122: "INCOMPATIBLE_COLUMNS",
}

REJECTED_CODES: Final = {
    6: "CANNOT_PARSE_TEXT",
    19: "SIZE_OF_FIXED_STRING_DOESNT_MATCH",
    26: "CANNOT_PARSE_QUOTED_STRING",
    27: "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
    38: "CANNOT_PARSE_DATE",
    41: "CANNOT_PARSE_DATETIME",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    72: "CANNOT_PARSE_NUMBER",
    117: "INCORRECT_DATA",
    128: "TOO_LARGE_ARRAY_SIZE",
    131: "TOO_LARGE_STRING_SIZE",
    190: "SIZES_OF_ARRAYS_DONT_MATCH",
    321: "VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE",
    349: "CANNOT_INSERT_NULL_IN_ORDINARY_COLUMN",
    376: "CANNOT_PARSE_UUID",
    469: "VIOLATED_CONSTRAINT",
    691: "UNKNOWN_ELEMENT_OF_ENUM",
}

INVALID_QUERY_CODES: Final = {
    6: "CANNOT_PARSE_TEXT",
    8: "THERE_IS_NO_COLUMN",
    10: "NOT_FOUND_COLUMN_IN_BLOCK",
    16: "NO_SUCH_COLUMN_IN_TABLE",
    34: "TOO_MANY_ARGUMENTS_FOR_FUNCTION",
    35: "TOO_FEW_ARGUMENTS_FOR_FUNCTION",
    36: "BAD_ARGUMENTS",
    38: "CANNOT_PARSE_DATE",
    41: "CANNOT_PARSE_DATETIME",
    42: "NUMBER_OF_ARGUMENTS_DOESNT_MATCH",
    43: "ILLEGAL_TYPE_OF_ARGUMENT",
    44: "ILLEGAL_COLUMN",
    46: "UNKNOWN_FUNCTION",
    47: "UNKNOWN_IDENTIFIER",
    48: "NOT_IMPLEMENTED",
    50: "UNKNOWN_TYPE",
    53: "TYPE_MISMATCH",
    62: "SYNTAX_ERROR",
    63: "UNKNOWN_AGGREGATE_FUNCTION",
    69: "ARGUMENT_OUT_OF_BOUND",
    70: "CANNOT_CONVERT_TYPE",
    72: "CANNOT_PARSE_NUMBER",
    73: "UNKNOWN_FORMAT",
    80: "INCORRECT_QUERY",
    115: "UNKNOWN_SETTING",
    153: "ILLEGAL_DIVISION",
    158: "TOO_MANY_ROWS",
    161: "TOO_MANY_COLUMNS",
    162: "TOO_DEEP_SUBQUERIES",
    164: "READONLY",
    167: "TOO_DEEP_AST",
    168: "TOO_BIG_AST",
    179: "MULTIPLE_EXPRESSIONS_FOR_ALIAS",
    184: "ILLEGAL_AGGREGATION",
    191: "SET_SIZE_LIMIT_EXCEEDED",
    207: "AMBIGUOUS_IDENTIFIER",
    215: "NOT_AN_AGGREGATE",
    307: "TOO_MANY_BYTES",
    386: "NO_COMMON_TYPE",
    396: "TOO_MANY_ROWS_OR_BYTES",
    403: "INVALID_JOIN_ON_EXPRESSION",
    452: "SETTING_CONSTRAINT_VIOLATION",
    456: "UNKNOWN_QUERY_PARAMETER",
    457: "BAD_QUERY_PARAMETER",
}

# Waiting helps only once a person has acted: the hint tells which one.
HINTS: Final = {
    164: "give the user of clickhouse.user the right to write",
    192: "check clickhouse.user and clickhouse.password",
    193: "check clickhouse.user and clickhouse.password",
    242: "see system.replicas: the table is read-only",
    243: "free disk space on the ClickHouse server",
    252: "merges are behind: see system.parts and system.merges",
    497: "grant the user of clickhouse.user what the message names",
    516: "check clickhouse.user and clickhouse.password",
}

CREDENTIAL_CODES: Final = {192: "UNKNOWN_USER", 193: "WRONG_PASSWORD", 516: "AUTHENTICATION_FAILED"}

_MIGRATE: Final = "run `weir migrate`"


def to_store_error(code: int | None, message: str, doing: Doing) -> StoreError:
    """Return the error of ours that says what to do about a ClickHouse code.

    Args:
        code: ClickHouse's number; `None` when no answer came at all.
        message: What the driver said.
        doing: What was under way.
    """
    if code is None:
        return StoreUnavailable(message)
    if code in SCHEMA_CODES or (doing is Doing.INSERTING and code in INSERT_SCHEMA_CODES):
        return SchemaMismatch(message, hint=_MIGRATE)
    if doing is Doing.INSERTING and code in REJECTED_CODES:
        return StoreRejected(message)
    if doing is Doing.ASKING and code in INVALID_QUERY_CODES:
        return InvalidQuery(message)
    if code in CREDENTIAL_CODES:
        return WrongCredentials(message, hint=HINTS[code])
    return StoreUnavailable(message, hint=HINTS.get(code, ""))
