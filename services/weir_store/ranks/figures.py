"""Figures over a few values, in Python: what reduce_sql.py says in SQL. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import stdev
from typing import Final

from weir_store.ranks.base import CONFIDENCE, RESAMPLES, Interval, Reduction
from weir_store.ranks.student import t95

_MASK: Final = (1 << 64) - 1
_GOLDEN: Final = 11_400_714_819_323_198_485


def quantile(values: Sequence[float], q: float) -> float:
    """Return the interpolated quantile of sorted values; NaN of none."""
    if not values:
        return math.nan
    place = q * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def figure(reduction: Reduction, values: Sequence[float]) -> float:
    """Return a figure over sorted, finite values; NaN of none. LAST is not told by values alone."""
    if not values:
        return math.nan
    match reduction:
        case Reduction.SUM:
            return math.fsum(values)
        case Reduction.MAX:
            return values[-1]
        case Reduction.MIN:
            return values[0]
        case Reduction.P99:
            return quantile(values, 0.99)
        case Reduction.MEDIAN:
            return quantile(values, 0.5)
        case Reduction.IQM:
            rest = len(values) // 4
            return _mean(values[rest : len(values) - rest])
    return _mean(values)


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of the sample; NaN below two values."""
    return stdev(values) if len(values) > 1 else math.nan


def interval(kind: Interval, reduction: Reduction, values: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the 95 % interval over sorted, finite values; NaN below two."""
    if len(values) < 2:
        return math.nan, math.nan
    if kind is Interval.T:
        half = t95(len(values) - 1) * deviation(values) / math.sqrt(len(values))
        return _mean(values) - half, _mean(values) + half
    of = Reduction.MEAN if reduction is Reduction.LAST else reduction
    resampled = sorted(figure(of, _drawn(number, values)) for number in range(RESAMPLES))
    edge = (1 - CONFIDENCE) / 2
    return quantile(resampled, edge), quantile(resampled, 1 - edge)


def _drawn(number: int, values: Sequence[float]) -> list[float]:
    """Return a resample: always the same for the same number and count."""
    mixed = ((number * 1_000_003 + j + 1) * _GOLDEN & _MASK for j in range(len(values)))
    return sorted(values[(each ^ each >> 32) % len(values)] for each in mixed)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
