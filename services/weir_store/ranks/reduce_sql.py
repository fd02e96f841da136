"""The SQL of reductions: points → each rank's value in a bucket → each unit's → the line's figures. Pure text.

    step 128 … 131      rank 0  1  2  3  4  5  6  7
    of each rank             ·  ·  ·  ·  ·  ·  ·  ·      last, lowest, highest
    over nodes               └──┬──┘     └──┬──┘  …      as declared for the metric
    line                        └─────┬─────┘            mean, std, interval, quantiles …

A cause is a run's number and a rank in one whole number, so that the least of several is always the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from weir_store.ranks.base import CONFIDENCE, RESAMPLES, Interval, Over, Reduction
from weir_store.ranks.shapes import quantile_name
from weir_store.ranks.student import t95_sql

_UNIT = {
    Over.NODES: "node",
    Over.ROLES: "role",
    Over.ATTEMPTS: "toString(attempt)",
    Over.RUNS: "''",
    Over.SEEDS: "''",
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done with the points of some metrics.

    Attributes:
        over: What is put together.
        within: How ranks become the value of a unit.
        value: What `value` is.
        interval: What the interval is.
        quantiles: To be found besides.
        shift: Buckets are `1 << shift` steps wide.
        seat_keys: Of role, node and attempt those that have lines of their own.
    """

    over: Over
    within: Reduction
    value: Reduction
    interval: Interval
    quantiles: tuple[float, ...]
    shift: int
    seat_keys: tuple[str, ...]

    @property
    def one_point_each(self) -> bool:
        """Whether every value is that of one point."""
        return self.over is Over.RANKS and self.shift == 0


def reduced_sql(points: str, recipe: Recipe) -> str:
    """Return the statement.

    Args:
        points: A SELECT of metric, run_no, line_no, rank, step, value, and role, node, attempt where
            the recipe needs them.
        recipe: What to do.
    """
    units = _ranks(points, recipe)
    if recipe.over is not Over.RANKS:
        units = _units(units, recipe)
    line = ", ".join(["metric", "line_no", *recipe.seat_keys])
    quantiles = "".join(
        f", {_quantile(q, 'finite')} AS `{quantile_name(q)}`" for q in recipe.quantiles
    )
    return f"""
SELECT {line}, step, step_min, toUInt32(length(finite)) AS count,
  {_figure(recipe.value, "finite")} AS value, {_figure(Reduction.MEAN, "finite")} AS mean,
  if(count > 1, arrayReduce('stddevSampStable', finite), nan) AS std,
  {_interval(recipe)},
  {_figure(Reduction.IQM, "finite")} AS iqm,
  if(isFinite(low), low, nan) AS min, if(isFinite(low), low_cause, 0) AS min_cause,
  if(isFinite(high), high, nan) AS max, if(isFinite(high), high_cause, 0) AS max_cause,
  toUInt32(nan_ranks) AS nans, toUInt32(inf_ranks) AS infs{quantiles}
FROM (
  SELECT {line}, max(last_step) AS step, min(first_step) AS step_min, groupArray(value) AS values,
    sum(nan_rank) AS nan_ranks, sum(inf_rank) AS inf_ranks,
    {"groupArray((last_step, cause, value)) AS lasts," if recipe.value is Reduction.LAST else ""}
    arraySort(arrayFilter(v -> isFinite(v), values)) AS finite,
    {_single_extremes() if recipe.one_point_each else _extremes()}
  FROM ({units}) GROUP BY {line}, slot)
ORDER BY {line}, step"""


def _ranks(points: str, recipe: Recipe) -> str:
    """Return the value of every rank in every bucket."""
    seat = "".join(f", {key}" for key in _seat_columns(recipe))
    cause = "bitOr(bitShiftLeft(toUInt64(run_no), 32), rank) AS cause"
    if recipe.shift == 0:  # one point of each rank is all there is in a bucket
        return f"""
SELECT metric, line_no, run_no{seat}, step AS slot, step AS last_step, step AS first_step, value, {cause},
  if(isFinite(value), value, inf) AS low_value, if(isFinite(value), value, -inf) AS high_value,
  cause AS low_by, cause AS high_by, isNaN(value) AS nan_rank, isInfinite(value) AS inf_rank
FROM ({points})"""
    return f"""
SELECT metric, line_no, run_no{seat}, slot, last_step, first_step,
  {_of_bucket(recipe.within)} AS value, {cause}, low_value, high_value, cause AS low_by, cause AS high_by,
  nan_rank, inf_rank
FROM (
  SELECT metric, line_no, run_no, rank{seat}, bitShiftRight(step, {recipe.shift}) AS slot,
    argMax(value, step) AS last_value, max(step) AS last_step, min(step) AS first_step,
    min(if(isFinite(value), value, inf)) AS low_value, max(if(isFinite(value), value, -inf)) AS high_value,
    max(isNaN(value)) AS nan_rank, max(isInfinite(value)) AS inf_rank
  FROM ({points}) GROUP BY metric, line_no, run_no, rank{seat}, slot)"""


def _of_bucket(within: Reduction) -> str:
    """Return a rank's value in a bucket: its last one, unless the highest or lowest is meant."""
    match within:
        case Reduction.MAX:
            return "if(isFinite(high_value), high_value, last_value)"
        case Reduction.MIN:
            return "if(isFinite(low_value), low_value, last_value)"
    return "last_value"


