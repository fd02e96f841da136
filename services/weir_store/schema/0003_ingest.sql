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
  attrs Map(LowCardinality(String), String), ver UInt64,
  source LowCardinality(String) DEFAULT 'client'    -- client: told by the process; server: found by Weir
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, run_id, event_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.dead_letters ${on_cluster} (
  project LowCardinality(String), run_id String, producer UUID, seq UInt64,
  reason String, entry String CODEC(ZSTD(3)),       -- the serialised weir.v1.Entry
  at DateTime64(3, 'UTC'),                          -- of the newest decision
  state LowCardinality(String) DEFAULT 'kept',      -- kept, retried (stored after all), dropped (given up by a person)
  by String DEFAULT ''                              -- who decided
) ENGINE = ${replicated}ReplacingMergeTree(at)
ORDER BY (project, run_id, producer, seq)
SETTINGS ${durable};

-- Double-entry bookkeeping of what producers sent: docs/formats/ledger.md.
CREATE TABLE IF NOT EXISTS ${db}.ledger ${on_cluster} (
  project LowCardinality(String), run_id String, producer UUID, rank UInt32,
  kind Enum8('points' = 1, 'texts' = 2, 'attrs' = 3, 'events' = 4, 'system' = 5, 'lines' = 6),
  account Enum8('sent' = 1, 'rejected' = 2, 'dead' = 3, 'gap' = 4, 'dropped' = 5, 'refused' = 6),
  part UInt64,                                      -- sent: 0; otherwise the frame's seq, of a gap its first
  count UInt64,                                     -- of a gap: frames
  digest UInt64, ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id, producer, kind, account, part)
SETTINGS ${durable};
