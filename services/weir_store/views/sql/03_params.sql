SELECT project, run_id, path, ${value}
FROM ${db}.run_attrs AS attr FINAL
WHERE ns = 'config' AND (project, run_id) NOT IN (${forked}) AND (project, run_id) IN (${exist})
UNION ALL
-- Of forked runs the nearest ancestor's word, the run's own included; what was removed is no more.
SELECT project, run_id, path, ${value} FROM (
  SELECT project, of_run AS run_id, path, type, num, int, str, is_deleted
  FROM (
    SELECT project, run_id, path, type, num, int, str, is_deleted
    FROM ${db}.run_attrs WHERE ns = 'config'
    ORDER BY project, run_id, path, ver DESC, is_deleted DESC LIMIT 1 BY project, run_id, path) AS told
  INNER JOIN (${pieces}) AS piece ON told.project = piece.of_project AND told.run_id = piece.source
  WHERE (project, of_run) IN (${forked})
  ORDER BY project, run_id, path, depth LIMIT 1 BY project, run_id, path) AS attr
WHERE is_deleted = 0
