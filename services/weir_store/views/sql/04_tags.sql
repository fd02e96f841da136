SELECT project, run_id, path AS tag
FROM ${db}.run_attrs AS attr FINAL
WHERE ns = 'tag' AND (project, run_id) IN (${exist})
