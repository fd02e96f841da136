SELECT project, run_id, path, ${value}
FROM ${db}.run_attrs AS attr FINAL
WHERE ns = 'meta' AND (project, run_id) IN (${exist})
