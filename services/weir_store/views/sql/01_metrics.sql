-- Most runs: no step was logged twice, FINAL takes replays away. All others: see parts.py.
SELECT project, run_id, metric, rank, step, ts AS time, value
FROM ${db}.points FINAL WHERE run_id NOT IN (${careful}) AND run_id NOT IN (${cold})
UNION ALL
${careful_or_cold_points}
