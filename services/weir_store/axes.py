"""What runs along the horizontal axis: each kind knows its points, its range and its buckets.

STEP      the step; long series come from the roll-up where it is exact
TIME      Unix µs, and RELATIVE, µs since the run's first point
METRIC    the value of another metric at the same step and rank
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey, Span


class Axis(Protocol):
    """One kind of horizontal axis, for one question.

    Attributes:
        x: The column of `source` that lies on the axis.
    """

    x: str

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        """Return a FROM clause: the series' points in range, newest versions only.

        Columns: project, run_id, metric, rank, step, value, ts and `x`.
        """
        ...

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        """Return SELECTs that together give every bucket of the pack once (see thinning.py)."""
        ...
