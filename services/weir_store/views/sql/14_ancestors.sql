SELECT of_project AS project, of_run AS run_id, toUInt32(depth) AS generation, source AS ancestor_run_id,
  last_others AS last_step
FROM (${pieces})
WHERE depth > 0
