"""How wide a bucket is: powers of two aligned at 0, so that buckets stay put when one zooms."""

from __future__ import annotations

import math


def step_shift(first: int, last: int, max_points: int) -> int:
    """Return the smallest s for which `n >> s` takes at most `max_points` values on [first, last].

    Args:
        first: Lowest step, or µs.
        last: Highest, inclusive; not below `first`.
        max_points: Buckets allowed, >= 1; a range across 0 takes at least two.
    """
    most = max(max_points, 2 if first < 0 <= last else 1)
    shift = max(0, (last - first).bit_length() - most.bit_length() - 1)
    while (last >> shift) - (first >> shift) >= most:
        shift += 1
    return shift


def value_width(first: float, last: float, max_points: int) -> float:
    """Return the smallest power of two that cuts [first, last] into at most `max_points` buckets.

    Bucket n holds the x with `floor(x / width) == n`. A range across 0 takes
    at least two buckets, and a range too narrow for floats one wide one.
    """
    most = max(max_points, 2 if first < 0 <= last else 1)
    span = last / most - first / most  # halves first: the difference may overflow
    _, exponent = math.frexp(span)
    exponent = max(exponent - 2, _finest(first, last))
    while _count(first, last, exponent) > most:
        exponent += 1
    return math.ldexp(1.0, exponent)


def _finest(first: float, last: float) -> int:
    """Below this exponent a bucket would be narrower than what a float can tell apart."""
    _, exponent = math.frexp(max(abs(first), abs(last), 1e-290))
    return exponent - 53


def _count(first: float, last: float, exponent: int) -> float:
    return math.floor(math.ldexp(last, -exponent)) - math.floor(math.ldexp(first, -exponent)) + 1
