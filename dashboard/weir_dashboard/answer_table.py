"""An answer in SQL as a table that a browser can show: no type it cannot, no two columns of one name. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.types as types

LONGEST_CELL: Final = 4_096
"""Characters of a list, a map or bytes written as text; `…` says that there are more."""


def displayable(table: pa.Table) -> pa.Table:
    """Return the table for a page: lists, maps and bytes as text, shortened; decimals as floats."""
    return _each(table, lambda column: _shown(column, LONGEST_CELL, decimals=False))


def flat(table: pa.Table) -> pa.Table:
    """Return the table for a file without lists, such as CSV: nothing is shortened or rounded."""
    return _each(table, lambda column: _shown(column, None, decimals=True))


def unique(names: Sequence[str]) -> list[str]:
    """Give columns of one name numbers: `count()`, `count() (2)`; a name that is empty gets one."""
    taken = set(names)
    seen: set[str] = set()
    given = []
    for name in names:
        new = name or "(no name)"
        if name in seen or not name:
            numbered = (f"{new} ({number})" for number in itertools.count(2))
            free = itertools.chain([] if name else [new], numbered)
            new = next(one for one in free if one not in taken)
        seen.add(name)
        taken.add(new)
        given.append(new)
    return given


def _each(table: pa.Table, shown: Callable[[pa.ChunkedArray], pa.ChunkedArray]) -> pa.Table:
    columns = [shown(table.column(at)) for at in range(table.num_columns)]
    return pa.table(columns, names=unique(table.column_names))


def _shown(column: pa.ChunkedArray, longest: int | None, *, decimals: bool) -> pa.ChunkedArray:
    kind = column.type
    if types.is_dictionary(kind):
        return _shown(column.cast(kind.value_type), longest, decimals=decimals)
    if types.is_decimal(kind) and not decimals:
        return column.cast(pa.float64(), safe=False)
    if types.is_nested(kind) or _is_bytes(kind):
        texts = [_text(value, longest) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    return column


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


def _text(value: object, longest: int | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.hex()
    else:
        text = str(value)
    return text if longest is None or len(text) <= longest else text[:longest] + "…"
