"""The SQL of `usage.Took`: sums over the gaps between measurements. Pure text."""

from __future__ import annotations

from weir_store.system.usage import ANY, IDLE_BELOW, LONGEST_GAP_S


def took_sql(newest: str) -> str:
    """Return a statement whose rows are `Took`.

    Args:
        newest: A SELECT of metric, node, device, ts, value; each measurement once.
    """
    return f"""
WITH held AS (
  SELECT toString(metric) AS of, toString(node) AS of_node, toString(device) AS of_device, ts, value
  FROM ({newest}) WHERE device != '' AND position(device, '/') = 0 AND isFinite(value))
{_sums("held")}
UNION ALL
{_sums(f"(SELECT DISTINCT '{ANY}' AS of, of_node, of_device, ts, 0. AS value FROM held)")}"""


def _sums(source: str) -> str:
    life = "OVER (PARTITION BY of, of_node, of_device ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
    apart = "toUnixTimestamp64Micro(ts) - toUnixTimestamp64Micro(before_ts)"
    near = f"{apart} <= {LONGEST_GAP_S * 1_000_000}"
    return f"""
SELECT of_node, of_device, of, sum(gap_s), sum(if(near, greatest(value - before, 0), 0)),
  sum((value + before) / 2 * gap_s), sum(value * gap_s), sum(if(value < {IDLE_BELOW}, gap_s, 0))
FROM (
  SELECT of, of_node, of_device, value, before, {near} AS near, if(near, ({apart}) / 1e6, 0) AS gap_s
  FROM (
    SELECT *, lagInFrame(ts, 1, ts) {life} AS before_ts, lagInFrame(value, 1, value) {life} AS before
    FROM {source}))
GROUP BY of_node, of_device, of"""
