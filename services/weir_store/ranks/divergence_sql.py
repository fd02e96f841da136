"""The SQL of divergence: who left the others, and where the first NaN was. Pure text.

    z of a rank at a step = (value - median of the ranks) / (1.4826 × median absolute deviation)

The deviation counts as a thousandth of the median at least: ranks that agree to the last digit but
one are not far apart.
"""

from __future__ import annotations

PER_SIGMA = 1.4826  # of a normal distribution: its deviation by its median absolute deviation
LEAST_RELATIVE = 1e-3
LEAST = 1e-12
_MEDIAN = "quantileExactInclusive(0.5)"
MIN_RANKS = 3


def diverged_sql(points: str, window_steps: int, threshold: float) -> str:
    """Return one row per metric, role and rank that left the others, with `node_no`.

    Args:
        points: A SELECT of metric, role, node_no, rank, step, value.
        window_steps: Logged steps that are judged together.
        threshold: Of the median z of a window.
    """
    far = f"abs(window_z) > {threshold!r}"
    return f"""
SELECT 'diverged' AS kind, metric, role, rank,
  argMaxIf(window_node, (abs(window_z), -first_step), {far}) AS node_no,
  minIf(first_step, {far}) AS step, maxIf(end_step, {far}) AS last_step,
  argMaxIf(window_z, (abs(window_z), -first_step), {far}) AS z,
  argMaxIf(own, (abs(window_z), -first_step), {far}) AS value,
  argMaxIf(others, (abs(window_z), -first_step), {far}) AS others,
  toUInt32(max(compared)) AS ranks, argMax({far}, first_step) = 0 AS over
FROM (
  SELECT metric, role, rank, window, argMin(node_no, step) AS window_node,
    min(step) AS first_step, max(step) AS end_step,
    {_MEDIAN}(z) AS window_z, {_MEDIAN}(v) AS own, {_MEDIAN}(median) AS others, max(length(ranks)) AS compared
  FROM (
    SELECT *, intDiv(row_number() OVER (PARTITION BY metric, role ORDER BY step) - 1, {window_steps}) AS window
    FROM ({_scales(points)}))
  ARRAY JOIN ranks AS rank, nodes AS node_no, held AS v, arrayMap(v -> (v - median) / scale, held) AS z
  GROUP BY metric, role, rank, window HAVING count() >= {max(1, window_steps // 2)})
GROUP BY metric, role, rank HAVING countIf({far}) > 0"""


def _scales(points: str) -> str:
    return f"""
SELECT metric, role, step, groupArray(rank) AS ranks, groupArray(node_no) AS nodes, groupArray(value) AS held,
  arrayReduce('{_MEDIAN}', held) AS median,
  greatest({PER_SIGMA} * arrayReduce('{_MEDIAN}', arrayMap(v -> abs(v - median), held)),
    {LEAST_RELATIVE} * abs(median), {LEAST}) AS scale
FROM ({points}) WHERE isFinite(value) GROUP BY metric, role, step HAVING length(held) >= {MIN_RANKS}"""


def nonfinite_sql(points: str) -> str:
    """Return one row per metric, role and kind of value that is no number: the first, by step, time and rank.

    Nodes are `node_no`.

    Args:
        points: A SELECT of metric, role, node_no, rank, step, ts, value.
    """
    return f"""
SELECT kind, metric, role, first.3 AS rank, first.4 AS node_no, first.1 AS step, max(end_step) AS last_step,
  nan AS z, multiIf(kind = 'nan', nan, kind = 'inf', inf, -inf) AS value, nan AS others,
  toUInt32(count()) AS ranks, min((first_step, first_us, rank_of, node_of, back)) AS first, first.5 AS over
FROM (
  SELECT *, maxIf(end_step, kind = '') OVER (PARTITION BY metric, role, rank_of) > end_step
    AND countIf(kind = '') OVER (PARTITION BY metric, role, rank_of) > 0 AS back
  FROM (
    SELECT metric, role, rank AS rank_of, argMin(node_no, step) AS node_of,
      min(step) AS first_step, max(step) AS end_step,
      multiIf(isNaN(value), 'nan', value = inf, 'inf', value = -inf, '-inf', '') AS kind,
      toUnixTimestamp64Micro(argMin(ts, step)) AS first_us
    FROM ({points}) GROUP BY metric, role, rank, kind))
WHERE kind != '' GROUP BY metric, role, kind"""
