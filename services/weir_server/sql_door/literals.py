"""Rows known beforehand as SQL that names no table: what the door says of itself goes through the gate, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from weir_store.sql import quoting
from weir_store.sql.quoting import string

Value = str | int | None

_CAST: Final[Mapping[str, str]] = {
    "String": "{}",
    "UInt8": "toUInt8({})",
    "UInt32": "toUInt32({})",
    "UInt64": "toUInt64({})",
    "Nullable(UInt64)": "CAST({} AS Nullable(UInt64))",
    "Nullable(String)": "CAST({} AS Nullable(String))",
}


def quoted(value: Value) -> str:
    """Return a value as SQL writes it."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else string(value)


def table_of(types: Mapping[str, str], rows: Sequence[Mapping[str, Value]]) -> str:
    """Return a SELECT in brackets that gives these rows.

    Args:
        types: Column → String, UInt8, UInt32, UInt64, Nullable(UInt64) or Nullable(String).
        rows: Column → value; what a row does not name is NULL, 0 or "".

        (SELECT r.1 AS `name`, toUInt8(0) AS `is_temporary` FROM (SELECT arrayJoin([('runs'), …]) AS r))
    """
    said = [name for name in types if any(name in row for row in rows)]
    select = ", ".join(
        f"{_CAST[kind].format(f'r.{said.index(name) + 1}' if name in said else _empty(kind))} AS {quoting.name(name)}"
        for name, kind in types.items()
    )
    if not said:
        return f"(SELECT {select})"
    tuples = ", ".join(f"tuple({', '.join(quoted(row[name]) for name in said)})" for row in rows)
    return f"(SELECT {select} FROM (SELECT arrayJoin([{tuples}]) AS r))"


def _empty(kind: str) -> str:
    if kind.startswith("Nullable"):
        return "NULL"
    return "''" if kind == "String" else "0"
