-- An agent that died may have stored a line twice. The line is named beside its place, so that conditions on it reach the index.
SELECT project, run_id, rank, ts AS time, stream, level, node, process, number, line, ${plain_line} AS plain FROM (
  SELECT project, run_id, rank, ts, stream, level, node, process, number, line, ver
  FROM ${db}.console WHERE (project, run_id) NOT IN (${deleted}) AND run_id NOT IN (${cold})
  ORDER BY project, run_id, rank, ts, process, number, ver DESC
  LIMIT 1 BY project, run_id, rank, ts, process, number, stream, level, node, line)
UNION ALL
-- Runs that were rolled to files.
SELECT project, run_id, rank, ts AS time, stream, level, node, process, number, line, ${plain_line} AS plain FROM (
  SELECT project, run_id, rank, ts, stream, level, node, process, number, line, ver
  FROM ${both_lines} WHERE (project, run_id) NOT IN (${deleted}) AND run_id IN (${cold})
  ORDER BY project, run_id, rank, ts, process, number, ver DESC
  LIMIT 1 BY project, run_id, rank, ts, process, number, stream, level, node, line)
