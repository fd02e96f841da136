-- What a run is: its birth, its attributes (typed key/value: per-key last write wins), the process lives that made it.
CREATE TABLE IF NOT EXISTS ${db}.runs ${on_cluster} (
  project LowCardinality(String), run_id String,
  created_at DateTime64(6, 'UTC'), ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.run_attrs ${on_cluster} (
  project LowCardinality(String), run_id String,
  ns Enum8('config' = 1, 'tag' = 2, 'summary' = 3, 'meta' = 4, 'file' = 5), path String CODEC(ZSTD(1)),
  type Enum8('str' = 1, 'float' = 2, 'int' = 3, 'bool' = 4, 'json' = 5, 'null' = 6),
  num Float64 CODEC(ZSTD(1)),                       -- float, int and bool as a number, for filters and sorting; NaN for the rest
  int Int64 CODEC(T64, ZSTD(1)),                    -- int and bool exactly
  str String CODEC(ZSTD(3)),                        -- str and json
  rank UInt32 CODEC(T64, ZSTD(1)),                  -- of the process that says so; 2^32 - 1 = a person
  ver UInt64 CODEC(Delta, ZSTD(1)), is_deleted UInt8 DEFAULT 0,
  INDEX ix_str str TYPE bloom_filter(0.01) GRANULARITY 4, INDEX ix_num num TYPE minmax GRANULARITY 4
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id, ns, path)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.sessions ${on_cluster} (
  project LowCardinality(String), run_id String, producer UUID,
  rank UInt32, local_rank UInt32, world_size UInt32, node String, pid UInt32,
  launcher LowCardinality(String), role LowCardinality(String), attempt UInt32,
  state LowCardinality(String), exit_code Int32, reason String,
  started_at DateTime64(6, 'UTC'), updated_at DateTime64(6, 'UTC'), ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, run_id, producer)
SETTINGS ${durable};

-- Every version of every attribute: what the config was when, and what the ledger counts.
CREATE TABLE IF NOT EXISTS ${db}.run_attr_history ${on_cluster} AS ${db}.run_attrs
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY (project, run_id, ns, path, ver, rank)
SETTINGS ${durable};

CREATE MATERIALIZED VIEW IF NOT EXISTS ${db}.run_attr_history_mv ${on_cluster} TO ${db}.run_attr_history AS
SELECT * FROM ${db}.run_attrs;

-- Where a process took a run up: at a step of itself (rewind) or of another run (fork).
CREATE TABLE IF NOT EXISTS ${db}.branches ${on_cluster} (
  project LowCardinality(String), run_id String, producer UUID, rank UInt32, world_size UInt32,
  parent_run_id String, step Int64,                 -- the last step kept
  launch String, ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, run_id, producer)
SETTINGS ${durable};
