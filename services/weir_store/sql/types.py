"""The data types that a statement may name, and their one way to be written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from weir_store.sql import quoting
from weir_store.sql.base import Refused
from weir_store.sql.lexer import NUMBER, QUOTED, STRING, WORD, Token, listed, tokens

# No AggregateFunction (a forged state can hurt the server), no Identifier (a parameter of that type
# is a table or a column), no JSON, Object, Dynamic, Variant.
_NAMES: Final = listed(
    "Bool String FixedString UUID IPv4 IPv6 Date Date32 DateTime DateTime64 Decimal Decimal32 Decimal64"
    " Decimal128 Decimal256 Float32 Float64 Int8 Int16 Int32 Int64 Int128 Int256 UInt8 UInt16 UInt32"
    " UInt64 UInt128 UInt256 Array Tuple Map Nullable LowCardinality Enum Enum8 Enum16"
)
_ALIASES: Final = listed(
    "bool boolean int integer bigint smallint tinyint float double real text varchar char decimal numeric"
    " date datetime timestamp uuid string"
)
TYPES: Final = _NAMES | _ALIASES
_MOST_DEPTH: Final = 10


def read_type(seen: Sequence[Token], at: int, *, depth: int = 0) -> tuple[str, int]:
    """Read the type that begins at token `at`.

    Returns:
        The type as ClickHouse reads it, and the token behind it.

    Raises:
        Refused: No type, or one that SQL may not name here.
    """
    word = seen[at] if at < len(seen) else None
    if word is None or word.kind != WORD:
        raise Refused("no type where one belongs", hint="write a type such as Float64")
    if word.text not in TYPES and word.text.lower() not in _ALIASES:
        raise Refused(f"the type {word.text}", hint="see docs/sql-limits.md for the types")
    if depth > _MOST_DEPTH:
        raise Refused(f"a type that is nested deeper than {_MOST_DEPTH}")
    at += 1
    if at == len(seen) or not seen[at].is_mark("("):
        return word.text, at
    arguments: list[str] = []
    while not seen[at].is_mark(")"):
        argument, at = _argument(seen, at + 1, depth)
        arguments.append(argument)
        if at == len(seen) or not seen[at].is_mark(",", ")"):
            raise Refused(f"the type {word.text}( … without its end")
    return f"{word.text}({', '.join(arguments)})", at + 1


def check_type(text: str) -> str:
    """Return the type that a string names, e.g. in `CAST(x, 'Float64')`, in its one form."""
    seen = tokens(text)
    written, end = read_type(seen, 0)
    if end != len(seen):
        raise Refused(f"the type '{text[:80]}'")
    return written


def _argument(seen: Sequence[Token], at: int, depth: int) -> tuple[str, int]:
    """Read a number, a string, `'a' = 1` of an Enum, a type, or `name type` of a Tuple."""
    if at + 1 >= len(seen):
        raise Refused("a type without its end")
    token, following = seen[at], seen[at + 1]
    if token.kind == NUMBER:
        return token.text, at + 1
    if token.kind == STRING:
        if not following.is_mark("="):
            return quoting.string(token.text), at + 1
        return _enum_value(seen, at)
    if token.kind in (WORD, QUOTED) and following.kind == WORD:
        inner, end = read_type(seen, at + 1, depth=depth + 1)
        return f"{quoting.name(token.text)} {inner}", end
    return read_type(seen, at, depth=depth + 1)


def _enum_value(seen: Sequence[Token], at: int) -> tuple[str, int]:
    number_at = at + 2
    sign = ""
    if number_at < len(seen) and seen[number_at].is_mark("-"):
        sign, number_at = "-", number_at + 1
    if number_at >= len(seen) or seen[number_at].kind != NUMBER:
        raise Refused("a value of an Enum that is no number")
    return f"{quoting.string(seen[at].text)} = {sign}{seen[number_at].text}", number_at + 1
