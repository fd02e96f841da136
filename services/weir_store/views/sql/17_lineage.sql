SELECT project, run_id, toLowCardinality(if(is_output, 'output', 'input')) AS direction,
  artifact_project, name AS artifact, version, at AS time
FROM ${db}.lineage FINAL
WHERE (project, run_id) NOT IN (${deleted})
