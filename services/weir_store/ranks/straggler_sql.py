"""The SQL of the straggler board. Pure text.

    step │ rank 0  rank 1  rank 2 │ median  slowest
    17   │  0.50    0.51    0.74  │  0.51   rank 2, lost 0.23 s

One row per role and step holds its ranks and their times as arrays: the points are read once.
"""

from __future__ import annotations

from weir_store.ranks.board import PARTS

_US_PER_S = 1_000_000


def distances_sql(points: str) -> str:
    """Return points whose value is the time since the same process' last one, in seconds.

    Args:
        points: A SELECT of metric, role, node_no, rank, session, step, ts, value.
    """
    life = (
        "OVER (PARTITION BY rank, session ORDER BY step ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    )
    return f"""
SELECT metric, role, node_no, rank, step, (at_us - before_us) / {_US_PER_S} AS value
FROM (
  SELECT metric, role, node_no, rank, step, toUnixTimestamp64Micro(ts) AS at_us,
    lagInFrame(at_us, 1, -1) {life} AS before_us
  FROM ({points})) WHERE before_us >= 0"""


def steps_sql(points: str, time: str, parts: dict[str, str], shown: str = "") -> str:
    """Return one row per role and step that at least two ranks logged.

    Args:
        points: A SELECT of metric, role, node_no, rank, step, value.
        time: Condition that a point is the time of a step.
        parts: For each of `PARTS` that is logged, condition that a point is that part.
        shown: More columns of a step, to be made of `ranks`, `nodes` and `times`; ends in a comma.
    """
    excesses = "".join(
        f",\n  {_excess(part) if part in parts else 'nan'} AS {part}_lost" for part in PARTS
    )
    return f"""
SELECT role, step, {shown}
  arrayReduce('quantileExactInclusive(0.5)', times) AS median, arrayMax(times) AS high,
  arrayMin(arrayFilter((rank, v) -> v = high, ranks, times)) AS slowest, high - median AS lost{excesses}
FROM ({_gathered(points, time, parts)})"""


def _gathered(points: str, time: str, parts: dict[str, str]) -> str:
    """Return the arrays of each role and step. Gathered by metric first: twice as fast as with conditions."""
    held = f"FROM ({points}) WHERE isFinite(value) AND value >= 0"
    if not parts:
        return f"""
  SELECT role, step, groupArray(rank) AS ranks, groupArray(node_no) AS nodes, groupArray(value) AS times
  {held} GROUP BY role, step HAVING length(times) > 1"""
    pairs = "".join(
        f",\n    anyIf(held_ranks, {where}) AS {part}_ranks, anyIf(held_values, {where}) AS {part}_times"
        for part, where in parts.items()
    )
    return f"""
  SELECT role, step, anyIf(held_ranks, {time}) AS ranks, anyIf(held_nodes, {time}) AS nodes,
    anyIf(held_values, {time}) AS times{pairs}
  FROM (
    SELECT role, step, metric, groupArray(rank) AS held_ranks, groupArray(node_no) AS held_nodes,
      groupArray(value) AS held_values
    {held} GROUP BY role, step, metric)
  GROUP BY role, step HAVING length(times) > 1"""


def shares_sql(steps: str, half_life_steps: float, node_name: str) -> str:
    """Return the rows of `board.Share`; `steps` has ranks, nodes and times, `node_name` is of `node_no`."""
    parts = ", ".join(
        f"if(isNaN(any({part}_lost)), nan, sumIf({part}_lost, is_slowest))" for part in PARTS
    )
    return f"""
SELECT role, rank, {node_name} AS node, count(), sum(took), sumIf(took / median, median > 0),
  countIf((rank = slowest AND lost > 0) AS is_slowest), sumIf(lost, is_slowest),
  sumIf(weight / all_weight, is_slowest),
  ({parts})
FROM (
  SELECT *, sum(weight) OVER (PARTITION BY role) AS all_weight
  FROM (
    SELECT *, exp2(-(row_number() OVER (PARTITION BY role ORDER BY step DESC) - 1) / {half_life_steps!r}) AS weight
    FROM ({steps})))
ARRAY JOIN ranks AS rank, nodes AS node_no, times AS took
GROUP BY role, rank, node_no"""


def timeline_sql(steps: str, shift: int) -> str:
    """Return one row per role and bucket, and on each the median over all steps of their median."""
    return f"""
SELECT role, max(of_step) AS step, avg(median) AS median_s, max(high) AS slowest_s,
  min(if(high = highest, slowest, 4294967295)) AS rank, sum(lost) AS lost_s, toUInt32(count()) AS steps,
  any(usual) AS usual_s
FROM (
  SELECT role, step AS of_step, median, high, slowest, lost,
    max(high) OVER (PARTITION BY role, bitShiftRight(step, {shift})) AS highest,
    quantileExactInclusive(0.5)(median) OVER () AS usual
  FROM ({steps}))
GROUP BY role, bitShiftRight(of_step, {shift}) ORDER BY role, step"""


def _excess(part: str) -> str:
    """Return by how much the slowest rank's part is over the part's median; 0 where it logged none."""
    place = f"indexOf({part}_ranks, slowest)"
    median = f"arrayReduce('quantileExactInclusive(0.5)', {part}_times)"
    return f"if({place} > 0, {part}_times[{place}] - {median}, 0)"
