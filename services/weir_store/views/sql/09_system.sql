SELECT project, run_id, node, device, metric, ts AS time, value FROM (
  SELECT project, run_id, node, device, metric, ts, value, ver
  FROM ${db}.system_points WHERE (project, run_id) NOT IN (${deleted}) AND run_id NOT IN (${cold})
  ORDER BY project, run_id, metric, node, device, ts, ver DESC LIMIT 1 BY project, run_id, metric, node, device, ts)
UNION ALL
-- Runs that were rolled to files.
SELECT project, run_id, node, device, metric, ts AS time, value FROM (
  SELECT project, run_id, node, device, metric, ts, value, ver
  FROM ${both_system} WHERE (project, run_id) NOT IN (${deleted}) AND run_id IN (${cold})
  ORDER BY project, run_id, metric, node, device, ts, ver DESC LIMIT 1 BY project, run_id, metric, node, device, ts)
