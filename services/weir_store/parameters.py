"""Bound parameters of one statement: values travel beside the SQL, never inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Parameters:
    """Collects values; each method returns the `{name:Type}` that stands for one."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def string(self, value: str) -> str:
        """Bind text."""
        return self._bind(value, "String")

    def int(self, value: int) -> str:
        """Bind a whole number of 64 bits."""
        return self._bind(value, "Int64")

    def float(self, value: float) -> str:
        """Bind a finite number."""
        return self._bind(value, "Float64")

    def strings(self, values: Sequence[str]) -> str:
        """Bind a list of texts."""
        return self._bind(list(values), "Array(String)")

    def ints(self, values: Sequence[int]) -> str:
        """Bind a list of whole numbers."""
        return self._bind(list(values), "Array(Int64)")

    def tuples(self, values: Sequence[tuple[str, ...]], width: int) -> str:
        """Bind a list of tuples of `width` texts."""
        return self._bind(list(values), f"Array(Tuple({', '.join(['String'] * width)}))")

    def _bind(self, value: Any, kind: str) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"
