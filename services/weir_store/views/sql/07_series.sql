-- Most runs: the summaries of their process lives are exact. All others: from their points.
SELECT project, run_id, metric, rank, first, last, if(isFinite(low), low, nan) AS min, if(isFinite(high), high, nan) AS max,
  if(isFinite(low), at_low, NULL) AS min_at, if(isFinite(high), at_high, NULL) AS max_at,
  first_step, last_step, last_time, has_nan, has_inf
FROM (
  SELECT project, run_id, metric, rank, argMinMerge(series.first) AS first, argMaxMerge(series.last) AS last,
    toFloat64(min(min_v)) AS low, toFloat64(max(max_v)) AS high,
    argMinMerge(series.min_at) AS at_low, argMaxMerge(series.max_at) AS at_high,
    toInt64(min(min_step)) AS first_step, toInt64(max(max_step)) AS last_step, argMaxMerge(last_ts) AS last_time,
    toBool(max(series.has_nan)) AS has_nan,
    toBool(max(greatest(has_pos_inf, has_neg_inf))) AS has_inf
  FROM ${db}.series WHERE run_id NOT IN (${careful})
  GROUP BY project, run_id, metric, rank)
UNION ALL
SELECT project, run_id, metric, rank, argMin(value, step) AS first, argMax(value, step) AS last,
  ifNull(minOrNullIf(value, isFinite(value)), nan) AS min, ifNull(maxOrNullIf(value, isFinite(value)), nan) AS max,
  argMinOrNullIf(step, value, isFinite(value)) AS min_at, argMaxOrNullIf(step, value, isFinite(value)) AS max_at,
  min(step) AS first_step, max(step) AS last_step, argMax(time, step) AS last_time,
  toBool(max(isNaN(value))) AS has_nan, toBool(max(isInfinite(value))) AS has_inf
FROM (${careful_points})
GROUP BY project, run_id, metric, rank
