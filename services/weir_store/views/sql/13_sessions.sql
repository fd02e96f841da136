SELECT project, run_id, producer AS session_id, rank, local_rank, world_size, node, pid, role, launcher, attempt,
  toLowCardinality(outcome) AS state, exit_code, if(silent, '${silence}', lives.reason) AS reason, started_at,
  if(ended_us = 0, NULL, fromUnixTimestamp64Micro(toInt64(ended_us), 'UTC')) AS ended_at,
  fromUnixTimestamp64Micro(toInt64(seen_us), 'UTC') AS last_seen_at
FROM (${lives}) AS lives
WHERE (project, run_id) IN (${exist})
