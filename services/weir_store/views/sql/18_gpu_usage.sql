-- As `ReadUsage` (system/usage_sql.py): each gap between two measurements counts with the one at its end; in gaps that
-- are too long nothing was measured.
SELECT project, run_id, node, device, hours, energy_wh, if(busy.3 > 0, busy.1 / 3600, nan) AS idle_hours,
  if(busy.3 > 0, busy.1 / busy.3, nan) AS idle_share, if(busy.3 > 0, busy.2 / busy.3, nan) AS mean_utilization
FROM (
SELECT project, run_id, node, device, arraySum(arrayMap(gap -> if(gap <= ${longest_gap_us}, gap, 0),
    arrayPopFront(arrayDifference(arraySort(arrayDistinct(arrayFlatten(groupArray(times)))))))) / 3.6e9 AS hours,
  multiIf(countIf(kind = 'energy_j') > 0, argMinIf(rise, metric, kind = 'energy_j'),
    countIf(kind = 'power_w') > 0, argMinIf(area, metric, kind = 'power_w'), nan) / 3600 AS energy_wh,
  argMinIf((idle_s, weighted, measured_s), metric, kind = 'utilization') AS busy
FROM (
  SELECT project, run_id, node, device, metric, splitByChar('.', toString(metric))[2] AS kind,
    arraySort(groupArray((toUnixTimestamp64Micro(time), value))) AS told, told.1 AS times,
    arrayPopBack(told) AS before, arrayPopFront(told) AS after,
    arrayMap((b, a) -> if(a.1 - b.1 <= ${longest_gap_us}, (a.1 - b.1) / 1e6, 0), before, after) AS gap_s,
    arraySum(gap_s) AS measured_s,
    arraySum(arrayMap((b, a) -> if(a.1 - b.1 <= ${longest_gap_us}, greatest(a.2 - b.2, 0), 0), before, after)) AS rise,
    arraySum(arrayMap((b, a, gap) -> (a.2 + b.2) / 2 * gap, before, after, gap_s)) AS area,
    arraySum(arrayMap((a, gap) -> a.2 * gap, after, gap_s)) AS weighted,
    arraySum(arrayMap((a, gap) -> if(a.2 < ${idle_below}, gap, 0), after, gap_s)) AS idle_s
  FROM ${views}.system
  WHERE metric IN (${usage_metrics}) AND device != '' AND position(device, '/') = 0 AND isFinite(value)
  GROUP BY project, run_id, node, device, metric)
GROUP BY project, run_id, node, device)
