-- How far each producer is stored, what happened, and what could never be stored.
-- Written after every data table of a block: a watermark never runs ahead of its rows.
CREATE TABLE IF NOT EXISTS ${db}.ingest_commits ${on_cluster} (
  project LowCardinality(String), run_id String, producer UUID,
  seq UInt64, at DateTime64(3, 'UTC')               -- newest accepted frame, server clock: the session's last sign of life
) ENGINE = ${replicated}ReplacingMergeTree(seq)
ORDER BY (project, run_id, producer)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.events ${on_cluster} (
  project LowCardinality(String), run_id String, event_id UUID, ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  kind LowCardinality(String), severity Enum8('debug' = 1, 'info' = 2, 'warn' = 3, 'error' = 4, 'critical' = 5),
  title String, body String CODEC(ZSTD(3)), step Int64 DEFAULT -1, rank UInt32 DEFAULT 0,
  attrs Map(LowCardinality(String), String), ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, run_id, event_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.dead_letters ${on_cluster} (
  project LowCardinality(String), run_id String, producer UUID, seq UInt64,
  reason String, entry String CODEC(ZSTD(3)),       -- the serialised weir.v1.Entry
  at DateTime64(3, 'UTC')
) ENGINE = ${replicated}ReplacingMergeTree(at)
ORDER BY (project, run_id, producer, seq)
SETTINGS ${durable};
