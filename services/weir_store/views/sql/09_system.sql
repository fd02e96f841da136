SELECT project, run_id, node, device, metric, ts AS time, value FROM (
  SELECT project, run_id, node, device, metric, ts, value, ver
  FROM ${db}.system_points WHERE (project, run_id) NOT IN (${deleted})
  ORDER BY project, run_id, metric, node, device, ts, ver DESC LIMIT 1 BY project, run_id, metric, node, device, ts)
