-- What people write down: saved views, reports, and which view a page begins with. docs/reports.md

-- One row per save, and none is ever replaced: two people who save at the same moment make two rows of one version.
-- Views without a name are long addresses in short, and forgotten after 180 days.
CREATE TABLE IF NOT EXISTS ${db}.documents ${on_cluster} (
  project LowCardinality(String), kind LowCardinality(String),  -- view, report, default
  document_id String, version UInt32, save_id UUID,
  name String, owner String, by String,
  created_at DateTime64(6, 'UTC'), at DateTime64(6, 'UTC'),
  body String CODEC(ZSTD(3)), size_bytes UInt64,
  is_deleted UInt8,                                 -- this version says that the document is gone
  ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, kind, document_id, version, save_id)
TTL toDateTime(at) + INTERVAL 180 DAY DELETE WHERE kind = 'view' AND name = ''
SETTINGS ${durable};
