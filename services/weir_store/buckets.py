"""How wide a bucket is: powers of two aligned at 0, so that buckets stay put when one zooms."""

from __future__ import annotations

import math
from collections.abc import Mapping

INT64 = (-(1 << 63), (1 << 63) - 1)
_WIDEST = 1023  # exponent of the largest power of two that a float can hold


def step_shift(first: int, last: int, max_points: int) -> int:
    """Return the smallest s for which `n >> s` takes at most `max_points` values on [first, last].

    Args:
        first: Lowest step, or µs.
        last: Highest, inclusive; not below `first`.
        max_points: Buckets allowed, >= 1; a range across 0 takes at least two.
    """
    most = max(max_points, 2 if first < 0 <= last else 1)
    shift = 0
    while (last >> shift) - (first >> shift) >= most:
        shift += 1
    return shift


def value_width(first: float, last: float, max_points: int) -> float:
    """Return the smallest power of two that cuts [first, last] into at most `max_points` buckets.

    Bucket n holds the x with `floor(x / width) == n`. A range across 0 takes
    at least two buckets. No bucket is narrower than what a float can tell
    apart at that size, and none wider than 2**1023, the widest there is.
    """
    most = max(max_points, 2 if first < 0 <= last else 1)
    exponent = math.frexp(max(abs(first), abs(last), 1e-290))[1] - 53
    while exponent < _WIDEST and _buckets(first, last, exponent) > most:
        exponent += 1
    return math.ldexp(1.0, exponent)


def _buckets(first: float, last: float, exponent: int) -> int:
    low, high = (math.floor(math.ldexp(end, -exponent)) for end in (first, last))
    return high - low + 1


def shifts(
    reach: Mapping[str, tuple[int, int]], wanted: tuple[int, int], max_points: int | None
) -> dict[str, int]:
    """Return the `step_shift` of each metric.

    Args:
        reach: Lowest and highest value each metric has on the axis.
        wanted: [first, end) asked for.
        max_points: Buckets allowed; `None` makes every value a bucket of its own.
    """
    result = dict.fromkeys(reach, 0)
    if max_points is None:
        return result
    for metric, (low, high) in reach.items():
        first, last = max(low, wanted[0]), min(high, wanted[1] - 1)
        if first <= last:
            result[metric] = step_shift(first, last, max_points)
    return result


def whole_range(low: float | None, high: float | None) -> tuple[int, int]:
    """Return [first, end) in whole numbers of 64 bits: n >= 1.5 is n >= 2, n < 1.5 is n < 2."""
    first = INT64[0] if low is None else _whole(low)
    end = INT64[1] if high is None else _whole(high)
    return first, end


def _whole(bound: float) -> int:
    if math.isinf(bound):
        return INT64[bound > 0]
    return min(max(math.ceil(bound), INT64[0]), INT64[1])
