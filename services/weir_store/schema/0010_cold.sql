-- Finished runs whose large tables were rolled to Parquet in the object store. docs/cold.md

-- A row is there while a run is cold: what its files hold then belongs to what the tables hold. Both may hold a row:
-- it is shown once.
CREATE TABLE IF NOT EXISTS ${db}.cold_runs ${on_cluster} (
  project LowCardinality(String), run_id String,
  roll_id UUID,                                     -- of the change that rolled it; names its files
  files String CODEC(ZSTD(3)),                      -- JSON: table, key, rows, size_bytes, sha256 of each
  rows UInt64, size_bytes UInt64,
  by String, at DateTime64(6, 'UTC'),
  ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.cold_rules ${on_cluster} (
  project LowCardinality(String),
  after_s UInt64,                                   -- so long after a run ended it is rolled
  by String, at DateTime64(6, 'UTC'),
  ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY project
SETTINGS ${durable};

-- What lies in files. Nothing, until the first run is rolled: the server then puts its object store here.
CREATE VIEW IF NOT EXISTS ${db}.cold_points ${on_cluster} AS SELECT * FROM ${db}.points WHERE false;

CREATE VIEW IF NOT EXISTS ${db}.cold_system_points ${on_cluster} AS SELECT * FROM ${db}.system_points WHERE false;

CREATE VIEW IF NOT EXISTS ${db}.cold_console ${on_cluster} AS SELECT * FROM ${db}.console WHERE false;

-- What is asked instead of a table where a run is cold: every version of every row, replays gone.
CREATE VIEW IF NOT EXISTS ${db}.all_points ${on_cluster} AS
SELECT * FROM (SELECT * FROM ${db}.points UNION ALL SELECT * FROM ${db}.cold_points)
ORDER BY project, run_id, metric, step, rank, ver LIMIT 1 BY project, run_id, metric, step, rank, ver;

CREATE VIEW IF NOT EXISTS ${db}.all_system_points ${on_cluster} AS
SELECT * FROM (SELECT * FROM ${db}.system_points UNION ALL SELECT * FROM ${db}.cold_system_points)
ORDER BY project, run_id, metric, node, device, ts, ver LIMIT 1 BY project, run_id, metric, node, device, ts, ver;

CREATE VIEW IF NOT EXISTS ${db}.all_console ${on_cluster} AS
SELECT * FROM (SELECT * FROM ${db}.console UNION ALL SELECT * FROM ${db}.cold_console)
ORDER BY project, run_id, rank, ts, process, number, ver LIMIT 1 BY project, run_id, rank, ts, process, number, ver;
