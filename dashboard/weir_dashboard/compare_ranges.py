"""Which runs were brushed: ranges over columns ⇄ the address, and who lies inside. Pure.

`cmp_in=config.lr:0.0001,0.01` is a range, ends included; `cmp_in=config.optimizer:"adamw","lion"` names
categories. A run without the value lies outside. Ranges of several columns must all hold.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from weir_dashboard.compare_columns import Column

Range: TypeAlias = tuple[float, float] | tuple[str, ...]
Inside: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_MOST: Final = 32  # ranges in an address


def parse(texts: Iterable[str]) -> dict[str, Range]:
    """Read ranges; what cannot be understood counts as not there, the last of a column wins."""
    found: dict[str, Range] = {}
    for text in texts:
        name, range_ = _parse_one(text)
        if range_ is not None and len(found) < _MOST:
            found[name] = range_
    return found


def build(ranges: Mapping[str, Range]) -> list[str]:
    """Write ranges for the address."""
    return [f"{name}:{_written(range_)}" for name, range_ in sorted(ranges.items())]


def inside(columns: Sequence[Column], ranges: Mapping[str, Range], runs: int) -> Inside:
    """Tell for each run whether it lies in all ranges; columns that are not given do not count."""
    kept = np.ones(runs, dtype=bool)
    for column in columns:
        if column.name in ranges:
            kept &= _inside(column, ranges[column.name])
    return kept


def of_places(column: Column, low: float, high: float) -> Range:
    """Return the range between two values of an axis, or the categories between two places.

    The ends of a range are rounded outwards to six digits, so that the address stays short.
    """
    low, high = min(low, high), max(low, high)
    if column.categories:
        first, last = max(0, math.ceil(low)), min(len(column.categories) - 1, math.floor(high))
        return tuple(column.categories[first : last + 1])
    return _rounded(low, down=True), _rounded(high, down=False)


def text(name: str, range_: Range) -> str:
    """Write a range as people read it."""
    if is_span(range_):
        low, high = (f"{end:.4g}" for end in range_)
        return f"{name}: {low} … {high}"
    return f"{name}: {', '.join(map(str, range_)) or 'nothing'}"


def is_span(range_: Range) -> bool:
    """Tell a range of numbers from a set of categories."""
    return len(range_) == 2 and all(isinstance(end, int | float) for end in range_)


def _inside(column: Column, range_: Range) -> Inside:
    if is_span(range_):
        if column.categories:
            return np.zeros(len(column.numbers), dtype=bool)
        low, high = range_
        return (column.numbers >= float(low)) & (column.numbers <= float(high))
    chosen = set(range_)
    return np.array(
        [
            there and text in chosen
            for text, there in zip(column.texts, np.isfinite(column.numbers), strict=True)
        ],
        dtype=bool,
    )


def _parse_one(text: str) -> tuple[str, Range | None]:
    at = text.find(":")
    while at >= 0:
        try:
            ends = json.loads(f"[{text[at + 1 :]}]")
        except ValueError:
            at = text.find(":", at + 1)
            continue
        return text[:at], _range(ends)
    return text, None


def _range(ends: list[Any]) -> Range | None:
    if all(isinstance(end, str) for end in ends):
        return tuple(ends)
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(numbers) != 2 or len(ends) != 2 or not all(map(math.isfinite, numbers)):
        return None
    return min(numbers), max(numbers)


def _written(range_: Range) -> str:
    ends = [
        int(end) if isinstance(end, float) and end.is_integer() and abs(end) < 1e15 else end
        for end in range_
    ]
    return json.dumps(ends, ensure_ascii=False, separators=(",", ":"))[1:-1]


def _rounded(x: float, *, down: bool) -> float:
    if abs(x) < 1e-300 or not math.isfinite(x):
        return x
    unit = 10.0 ** (math.floor(math.log10(abs(x))) - 5)
    rounded = (math.floor(x / unit) if down else math.ceil(x / unit)) * unit
    return float(f"{rounded:.6g}")
