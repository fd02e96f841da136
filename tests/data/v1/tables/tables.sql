CREATE TABLE ${db}.aliases
(
    `project` LowCardinality(String),
    `kind` Enum8('artifact' = 1, 'model' = 2),
    `name` String,
    `alias` String,
    `version` UInt32,
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, kind, name, alias)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.artifact_files
(
    `project` LowCardinality(String),
    `digest` String,
    `path` String CODEC(ZSTD(1)),
    `sha256` String CODEC(ZSTD(1)),
    `size` UInt64 CODEC(T64, ZSTD(1)),
    `mime` LowCardinality(String),
    `uri` String CODEC(ZSTD(1)),
    `etag` String CODEC(ZSTD(1)),
    `ver` UInt64 CODEC(Delta(8), ZSTD(1)),
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, digest, path)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.artifact_tags
(
    `project` LowCardinality(String),
    `name` String,
    `version` UInt32,
    `tag` String,
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, name, version, tag)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.artifact_versions
(
    `project` LowCardinality(String),
    `name` String,
    `version` UInt32,
    `digest` String,
    `type` LowCardinality(String),
    `run_id` String,
    `description` String CODEC(ZSTD(3)),
    `metadata` String CODEC(ZSTD(3)),
    `size` UInt64,
    `files` UInt32,
    `created_at` DateTime64(6, 'UTC'),
    `created_by` String,
    `expires_at` DateTime64(6, 'UTC'),
    `state` Enum8('live' = 1, 'deleted' = 2, 'gone' = 3, 'void' = 4),
    `ver` UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, name, version, digest)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.blob_marks
(
    `project` LowCardinality(String),
    `sha256` String,
    `collection` UUID,
    `marked_at` DateTime64(6, 'UTC'),
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, sha256, collection)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.blob_touches
(
    `project` LowCardinality(String),
    `sha256` String,
    `touched_at` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `ver` UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, sha256)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.blob_uploads
