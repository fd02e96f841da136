-- What was set in code, and beside it what each metric came to at the lowest rank that has it, by the run's rules.
SELECT project, run_id, path, ${value}, toLowCardinality('set') AS source
FROM ${db}.run_attrs AS attr FINAL
WHERE ns = 'summary' AND (project, run_id) IN (${exist})
UNION ALL
SELECT project, run_id, metric AS path, toString(assumeNotNull(came_to)) AS value, came_to AS num, toLowCardinality('float') AS type,
  toLowCardinality('metric') AS source
FROM (
  SELECT series.project AS project, toString(series.run_id) AS run_id, toString(series.metric) AS metric,
    arrayLast(rule -> match(metric, rule.4), rules).3 AS policy,
    CAST(multiIf(policy = 'min', min, policy = 'max', max, policy = 'mean', mean, last), 'Nullable(Float64)') AS came_to
  FROM (
    SELECT project, run_id, metric, last, min, max FROM ${views}.series
    ORDER BY project, run_id, metric, rank LIMIT 1 BY project, run_id, metric) AS series
  LEFT JOIN (${rules}) AS ruled ON series.project = ruled.project AND series.run_id = ruled.run_id
  LEFT JOIN (
    SELECT project, run_id, metric, ifNull(avgOrNullIf(value, isFinite(value)), nan) AS mean FROM ${views}.metrics
    WHERE (project, run_id) IN (SELECT project, run_id FROM (${rules}) WHERE arrayExists(rule -> rule.3 = 'mean', rules))
    GROUP BY project, run_id, metric, rank ORDER BY project, run_id, metric, rank LIMIT 1 BY project, run_id, metric
  ) AS means ON series.project = means.project AND series.run_id = means.run_id AND series.metric = means.metric
  WHERE policy != 'none')
WHERE (project, run_id, path) NOT IN (
  SELECT project, run_id, path FROM ${db}.run_attrs FINAL WHERE ns = 'summary')
