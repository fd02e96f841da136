-- Rules, where each of their groups stands, what evaluating them costs, and what is to be told to whom. docs/rules.md
CREATE TABLE IF NOT EXISTS ${db}.rules ${on_cluster} (
  project LowCardinality(String), name String, rule_id UUID,
  definition String CODEC(ZSTD(3)),                 -- JSON; holds addresses and secrets of actions
  version UInt32, by String, at DateTime64(6, 'UTC'), ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, name)
SETTINGS ${durable};

-- One row for each group that is not simply ok. A new alert is noted (told = 0) before it is raised (told = 1), so
-- that whoever comes after a crash raises exactly that one.
CREATE TABLE IF NOT EXISTS ${db}.rule_states ${on_cluster} (
  project LowCardinality(String), rule_id UUID, run_id String, rank Int64, node String,
  state Enum8('pending' = 1, 'firing' = 2, 'resolved' = 3), since DateTime64(6, 'UTC'),
  value Float64, message String CODEC(ZSTD(1)),
  alert_id UUID, told UInt8, told_at DateTime64(6, 'UTC'),  -- 1970 = never
  ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, rule_id, run_id, rank, node)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.rule_health ${on_cluster} (
  project LowCardinality(String), rule_id UUID, version UInt32, evaluated_at DateTime64(6, 'UTC'),
  took_s Float64, groups UInt32, firing UInt32, is_cut UInt8, error String CODEC(ZSTD(1)), failures UInt32,
  every_s Float64,                                  -- as it is evaluated now: longer than wanted when slow or broken
  evaluations UInt64, spent_s Float64, ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, rule_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.deliveries ${on_cluster} (
  project LowCardinality(String), delivery_id UUID, rule_id UUID, rule String, alert_id UUID, run_id String,
  kind LowCardinality(String), action String CODEC(ZSTD(3)),  -- JSON of the action, secrets and all
  payload String CODEC(ZSTD(3)),                    -- JSON of what is told
  state Enum8('waiting' = 1, 'delivered' = 2, 'dead' = 3), tries UInt32, problem String CODEC(ZSTD(1)),
  at DateTime64(6, 'UTC'), tried_at DateTime64(6, 'UTC'),     -- 1970 = never
  ver UInt64                                        -- 0 = as it was made; each change one more
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, delivery_id)
TTL toDateTime(at) + INTERVAL 90 DAY
SETTINGS ${durable};
