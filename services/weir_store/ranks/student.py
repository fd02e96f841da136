"""The 97.5 % point of Student's t: what a 95 % interval of a mean is wide. Pure, and the SQL that says the same."""

from __future__ import annotations

import math
from typing import Final

_Z: Final = 1.959963984540054
# Where the expansion below is off by more than 5e-6; from the usual tables, to ten digits.
_SMALL: Final = (
    12.7062047362, 4.3026527297, 3.1824463053, 2.7764451052, 2.5705818356,
    2.4469118511, 2.3646242516, 2.3060041352, 2.2621571628, 2.2281388520,
)  # fmt: skip


def t95(freedom: int) -> float:
    """Return the 97.5 % point for so many degrees of freedom; NaN below one.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5.
    """
    if freedom < 1:
        return math.nan
    if freedom <= len(_SMALL):
        return _SMALL[freedom - 1]
    return _Z + math.fsum(c / float(freedom) ** (n + 1) for n, c in enumerate(_terms()))


def t95_sql(freedom: str) -> str:
    """Return SQL of `t95`; `freedom` is an expression of a whole number, >= 0."""
    terms = " + ".join(f"{c!r} / pow({freedom}, {n + 1})" for n, c in enumerate(_terms()))
    table = ", ".join(map(repr, _SMALL))
    return (
        f"multiIf({freedom} < 1, nan, {freedom} <= {len(_SMALL)}, [{table}][toInt64({freedom})],"
        f" {_Z!r} + {terms})"
    )


def _terms() -> tuple[float, float, float, float]:
    z = _Z
    return (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92_160,
    )
