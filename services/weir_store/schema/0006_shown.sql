-- What each rewound or forked run shows: the pieces of lineage.py, written down so that SQL can join them. Derived
-- from `branches` whenever those change (weir_store/shown.py); `seen` counts the branches of the project that were known.
CREATE TABLE IF NOT EXISTS ${db}.shown ${on_cluster} (
  project LowCardinality(String), run_id String,
  parent_run_id String, fork_step Int64,            -- '' = not forked
  rewinds Array(Int64),                             -- steps it was rewound to, oldest first
  sources Array(String),                            -- whose rows: the run's own, its parent's, and so on
  -- of each source, the last step shown: for all ranks but some, and for these
  upto Array(Int64), upto_ranks Array(Array(Int64)), upto_own Array(Array(Int64)),
  -- of each source, its cuts: step, later, since; ranks and their own since (lineage.Cut)
  cuts Array(Array(Tuple(Int64, UInt8, Int64, Array(Int64), Array(Int64)))),
  seen UInt64
) ENGINE = ${replicated}ReplacingMergeTree(seen)
ORDER BY (project, run_id)
SETTINGS ${durable};

-- What each process life logged, a few rows a run: kept to find corrections as they come.
CREATE TABLE IF NOT EXISTS ${db}.point_lives ${on_cluster} (
  project LowCardinality(String), run_id String, rank UInt32, session UInt32,  -- ver >> 32
  min_step SimpleAggregateFunction(min, Int64), max_step SimpleAggregateFunction(max, Int64),
  rewrite SimpleAggregateFunction(max, UInt8)       -- it may have logged a step twice
) ENGINE = ${replicated}AggregatingMergeTree
ORDER BY (project, run_id, rank, session)
SETTINGS ${durable};

-- Runs whose points are not simply their rows. Most runs are not here, and are read as they lie.
CREATE TABLE IF NOT EXISTS ${db}.careful_runs ${on_cluster} (
  project LowCardinality(String), run_id String,
  why Enum8('deleted' = 1, 'bent' = 2, 'corrected' = 3)
) ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (project, run_id, why)
SETTINGS ${durable};

-- Some step may have been logged twice: by one process that says so, or by two of one rank whose steps meet. Inside,
-- the name of the table means the rows that come; `merge` is the way to the others.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${db}.careful_corrected_mv ${on_cluster} TO ${db}.careful_runs AS
SELECT DISTINCT new.project AS project, new.run_id AS run_id, 'corrected' AS why
FROM ${db}.point_lives AS new
INNER JOIN (
  SELECT project, run_id, rank, session, min_step, max_step FROM merge('${db}', '^point_lives$$')
  WHERE (project, run_id) IN (SELECT project, run_id FROM ${db}.point_lives)) AS old USING (project, run_id, rank)
WHERE new.rewrite = 1
  OR (new.session != old.session AND new.min_step <= old.max_step AND old.min_step <= new.max_step);

CREATE MATERIALIZED VIEW IF NOT EXISTS ${db}.careful_bent_mv ${on_cluster} TO ${db}.careful_runs AS
SELECT project, run_id, 'bent' AS why FROM ${db}.shown;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${db}.careful_deleted_mv ${on_cluster} TO ${db}.careful_runs AS
SELECT project, run_id, 'deleted' AS why FROM ${db}.runs WHERE is_deleted = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${db}.point_lives_mv ${on_cluster} TO ${db}.point_lives AS
SELECT project, run_id, rank, session, min(series.min_step) AS min_step, max(series.max_step) AS max_step,
  max(series.rewrite) AS rewrite
FROM ${db}.series GROUP BY project, run_id, rank, session;

-- What was there before this migration; harmless when repeated.
INSERT INTO ${db}.point_lives
SELECT project, run_id, rank, session, min(series.min_step), max(series.max_step), max(series.rewrite)
FROM ${db}.series GROUP BY project, run_id, rank, session;

INSERT INTO ${db}.careful_runs SELECT DISTINCT project, run_id, 'deleted' FROM ${db}.runs WHERE is_deleted = 1;