(
    `project` LowCardinality(String),
    `upload_id` String,
    `sha256` String,
    `size` UInt64,
    `part_bytes` UInt64,
    `begun_at` DateTime64(6, 'UTC'),
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, upload_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.blobs
(
    `project` LowCardinality(String),
    `sha256` String,
    `size` UInt64,
    `etag` String,
    `stored_at` DateTime64(6, 'UTC'),
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, sha256)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.branches
(
    `project` LowCardinality(String),
    `run_id` String,
    `producer` UUID,
    `rank` UInt32,
    `world_size` UInt32,
    `parent_run_id` String,
    `step` Int64,
    `launch` String,
    `ver` UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, run_id, producer)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.console
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `rank` UInt32 CODEC(T64, ZSTD(1)),
    `ts` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `process` UUID CODEC(ZSTD(1)),
    `number` UInt64 CODEC(DoubleDelta, ZSTD(1)),
    `stream` Enum8('stdout' = 1, 'stderr' = 2, 'logging' = 3),
    `level` UInt8 CODEC(ZSTD(1)),
    `node` LowCardinality(String),
    `line` String CODEC(ZSTD(3)),
    `agent_rank` UInt32 CODEC(T64, ZSTD(1)),
    `ver` UInt64 CODEC(Delta(8), ZSTD(1)),
    `run_date` Date CODEC(ZSTD(1)),
    INDEX ix_line lower(replaceRegexpAll(line, '\\x1b(\\[[0-?]*[ -/]*[@-~]|\\][^\\x07\\x1b]*(\\x07|\\x1b\\\\))', '')) TYPE text(tokenizer = splitByNonAlpha) GRANULARITY 100000000
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, rank, ts)
ORDER BY (project, run_id, rank, ts, process, number, ver)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.dead_letters
(
    `project` LowCardinality(String),
    `run_id` String,
    `producer` UUID,
    `seq` UInt64,
    `reason` String,
    `entry` String CODEC(ZSTD(3)),
    `at` DateTime64(3, 'UTC'),
    `state` LowCardinality(String) DEFAULT 'kept',
    `by` String DEFAULT ''
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (project, run_id, producer, seq)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.events
(
    `project` LowCardinality(String),
    `run_id` String,
    `event_id` UUID,
    `ts` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `kind` LowCardinality(String),
    `severity` Enum8('debug' = 1, 'info' = 2, 'warn' = 3, 'error' = 4, 'critical' = 5),
    `title` String,
    `body` String CODEC(ZSTD(3)),
    `step` Int64 DEFAULT -1,
    `rank` UInt32 DEFAULT 0,
    `attrs` Map(LowCardinality(String), String),
    `ver` UInt64,
    `source` LowCardinality(String) DEFAULT 'client'
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, run_id, event_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.ingest_commits
(
    `project` LowCardinality(String),
    `run_id` String,
    `producer` UUID,
    `seq` UInt64,
    `at` DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(seq)
ORDER BY (project, run_id, producer)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.ledger
(
    `project` LowCardinality(String),
    `run_id` String,
    `producer` UUID,
    `rank` UInt32,
    `kind` Enum8('points' = 1, 'texts' = 2, 'attrs' = 3, 'events' = 4, 'system' = 5, 'lines' = 6),
    `account` Enum8('sent' = 1, 'rejected' = 2, 'dead' = 3, 'gap' = 4, 'dropped' = 5, 'refused' = 6),
    `part` UInt64,
    `count` UInt64,
    `digest` UInt64,
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id, producer, kind, account, part)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.lineage
(
    `project` LowCardinality(String),
    `run_id` String,
    `artifact_project` LowCardinality(String),
    `name` String,
    `version` UInt32,
    `is_output` UInt8,
    `at` DateTime64(6, 'UTC'),
    `ver` UInt64,
    INDEX ix_name name TYPE bloom_filter(0.01) GRANULARITY 4
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, run_id, artifact_project, name, version, is_output)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.model_changes
(
    `project` LowCardinality(String),
    `model` String,
    `version` UInt32,
    `at` DateTime64(6, 'UTC'),
    `change_id` UUID,
    `by` String,
    `note` String CODEC(ZSTD(3)),
    `stage` LowCardinality(String),
    `aliases` Array(String),
    `ver` UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, model, version, at, change_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.models
(
    `project` LowCardinality(String),
    `model` String,
    `version` UInt32,
    `artifact` String,
    `artifact_version` UInt32,
    `run_id` String,
    `created_at` DateTime64(6, 'UTC'),
    `ver` UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, model, version, artifact, artifact_version)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.points
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `metric` LowCardinality(String),
    `step` Int64 CODEC(DoubleDelta, ZSTD(1)),
    `rank` UInt32 CODEC(T64, ZSTD(1)),
    `value` Float64 CODEC(Gorilla(8), ZSTD(1)),
    `ts` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `ver` UInt64 CODEC(Delta(8), ZSTD(1)),
    `rewrite` UInt8 CODEC(ZSTD(1)),
    `run_date` Date CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, metric, step, rank)
ORDER BY (project, run_id, metric, step, rank, ver)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.points_64
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `metric` LowCardinality(String),
    `bucket` Int64 CODEC(DoubleDelta, ZSTD(1)),
    `rank` UInt32 CODEC(T64, ZSTD(1)),
    `session` UInt32 CODEC(ZSTD(1)),
    `first` AggregateFunction(argMin, Float64, Int64),
    `last` AggregateFunction(argMax, Float64, Int64),
    `min_v` SimpleAggregateFunction(min, Float64),
    `max_v` SimpleAggregateFunction(max, Float64),
    `nonfinite` SimpleAggregateFunction(groupBitOr, UInt8),
    `min_step` SimpleAggregateFunction(min, Int64),
    `max_step` SimpleAggregateFunction(max, Int64),
    `run_date` Date CODEC(ZSTD(1))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(run_date)
ORDER BY (project, run_id, metric, bucket, rank, session)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.run_attr_history
(
    `project` LowCardinality(String),
    `run_id` String,
    `ns` Enum8('config' = 1, 'tag' = 2, 'summary' = 3, 'meta' = 4, 'file' = 5),
    `path` String CODEC(ZSTD(1)),
    `type` Enum8('str' = 1, 'float' = 2, 'int' = 3, 'bool' = 4, 'json' = 5, 'null' = 6),
    `num` Float64 CODEC(ZSTD(1)),
    `int` Int64 CODEC(T64, ZSTD(1)),
    `str` String CODEC(ZSTD(3)),
    `rank` UInt32 CODEC(T64, ZSTD(1)),
    `ver` UInt64 CODEC(Delta(8), ZSTD(1)),
    `is_deleted` UInt8 DEFAULT 0,
    INDEX ix_str str TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX ix_num num TYPE minmax GRANULARITY 4
)
ENGINE = ReplacingMergeTree
ORDER BY (project, run_id, ns, path, ver, rank)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.run_attrs
(
    `project` LowCardinality(String),
    `run_id` String,
    `ns` Enum8('config' = 1, 'tag' = 2, 'summary' = 3, 'meta' = 4, 'file' = 5),
    `path` String CODEC(ZSTD(1)),
    `type` Enum8('str' = 1, 'float' = 2, 'int' = 3, 'bool' = 4, 'json' = 5, 'null' = 6),
    `num` Float64 CODEC(ZSTD(1)),
    `int` Int64 CODEC(T64, ZSTD(1)),
    `str` String CODEC(ZSTD(3)),
    `rank` UInt32 CODEC(T64, ZSTD(1)),
    `ver` UInt64 CODEC(Delta(8), ZSTD(1)),
    `is_deleted` UInt8 DEFAULT 0,
    INDEX ix_str str TYPE bloom_filter(0.01) GRANULARITY 4,
    INDEX ix_num num TYPE minmax GRANULARITY 4
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id, ns, path)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.runs
(
    `project` LowCardinality(String),
    `run_id` String,
    `created_at` DateTime64(6, 'UTC'),
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, run_id)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.schema_versions
(
    `number` UInt32,
    `name` String,
    `sha256` FixedString(64),
    `applied_at` DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.series
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `metric` LowCardinality(String),
    `rank` UInt32,
    `session` UInt32 CODEC(ZSTD(1)),
    `last` AggregateFunction(argMax, Float64, Int128),
    `last_ts` AggregateFunction(argMax, DateTime64(6, 'UTC'), Int128),
    `first` AggregateFunction(argMin, Float64, Int128),
    `min_at` AggregateFunction(argMin, Int64, Float64),
    `max_at` AggregateFunction(argMax, Int64, Float64),
    `min_v` SimpleAggregateFunction(min, Float64),
    `max_v` SimpleAggregateFunction(max, Float64),
    `has_nan` SimpleAggregateFunction(max, UInt8),
    `has_pos_inf` SimpleAggregateFunction(max, UInt8),
    `has_neg_inf` SimpleAggregateFunction(max, UInt8),
    `min_step` SimpleAggregateFunction(min, Int64),
    `max_step` SimpleAggregateFunction(max, Int64),
    `min_ts` SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    `max_ts` SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
    `rewrite` SimpleAggregateFunction(max, UInt8)
)
ENGINE = AggregatingMergeTree
ORDER BY (project, run_id, metric, rank, session)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.sessions
(
    `project` LowCardinality(String),
    `run_id` String,
    `producer` UUID,
    `rank` UInt32,
    `local_rank` UInt32,
    `world_size` UInt32,
    `node` String,
    `pid` UInt32,
    `launcher` LowCardinality(String),
    `role` LowCardinality(String),
    `attempt` UInt32,
    `state` LowCardinality(String),
    `exit_code` Int32,
    `reason` String,
    `started_at` DateTime64(6, 'UTC'),
    `updated_at` DateTime64(6, 'UTC'),
    `ver` UInt64
)
ENGINE = ReplacingMergeTree(ver)
ORDER BY (project, run_id, producer)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.system_points
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `metric` LowCardinality(String),
    `node` LowCardinality(String),
    `device` LowCardinality(String),
    `ts` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `value` Float64 CODEC(Gorilla(8), ZSTD(1)),
    `rank` UInt32 CODEC(T64, ZSTD(1)),
    `ver` UInt64 CODEC(Delta(8), ZSTD(1)),
    `run_date` Date CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, metric, node, device, ts)
ORDER BY (project, run_id, metric, node, device, ts, ver)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.text_points
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `metric` LowCardinality(String),
    `step` Int64 CODEC(DoubleDelta, ZSTD(1)),
    `rank` UInt32 CODEC(T64, ZSTD(1)),
    `value` String CODEC(ZSTD(3)),
    `ts` DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `ver` UInt64 CODEC(Delta(8), ZSTD(1)),
    `kind` Enum8('text' = 0, 'media' = 1) CODEC(ZSTD(1)),
    `run_date` Date CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, metric, step, rank)
ORDER BY (project, run_id, metric, step, rank, ver)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE TABLE ${db}.webhooks
(
    `project` LowCardinality(String),
    `url` String,
    `kinds` Array(String),
    `secret` String,
    `created_by` String,
    `ver` UInt64,
    `is_deleted` UInt8 DEFAULT 0
)
ENGINE = ReplacingMergeTree(ver, is_deleted)
ORDER BY (project, url)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, index_granularity = 8192;

CREATE MATERIALIZED VIEW ${db}.points_64_mv TO ${db}.points_64
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `metric` LowCardinality(String),
    `bucket` Int64,
    `rank` UInt32,
    `session` UInt32,
    `first` AggregateFunction(argMin, Float64, Int64),
    `last` AggregateFunction(argMax, Float64, Int64),
    `min_v` Float64,
    `max_v` Float64,
    `nonfinite` UInt8,
    `min_step` Int64,
    `max_step` Int64,
    `run_date` Date
)
AS SELECT
    project,
    run_id,
    metric,
    bitShiftRight(step, 6) AS bucket,
    rank,
    toUInt32(bitShiftRight(ver, 32)) AS session,
    argMinState(value, step) AS first,
    argMaxState(value, step) AS last,
    min(if(isFinite(value), value, inf)) AS min_v,
    max(if(isFinite(value), value, -inf)) AS max_v,
    groupBitOr(toUInt8((isNaN(value) + (2 * (value = inf))) + (4 * (value = -inf)))) AS nonfinite,
    min(step) AS min_step,
    max(step) AS max_step,
    any(points.run_date) AS run_date
