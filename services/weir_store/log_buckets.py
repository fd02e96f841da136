"""Buckets for a logarithmic axis: every octave is cut into the same number of equal parts.

The bits of a positive float, read as a whole number, rise with it: the exponent
counts octaves, the mantissa places within one. Dropping the lowest bits numbers
buckets without a logarithm, so that Python and ClickHouse agree on every one,
and the edges stay put when one zooms.

    shift 50 = four parts:   1 … 1.25 … 1.5 … 1.75 … 2 … 2.5 … 3 … 3.5 … 4 … 5 …
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from weir_store.buckets import step_shift
from weir_store.parameters import Parameters

NOWHERE = -1
"""The bucket of what has no place on a logarithmic axis: zero and below."""

_MANTISSA_BITS = 52
_LOWEST = 2.0**-1000


@dataclass(frozen=True, slots=True)
class LogRuler:
    """Numbers the buckets of one logarithmic axis.

    Attributes:
        low: Where the first bucket begins; what lies between 0 and this is in it too.
        shift: Bits that are dropped.
    """

    low: float
    shift: int

    @property
    def parts(self) -> int:
        """Return log2 of the buckets in an octave; negative when a bucket is wider than that."""
        return _MANTISSA_BITS - self.shift

    def slot(self, x: float) -> int:
        """Return the bucket of a value."""
        return _bits(max(x, self.low)) >> self.shift if x > 0 else NOWHERE

    def slot_sql(self, x: str, parameters: Parameters) -> str:
        """Return the SQL of the bucket of `x`, a number."""
        bits = f"reinterpretAsInt64(greatest(toFloat64({x}), {parameters.number(self.low)}))"
        return f"if({x} > 0, bitShiftRight({bits}, {self.shift}), {NOWHERE})"


def log_ruler(low: float, high: float, max_points: int) -> LogRuler:
    """Return the finest ruler that cuts [low, high] into at most `max_points` buckets.

    Args:
        low: Lowest value shown; where it is not positive the ruler begins thirty octaves below the highest.
        high: Highest value shown, not below `low`.
        max_points: Buckets allowed, >= 1, beside the one of zero and below.
    """
    if high <= 0:
        return LogRuler(1.0, 0)
    first = max(low if low > 0 else high * 2.0**-30, _LOWEST)
    return LogRuler(first, step_shift(_bits(first), _bits(max(first, high)), max_points))


def ruler_of_whole(low: int, high: int, wanted: tuple[int, int], max_points: int) -> LogRuler:
    """Return the ruler of whole numbers: [low, high] are there, [first, end) is wanted."""
    first = max(low, wanted[0], 1)
    last = max(first, min(high, wanted[1] - 1))
    return log_ruler(float(first), float(last), max_points)


def _bits(x: float) -> int:
    bits: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return bits
