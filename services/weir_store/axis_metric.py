"""Another metric along the axis: points meet where run, rank and step are the same."""

from __future__ import annotations

from collections.abc import Sequence

from weir_store import thinning
from weir_store.buckets import value_width
from weir_store.log_buckets import log_ruler
from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey, Span
from weir_store.points_source import EVERY_STEP, PointsSource
from weir_store.records import SeriesQuery

# (x, step) as one number, several times as fast to compare as a tuple: the bits of a float
# rise with it when those below the sign are turned round for negative ones; + 0 undoes −0.
_BITS = "reinterpretAsInt64(x + 0)"
_RISING = f"if({_BITS} < 0, bitXor({_BITS}, 9223372036854775807), {_BITS})"
_ORDER = f"toInt128({_RISING}) * toInt128('18446744073709551616') + step"


class MetricAxis:
    """Buckets of one width, a power of two in the metric's own unit. Reads the points themselves.

    Points whose x is missing, NaN or infinite have no place on the axis and are left out.
    """

    x = "x"

    def __init__(
        self,
        query: SeriesQuery,
        points: PointsSource,
        across: Sequence[Span],
        reach: tuple[float, float] | None,
    ) -> None:
        """Prepare.

        Args:
            query: The question.
            points: Where points come from.
            across: The series of the axis metric.
            reach: The axis metric's lowest and highest finite value; `None` when it has none.
        """
        self._points = points
        self._query = query
        self._across = [span.key for span in across]
        self._ends = _ends(query, reach)

    def source(self, keys: Sequence[SeriesKey], parameters: Parameters) -> str:
        """Return the points in range, with the other metric's value as `x`."""
        query = self._query
        runs = {key[:2] for key in keys}
        across = [key for key in self._across if key[:2] in runs]
        low = "" if query.x_min is None else f" AND x >= {parameters.number(query.x_min)}"
        high = "" if query.x_max is None else f" AND x < {parameters.number(query.x_max)}"
        return f"""(
  SELECT {thinning.SERIES}, rank, step, value, ts, x
  FROM (SELECT * FROM {self._points.points({EVERY_STEP: keys}, parameters)}) AS chosen
  INNER JOIN (SELECT project, run_id, rank, step, value AS x
    FROM {self._points.points({EVERY_STEP: across}, parameters)}
  ) AS across USING (project, run_id, rank, step)
  WHERE isFinite(x){low}{high})"""

    def buckets(self, pack: Sequence[Span], parameters: Parameters) -> list[str]:
        """Return one SELECT; without a width every x is a bucket of its own."""
        source = self.source([span.key for span in pack], parameters)
        bucket = self._bucket(parameters)
        return [thinning.points_buckets(source, x="x", bucket=bucket, order=_ORDER)]

    def _bucket(self, parameters: Parameters) -> str:
        most = self._query.max_points
        if most is None or self._ends is None:
            return "x + 0"  # + 0 makes one bucket of 0 and −0
        if self._query.log_x:
            return log_ruler(*self._ends, most).slot_sql("x", parameters)
        return f"floor(x / {parameters.number(value_width(*self._ends, most))}) + 0"


def _ends(query: SeriesQuery, reach: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the lowest and highest x shown; `None` when there is none."""
    if reach is None:
        return None
    low = reach[0] if query.x_min is None else max(reach[0], query.x_min)
    high = reach[1] if query.x_max is None else min(reach[1], query.x_max)
    return (low, high) if low <= high else None
