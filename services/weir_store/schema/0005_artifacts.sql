-- Named, versioned sets of files; whose bytes lie where; the models among them. docs/formats/artifacts.md
-- A blob is there when it has a row here: its bytes are in the object store and were compared with what was sent.
CREATE TABLE IF NOT EXISTS ${db}.blobs ${on_cluster} (
  project LowCardinality(String), sha256 String, size UInt64, etag String,
  stored_at DateTime64(6, 'UTC'), ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, sha256)
SETTINGS ${durable};

-- When somebody last sent a blob, or relied on its being there. A table of its own: a touch must never bring a
-- removed blob back.
CREATE TABLE IF NOT EXISTS ${db}.blob_touches ${on_cluster} (
  project LowCardinality(String), sha256 String, touched_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)), ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, sha256)
SETTINGS ${durable};

-- Blobs that a garbage collection is about to remove: nobody may rely on them while the mark is there.
CREATE TABLE IF NOT EXISTS ${db}.blob_marks ${on_cluster} (
  project LowCardinality(String), sha256 String, collection UUID,
  marked_at DateTime64(6, 'UTC'), ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, sha256, collection)
SETTINGS ${durable};

-- Uploads in parts that were begun and not finished yet. Kept here because not every S3 lists them by prefix.
CREATE TABLE IF NOT EXISTS ${db}.blob_uploads ${on_cluster} (
  project LowCardinality(String), upload_id String, sha256 String, size UInt64, part_bytes UInt64,
  begun_at DateTime64(6, 'UTC'), ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, upload_id)
SETTINGS ${durable};

-- The manifests: every file of every digest, by path.
CREATE TABLE IF NOT EXISTS ${db}.artifact_files ${on_cluster} (
  project LowCardinality(String), digest String, path String CODEC(ZSTD(1)),
  sha256 String CODEC(ZSTD(1)),                     -- '' = a reference
  size UInt64 CODEC(T64, ZSTD(1)), mime LowCardinality(String),
  uri String CODEC(ZSTD(1)), etag String CODEC(ZSTD(1)),
  ver UInt64 CODEC(Delta, ZSTD(1)), is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, digest, path)
SETTINGS ${durable};

-- Versions are never taken away, so that no number is given twice. The digest is in the key: should one number be
-- given to two contents, both see it.
CREATE TABLE IF NOT EXISTS ${db}.artifact_versions ${on_cluster} (
  project LowCardinality(String), name String, version UInt32, digest String,
  type LowCardinality(String), run_id String, description String CODEC(ZSTD(3)), metadata String CODEC(ZSTD(3)),
  size UInt64, files UInt32, created_at DateTime64(6, 'UTC'), created_by String,
  expires_at DateTime64(6, 'UTC'),                  -- 1970 = never
  state Enum8('live' = 1, 'deleted' = 2, 'gone' = 3, 'void' = 4),
  ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, name, version, digest)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.artifact_tags ${on_cluster} (
  project LowCardinality(String), name String, version UInt32, tag String, ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, name, version, tag)
SETTINGS ${durable};

-- Names that move from version to version, of artifacts and of models.
CREATE TABLE IF NOT EXISTS ${db}.aliases ${on_cluster} (
  project LowCardinality(String), kind Enum8('artifact' = 1, 'model' = 2), name String, alias String,
  version UInt32, ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, kind, name, alias)
SETTINGS ${durable};

-- Which run made or read which version.
CREATE TABLE IF NOT EXISTS ${db}.lineage ${on_cluster} (
  project LowCardinality(String), run_id String, artifact_project LowCardinality(String), name String, version UInt32,
  is_output UInt8, at DateTime64(6, 'UTC'), ver UInt64,
  INDEX ix_name name TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, run_id, artifact_project, name, version, is_output)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.models ${on_cluster} (
  project LowCardinality(String), model String, version UInt32, artifact String, artifact_version UInt32,
  run_id String, created_at DateTime64(6, 'UTC'), ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, model, version, artifact, artifact_version)
SETTINGS ${durable};

-- Every change of every model version, only ever added to: the newest says where a version stands.
CREATE TABLE IF NOT EXISTS ${db}.model_changes ${on_cluster} (
  project LowCardinality(String), model String, version UInt32, at DateTime64(6, 'UTC'), change_id UUID,
  by String, note String CODEC(ZSTD(3)), stage LowCardinality(String),
  aliases Array(String),                            -- all that the version had after the change
  ver UInt64
) ENGINE = ${replicated}ReplacingMergeTree(ver)
ORDER BY (project, model, version, at, change_id)
SETTINGS ${durable};

CREATE TABLE IF NOT EXISTS ${db}.webhooks ${on_cluster} (
  project LowCardinality(String), url String, kinds Array(String), secret String,
  created_by String, ver UInt64, is_deleted UInt8 DEFAULT 0
) ENGINE = ${replicated}ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, url)
SETTINGS ${durable};
