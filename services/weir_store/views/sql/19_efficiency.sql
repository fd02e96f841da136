SELECT project, run_id, about.user AS user, about.`group` AS `group`, about.commit AS commit, nodes, gpus, gpu_hours,
  energy_wh, idle_gpu_hours, idle_gpu_hours / known_hours AS idle_share, mean_utilization,
  if(counted.metrics = 0, NULL, counted.tokens) AS tokens,
  tokens / (energy_wh * 3600) AS tokens_per_joule, tokens / gpu_hours AS tokens_per_gpu_hour
FROM (
  SELECT project, run_id, uniqExact(node) AS nodes, count() AS gpus, sum(hours) AS gpu_hours,
    ifNull(sumOrNullIf(gpu_usage.energy_wh, isFinite(gpu_usage.energy_wh)), nan) AS energy_wh,
    ifNull(sumOrNullIf(idle_hours, isFinite(idle_hours)), nan) AS idle_gpu_hours,
    ifNull(sumOrNullIf(hours, isFinite(idle_hours)), nan) AS known_hours,
    sumIf(gpu_usage.mean_utilization * hours, isFinite(idle_hours)) / known_hours AS mean_utilization
  FROM ${views}.gpu_usage GROUP BY project, run_id) AS used
LEFT JOIN (
  SELECT project, run_id, ${labels}, anyIf(str, path = 'git/commit') AS commit
  FROM ${db}.run_attrs FINAL WHERE ns = 'meta' AND path IN ('user', 'group', 'git/commit')
  GROUP BY project, run_id) AS about USING (project, run_id)
LEFT JOIN (
  SELECT project, run_id, count() AS metrics, argMin(last, (indexOf([${token_metrics}], toString(metric)), rank)) AS tokens
  FROM ${views}.series WHERE metric IN (${token_metrics})
  GROUP BY project, run_id) AS counted USING (project, run_id)