def _units(ranks: str, recipe: Recipe) -> str:
    """Put the ranks of each unit together."""
    seat = "".join(f", {key}" for key in recipe.seat_keys)
    lasts = ""
    if recipe.within is Reduction.LAST:
        lasts = "groupArray((ranks.last_step, ranks.cause, ranks.value)) AS lasts,"
    return f"""
SELECT metric, line_no{seat}, slot, last_step, first_step, low AS low_value, high AS high_value,
  low_cause AS low_by, high_cause AS high_by, unit_cause AS cause,
  nan_ranks AS nan_rank, inf_ranks AS inf_rank, {_figure(recipe.within, "finite")} AS value
FROM (
  SELECT metric, line_no, run_no{seat}, slot, {_UNIT[recipe.over]} AS unit,
    max(ranks.last_step) AS last_step, min(ranks.first_step) AS first_step, min(ranks.cause) AS unit_cause,
    sum(ranks.nan_rank) AS nan_ranks, sum(ranks.inf_rank) AS inf_ranks,
    groupArray(ranks.value) AS values, {lasts}
    arraySort(arrayFilter(v -> isFinite(v), values)) AS finite, {_extremes("ranks.")}
  FROM ({ranks}) AS ranks GROUP BY metric, line_no, run_no{seat}, slot, unit)"""


def _seat_columns(recipe: Recipe) -> Sequence[str]:
    """Return the columns of the seat that are needed."""
    columns = set(recipe.seat_keys)
    if recipe.over in (Over.NODES, Over.ROLES, Over.ATTEMPTS):
        columns.add({Over.NODES: "node", Over.ROLES: "role"}.get(recipe.over, "attempt"))
    return sorted(columns)


def _extremes(of: str = "") -> str:
    """Return the lowest and the highest point, and the least cause of each."""
    return f"""groupArray({of}low_value) AS lows, groupArray({of}high_value) AS highs,
    groupArray({of}low_by) AS lows_by, groupArray({of}high_by) AS highs_by,
    arrayMin(lows) AS low, arrayMax(highs) AS high,
    arrayMin(arrayFilter((by, v) -> v = low, lows_by, lows)) AS low_cause,
    arrayMin(arrayFilter((by, v) -> v = high, highs_by, highs)) AS high_cause"""


def _single_extremes() -> str:
    """Return the same where each value is that of one point: fewer arrays, a third faster."""
    return """groupArray(cause) AS causes,
    if(empty(finite), inf, finite[1]) AS low, if(empty(finite), -inf, finite[-1]) AS high,
    arrayMin(arrayFilter((by, v) -> v = low, causes, values)) AS low_cause,
    arrayMin(arrayFilter((by, v) -> v = high, causes, values)) AS high_cause"""


def _figure(reduction: Reduction, values: str) -> str:
    """Return a figure over sorted, finite values; NaN over none."""
    match reduction:
        case Reduction.SUM:
            return f"if(empty({values}), nan, arraySum({values}))"
        case Reduction.MAX:
            return f"if(empty({values}), nan, {values}[-1])"
        case Reduction.MIN:
            return f"if(empty({values}), nan, {values}[1])"
        case Reduction.P99:
            return _quantile(0.99, values)
        case Reduction.MEDIAN:
            return _quantile(0.5, values)
        case Reduction.LAST:
            return (
                "if(empty(finite), nan, arrayMax(arrayFilter(each -> isFinite(each.3), lasts)).3)"
            )
        case Reduction.IQM:
            rest = f"intDiv(length({values}), 4)"
            inner = f"arraySlice({values}, 1 + {rest}, length({values}) - 2 * {rest})"
            return f"if(empty({values}), nan, arrayAvg({inner}))"
    return f"if(empty({values}), nan, arrayAvg({values}))"


def _quantile(q: float, values: str) -> str:
    return f"if(empty({values}), nan, arrayReduce('quantileExactInclusive({q!r})', {values}))"


def _interval(recipe: Recipe) -> str:
    if recipe.interval is Interval.T:
        half = f"{t95_sql('(toInt64(count) - 1)')} * std / sqrt(count)"
        return f"if(count > 1, mean - {half}, nan) AS ci_low, if(count > 1, mean + {half}, nan) AS ci_high"
    edge = (1 - CONFIDENCE) / 2
    return f"""if(count > 1, arrayMap(b -> {_resample(recipe.value)}, range({RESAMPLES})), []) AS resampled,
  {_quantile(edge, "resampled")} AS ci_low, {_quantile(1 - edge, "resampled")} AS ci_high"""


def _resample(reduction: Reduction) -> str:
    """Return a figure of resample number b; `drawn` is the same for the same b and count, everywhere."""
    mixed = "(toUInt64(b) * 1000003 + j + 1) * toUInt64(11400714819323198485)"
    drawn = f"arrayMap(j -> finite[1 + bitXor({mixed}, bitShiftRight({mixed}, 32)) % count], range(count))"
    figure = Reduction.MEAN if reduction is Reduction.LAST else reduction
    # Bound by a lambda of its own: written twice, it would be drawn twice.
    return f"arrayMap(drawn -> {_figure(figure, 'drawn')}, [arraySort({drawn})])[1]"
