-- What people and policies change of what is stored, and what must not be changed. docs/changes.md

-- One row per change; its id is that of its receipt. A change that was cut off stays `begun` and is gone on with.
CREATE TABLE IF NOT EXISTS ${db}.changes ${on_cluster} (
  project LowCardinality(String), change_id UUID,
  kind LowCardinality(String),                      -- correct, delete_points, delete_run, delete_project, move, merge, retention
  run_id String,                                    -- '' = the project
  state LowCardinality(String),                     -- begun, waiting (for children, or for bytes to come of age), done
  by String, reason String,
  at DateTime64(6, 'UTC'), ended_at DateTime64(6, 'UTC'),
  request String CODEC(ZSTD(3)), receipt String CODEC(ZSTD(3)),
  ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, change_id)
SETTINGS ${durable};

-- What changes took out of the rows of a process life, and put beside them: the ledger still adds up.
CREATE TABLE IF NOT EXISTS ${db}.ledger_changes ${on_cluster} (
  project LowCardinality(String), run_id String, change_id UUID,
  kind Enum8('points' = 1, 'texts' = 2, 'attrs' = 3, 'events' = 4, 'system' = 5, 'lines' = 6),
  rank UInt32, session UInt32,                      -- ver >> 32
  removed UInt64, removed_digest UInt64, added UInt64, added_digest UInt64,
  ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, run_id, change_id, kind, rank, session)
SETTINGS ${durable};

-- Every version of points that somebody deleted: history stays readable until the run itself is deleted.
CREATE TABLE IF NOT EXISTS ${db}.removed_points ${on_cluster} (
  project LowCardinality(String), run_id LowCardinality(String), metric LowCardinality(String),
  step Int64 CODEC(DoubleDelta, ZSTD(1)), rank UInt32 CODEC(T64, ZSTD(1)),
  value Float64 CODEC(Gorilla, ZSTD(1)), ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  ver UInt64 CODEC(Delta, ZSTD(1)), change_id UUID CODEC(ZSTD(1)),
  removed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
) ENGINE = ${replicated}ReplacingMergeTree(removed_at)
ORDER BY (project, run_id, metric, step, rank, ver)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.removed_texts ${on_cluster} (
  project LowCardinality(String), run_id LowCardinality(String), metric LowCardinality(String),
  step Int64 CODEC(DoubleDelta, ZSTD(1)), rank UInt32 CODEC(T64, ZSTD(1)),
  value String CODEC(ZSTD(3)), ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  ver UInt64 CODEC(Delta, ZSTD(1)), kind Enum8('text' = 0, 'media' = 1) CODEC(ZSTD(1)),
  change_id UUID CODEC(ZSTD(1)), removed_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1))
) ENGINE = ${replicated}ReplacingMergeTree(removed_at)
ORDER BY (project, run_id, metric, step, rank, ver)
SETTINGS ${durable};

-- Legal holds: while there is one, nothing of the run or project is deleted or thinned.
CREATE TABLE IF NOT EXISTS ${db}.holds ${on_cluster} (
  project LowCardinality(String), run_id String,    -- '' = the whole project
  reason String, by String, at DateTime64(6, 'UTC'),
  ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.retention ${on_cluster} (
  project LowCardinality(String),
  what Enum8('metrics' = 1, 'console' = 2, 'system' = 3),
  pattern String,                                   -- glob over metric names; '*' = all
  keep_s UInt64,                                    -- 0 = for ever
  thin_after_s UInt64, thin_points UInt64,          -- 0 = never
  by String, at DateTime64(6, 'UTC'),
  ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, what, pattern)
SETTINGS ${durable};
