"""The SQL that compares nodes over the runs of a project. Pure text."""

from __future__ import annotations


def nodes_sql(points: str, seats: str) -> str:
    """Return `shapes.NODES`.

    Args:
        points: A SELECT of project, run_id, role, node, rank, step, value: seconds of steps.
        seats: A SELECT of node, with every name that occurs but the empty one.
    """
    return f"""
SELECT any(names.node) AS node, toUInt32(count()) AS runs, toUInt32(sum(ranks_here)) AS ranks, sum(steps_here) AS steps,
  sum(ratios) / nullIf(sum(ratio_steps), 0) AS slowdown, sum(slowest_here) AS slowest,
  slowest / steps AS slowest_share, sum(expected) / steps AS expected_share, sum(lost_here) AS lost_s,
  toUInt32(countIf(lost_here = worst AND worst > 0)) AS worst_runs
FROM (
  SELECT run_id, node_hash, uniqExact(role, rank) AS ranks_here, count() AS steps_here,
    sumIf(took / median, median > 0) AS ratios, countIf(median > 0) AS ratio_steps,
    countIf((rank = slowest_rank AND lost > 0) AS is_slowest) AS slowest_here,
    sumIf(1 / length(ranks), lost > 0) AS expected, sumIf(lost, is_slowest) AS lost_here,
    max(lost_here) OVER (PARTITION BY run_id) AS worst
  FROM (
    SELECT run_id, role, step, groupArray(rank) AS ranks, groupArray(cityHash64(node)) AS nodes,
      groupArray(value) AS times,
      arrayReduce('quantileExactInclusive(0.5)', times) AS median, arrayMax(times) AS high,
      arrayMin(arrayFilter((rank, v) -> v = high, ranks, times)) AS slowest_rank, high - median AS lost
    FROM ({points}) WHERE isFinite(value) AND value >= 0
    GROUP BY run_id, role, step HAVING length(times) > 1)
  ARRAY JOIN ranks AS rank, nodes AS node_hash, times AS took
  GROUP BY run_id, node_hash) AS held
LEFT JOIN (SELECT DISTINCT node, cityHash64(node) AS node_hash FROM ({seats})) AS names USING (node_hash)
GROUP BY node_hash ORDER BY slowdown DESC, node"""
