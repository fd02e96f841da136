"""The SQL of thinning: first, last, lowest and highest point of every bucket (M4). Pure text.

Every builder here ends in the same columns, one row per (series, rank, bucket):

    project, run_id, metric, rank, slot, x_low, x_high, last_step,
    first_value, last_value, low, high, flags

`low` is +Inf and `high` −Inf where the bucket holds no finite value (a minimum
over nothing must not read as 0); the last SELECT turns them into NaN at the end.
`slot` is the bucket's number; no name here is one of a table's columns, because
ClickHouse would take the name for the column in one place and not in another.
Values that users chose are bound parameters; what stands in the text is ours.

Source: Jugel et al., "M4: A Visualization-Oriented Time Series Data
Aggregation", PVLDB 7(10), 2014.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey

SERIES = "project, run_id, metric"

THINNED_COLUMNS = (
    f"{SERIES}, rank, x_high AS x, x_low AS x_min, x_high AS x_max, last_step AS step, "
    "first_value AS first, last_value AS last, "
    "if(isFinite(low), low, nan) AS min, if(isFinite(high), high, nan) AS max, flags AS nonfinite"
)

NONFINITE = "toUInt8(isNaN(value) + 2 * (value = inf) + 4 * (value = -inf))"


def of_series(keys: Sequence[SeriesKey], parameters: Parameters) -> str:
    """Return the condition that picks these series, in a shape the primary key can use."""
    projects, runs, metrics = (sorted(set(column)) for column in zip(*keys, strict=True))
    condition = (
        f"project IN {parameters.texts(projects)} AND run_id IN {parameters.texts(runs)}"
        f" AND metric IN {parameters.texts(metrics)}"
    )
    if set(keys) != set(product(projects, runs, metrics)):
        condition += f" AND ({SERIES}) IN {parameters.tuples(keys, 3)}"
    return condition


def of_ranks(ranks: Sequence[int] | None, parameters: Parameters) -> str:
    """Return the condition on ranks, to be appended."""
    return "" if ranks is None else f" AND rank IN {parameters.wholes(ranks)}"


def points_buckets(source: str, *, x: str, bucket: str, order: str) -> str:
    """Cut points into buckets.

    Args:
        source: A FROM clause with columns project, run_id, metric, rank, step, value and `x`.
        x: The column on the axis, a number.
        bucket: Which bucket a row belongs to, an expression; it must rise with `x`.
        order: What tells first from last within a rank: `x`, then the step.
    """
    last_step = "max(step)" if order == "step" else f"argMax(step, {order})"
    return f"""SELECT {SERIES}, rank, {bucket} AS slot,
  toFloat64(min({x})) AS x_low, toFloat64(max({x})) AS x_high, {last_step} AS last_step,
  argMin(value, {order}) AS first_value, argMax(value, {order}) AS last_value,
  min(if(isFinite(value), value, inf)) AS low, max(if(isFinite(value), value, -inf)) AS high,
  groupBitOr({NONFINITE}) AS flags
FROM {source}
GROUP BY {SERIES}, rank, slot"""


def single_buckets(source: str) -> str:
    """Make a bucket of every point: the same as `points_buckets` over steps one wide, four times as fast."""
    return f"""SELECT {SERIES}, rank, step AS slot, toFloat64(step) AS x_low, toFloat64(step) AS x_high,
  step AS last_step, value AS first_value, value AS last_value,
  if(isFinite(value), value, inf) AS low, if(isFinite(value), value, -inf) AS high, {NONFINITE} AS flags
FROM {source}"""


def rollup_buckets(source: str, *, slot: str) -> str:
    """Put rows of the roll-up together to buckets.

    Args:
        source: A FROM clause with rows of `points_64`.
        slot: Which bucket a row belongs to, an expression; every bucket holds whole rows.
    """
    return f"""SELECT {SERIES}, rank, {slot} AS slot,
  toFloat64(min(min_step)) AS x_low, toFloat64(max(max_step)) AS x_high, max(max_step) AS last_step,
  argMinMerge(first) AS first_value, argMaxMerge(last) AS last_value,
  min(min_v) AS low, max(max_v) AS high, groupBitOr(nonfinite) AS flags
FROM {source}
GROUP BY {SERIES}, rank, slot"""


def per_rank(buckets: Sequence[str]) -> str:
    """Return the statement that reads buckets, one series per rank."""
    return f"SELECT {THINNED_COLUMNS}\nFROM ({_union(buckets)})\nORDER BY {SERIES}, rank, x_high"


def over_ranks(buckets: Sequence[str]) -> str:
    """Return the statement that puts the ranks of each bucket together.

    `mean` is over ranks, of each rank's last value in the bucket: what the
    roll-up can say as exactly as the points, and with one point per rank and
    bucket simply the mean.
    """
    return f"""SELECT {SERIES}, max(x_high) AS x, min(x_low) AS x_min, max(x_high) AS x_max,
  argMax(last_step, (x_high, last_step)) AS step,
  if(isFinite(min(low)), min(low), nan) AS min,
  ifNull(avgOrNullIf(last_value, isFinite(last_value)), nan) AS mean,
  if(isFinite(max(high)), max(high), nan) AS max,
  toUInt32(count()) AS ranks, groupBitOr(flags) AS nonfinite
FROM ({_union(buckets)})
GROUP BY {SERIES}, slot
ORDER BY {SERIES}, x"""


def _union(parts: Sequence[str]) -> str:
    return "\nUNION ALL\n".join(parts)