FROM ${db}.points
GROUP BY
    project,
    run_id,
    metric,
    bucket,
    rank,
    session;

CREATE MATERIALIZED VIEW ${db}.run_attr_history_mv TO ${db}.run_attr_history
(
    `project` LowCardinality(String),
    `run_id` String,
    `ns` Enum8('config' = 1, 'tag' = 2, 'summary' = 3, 'meta' = 4, 'file' = 5),
    `path` String,
    `type` Enum8('str' = 1, 'float' = 2, 'int' = 3, 'bool' = 4, 'json' = 5, 'null' = 6),
    `num` Float64,
    `int` Int64,
    `str` String,
    `rank` UInt32,
    `ver` UInt64,
    `is_deleted` UInt8
)
AS SELECT *
FROM ${db}.run_attrs;

CREATE MATERIALIZED VIEW ${db}.series_mv TO ${db}.series
(
    `project` LowCardinality(String),
    `run_id` LowCardinality(String),
    `metric` LowCardinality(String),
    `rank` UInt32,
    `session` UInt32,
    `last` AggregateFunction(argMax, Float64, Int128),
    `last_ts` AggregateFunction(argMax, DateTime64(6, 'UTC'), Int128),
    `first` AggregateFunction(argMin, Float64, Int128),
    `min_at` AggregateFunction(argMin, Int64, Float64),
    `max_at` AggregateFunction(argMax, Int64, Float64),
    `min_v` Float64,
    `max_v` Float64,
    `has_nan` UInt8,
    `has_pos_inf` UInt8,
    `has_neg_inf` UInt8,
    `min_step` Int64,
    `max_step` Int64,
    `min_ts` DateTime64(6, 'UTC'),
    `max_ts` DateTime64(6, 'UTC'),
    `rewrite` UInt8
)
AS WITH
    bitOr(bitShiftLeft(toInt128(step), 64), toInt128(ver)) AS step_ver
SELECT
    project,
    run_id,
    metric,
    rank,
    toUInt32(bitShiftRight(ver, 32)) AS session,
    argMaxState(value, step_ver) AS last,
    argMaxState(ts, step_ver) AS last_ts,
    argMinState(value, step_ver) AS first,
    argMinStateIf(step, value, isFinite(value)) AS min_at,
    argMaxStateIf(step, value, isFinite(value)) AS max_at,
    min(if(isFinite(value), value, inf)) AS min_v,
    max(if(isFinite(value), value, -inf)) AS max_v,
    max(isNaN(value)) AS has_nan,
    max(value = inf) AS has_pos_inf,
    max(value = -inf) AS has_neg_inf,
    min(step) AS min_step,
    max(step) AS max_step,
    min(ts) AS min_ts,
    max(ts) AS max_ts,
    max(points.rewrite) AS rewrite
FROM ${db}.points
GROUP BY
    project,
    run_id,
    metric,
    rank,
    session;
