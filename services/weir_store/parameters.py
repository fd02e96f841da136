"""Bound parameters of one statement: values travel beside the SQL, never inside it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any


class Parameters:
    """Collects values; each method returns the `{name:Type}` that stands for one."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def text(self, value: str) -> str:
        """Bind text."""
        return self._bind(value, "String")

    def whole(self, value: int) -> str:
        """Bind a whole number of 64 bits."""
        return self._bind(value, "Int64")

    def number(self, value: float) -> str:
        """Bind a number, bit for bit: ClickHouse reads decimal text only roughly."""
        return f"reinterpretAsFloat64({self._bind(_bits(value), 'UInt64')})"

    def numbers(self, values: Sequence[float | None]) -> str:
        """Bind a list of numbers, bit for bit; None is NULL."""
        bits = [None if value is None else _bits(value) for value in values]
        bound = self._bind(bits, "Array(Nullable(UInt64))")
        return f"arrayMap(bits -> reinterpretAsFloat64(bits), {bound})"

    def texts(self, values: Sequence[str]) -> str:
        """Bind a list of texts."""
        return self._bind(list(values), "Array(String)")

    def wholes(self, values: Sequence[int]) -> str:
        """Bind a list of whole numbers."""
        return self._bind(list(values), "Array(Int64)")

    def tuples(self, values: Sequence[tuple[str, ...]], width: int) -> str:
        """Bind a list of tuples of `width` texts."""
        return self._bind(list(values), f"Array(Tuple({', '.join(['String'] * width)}))")

    def rows(self, values: Sequence[tuple[Any, ...]], kind: str) -> str:
        """Bind a list of tuples of this type."""
        return self._bind(list(values), f"Array({kind})")

    def _bind(self, value: Any, kind: str) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"


def _bits(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")
