SELECT project, run_id, name, state, user, `group`, job_type, notes, tags, created_at, started_at,
  if(ended_us = 0, NULL, fromUnixTimestamp64Micro(toInt64(ended_us), 'UTC')) AS finished_at,
  fromUnixTimestamp64Micro(toInt64(seen_us), 'UTC') AS last_seen_at,
  (if(ended_us = 0, seen_us, ended_us) - created_us) / 1e6 AS duration_s,
  world_size, ranks, hosts, parent_run_id, fork_step, rewinds
FROM (
  SELECT project, run_id, attrs.name AS name, attrs.user AS user, attrs.`group` AS `group`,
    attrs.job_type AS job_type, attrs.notes AS notes, attrs.tags AS tags, created_at,
    if(ranks > 0, begun.started_at, NULL) AS started_at, created_us, world_size, ranks, hosts,
    toLowCardinality(multiIf(ranks > 0, run_state, created_us < ${silent_since}, 'crashed', 'running')) AS state,
    multiIf(ranks > 0, run_ended_us, state = 'running', 0, created_us) AS ended_us,
    if(ranks > 0, run_seen_us, created_us) AS seen_us,
    shown.parent_run_id AS parent_run_id, if(shown.parent_run_id = '', NULL, shown.fork_step) AS fork_step, rewinds
  FROM (SELECT project, run_id, created_at, toUnixTimestamp64Micro(created_at) AS created_us
    FROM ${db}.runs FINAL) AS runs
  LEFT JOIN (${states}) AS states USING (project, run_id)
  LEFT JOIN (
    SELECT project, run_id, min(sessions.started_at) AS started_at, arraySort(groupUniqArray(node)) AS hosts
    FROM ${db}.sessions FINAL GROUP BY project, run_id) AS begun USING (project, run_id)
  LEFT JOIN (
    SELECT project, run_id, arraySort(groupArrayIf(path, ns = 'tag')) AS tags, ${labels}
    FROM ${db}.run_attrs FINAL
    WHERE ns = 'tag' OR (ns = 'meta' AND path IN ('name', 'group', 'job_type', 'user', 'notes'))
    GROUP BY project, run_id) AS attrs USING (project, run_id)
  LEFT JOIN (SELECT project, run_id, parent_run_id, fork_step, rewinds FROM ${db}.shown FINAL) AS shown
    USING (project, run_id))
