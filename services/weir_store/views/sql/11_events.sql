SELECT project, run_id, ts AS time, kind, severity, title, body, if(step = -1, NULL, step) AS step, rank, attrs, source, event_id
FROM ${db}.events FINAL
WHERE (project, run_id) NOT IN (${deleted})
