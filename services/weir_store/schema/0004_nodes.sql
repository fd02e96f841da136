-- What nodes measured of themselves, and what the processes on them printed.
-- Both end their sort key with the version, as points do: a replay collapses.
CREATE TABLE IF NOT EXISTS ${db}.system_points ${on_cluster} (
  project  LowCardinality(String),
  run_id   LowCardinality(String),
  metric   LowCardinality(String),
  node     LowCardinality(String),
  device   LowCardinality(String),                        -- gpu0, cpu3, eth0, …; '' = the node
  ts       DateTime64(6, 'UTC')  CODEC(Delta, ZSTD(1)),   -- clock of the node
  value    Float64               CODEC(Gorilla, ZSTD(1)),
  rank     UInt32                CODEC(T64, ZSTD(1)),     -- of the agent's producer: for the ledger
  ver      UInt64                CODEC(Delta, ZSTD(1)),
  run_date Date                  CODEC(ZSTD(1))
) ENGINE = ${replicated}ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, metric, node, device, ts)
ORDER BY (project, run_id, metric, node, device, ts, ver)
SETTINGS ${durable};

-- Lines in the order of time for each rank: a tail reads the end of it.
CREATE TABLE IF NOT EXISTS ${db}.console ${on_cluster} (
  project  LowCardinality(String),
  run_id   LowCardinality(String),
  rank     UInt32                CODEC(T64, ZSTD(1)),
  ts       DateTime64(6, 'UTC')  CODEC(Delta, ZSTD(1)),   -- when the line began, clock of the node
  process  UUID                  CODEC(ZSTD(1)),          -- producer of the process that printed
  number   UInt64                CODEC(DoubleDelta, ZSTD(1)),  -- of the process's lines, from 1
  stream   Enum8('stdout' = 1, 'stderr' = 2, 'logging' = 3),
  level    UInt8                 CODEC(ZSTD(1)),          -- as in Python's logging; 0 = not said
  node     LowCardinality(String),
  line     String                CODEC(ZSTD(3)),
  agent_rank UInt32              CODEC(T64, ZSTD(1)),     -- of the agent's producer: for the ledger
  ver      UInt64                CODEC(Delta, ZSTD(1)),
  run_date Date                  CODEC(ZSTD(1)),
  -- Over what a search compares (console/search.py has the same text, a test holds the two together). Not a
  -- preprocessor: rows that are read without the index would then give another answer than rows read with it.
  INDEX ix_line lower(replaceRegexpAll(line, '\\x1b(\\[[0-?]*[ -/]*[@-~]|\\][^\\x07\\x1b]*(\\x07|\\x1b\\\\))', ''))
    TYPE text(tokenizer = splitByNonAlpha)
) ENGINE = ${replicated}ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, rank, ts)
ORDER BY (project, run_id, rank, ts, process, number, ver)
SETTINGS ${durable};
