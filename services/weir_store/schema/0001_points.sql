-- Metric points, the summary of each series, and a roll-up for very long series.
-- The sort key has step before rank: questions across ranks are 5–8× faster. It ends with the version: a
-- replay is the same row and collapses, a correction is another row and stays (ADR 10). Who reads series that
-- may hold corrections takes the newest version of each point.
CREATE TABLE IF NOT EXISTS ${db}.points ${on_cluster} (
  project  LowCardinality(String),
  run_id   LowCardinality(String),
  metric   LowCardinality(String),
  step     Int64                 CODEC(DoubleDelta, ZSTD(1)),
  rank     UInt32                CODEC(T64, ZSTD(1)),
  value    Float64               CODEC(Gorilla, ZSTD(1)),
  ts       DateTime64(6, 'UTC')  CODEC(Delta, ZSTD(1)),
  ver      UInt64                CODEC(Delta, ZSTD(1)),  -- session start s << 32 | frame seq: the newest wins, a replay is identical
  rewrite  UInt8                 CODEC(ZSTD(1)),         -- its producer may have sent this step before
  run_date Date                  CODEC(ZSTD(1))          -- of the run, never of the point: versions must meet in one partition
) ENGINE = ${replicated}ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, metric, step, rank)
ORDER BY (project, run_id, metric, step, rank, ver)
SETTINGS ${durable};

-- Idempotent aggregates only: a block delivered twice cannot change them. One row per process life (`session`), so
-- that a rewind or a fork can leave out whole rows; only lives that logged the same steps send readers to the points.
CREATE TABLE IF NOT EXISTS ${db}.series ${on_cluster} (
  project LowCardinality(String), run_id LowCardinality(String), metric LowCardinality(String), rank UInt32,
  session UInt32 CODEC(ZSTD(1)),                                    -- ver >> 32
  last  AggregateFunction(argMax, Float64, Int128),                 -- by step, then ver: step << 64 | ver
  last_ts AggregateFunction(argMax, DateTime64(6, 'UTC'), Int128),  -- (a tuple would say the same, ten times slower)
  first AggregateFunction(argMin, Float64, Int128),
  min_at AggregateFunction(argMin, Int64, Float64),                 -- finite values only
  max_at AggregateFunction(argMax, Int64, Float64),
  min_v SimpleAggregateFunction(min, Float64),                      -- finite values only; +Inf when there is none
  max_v SimpleAggregateFunction(max, Float64),                      -- −Inf when there is none
  has_nan SimpleAggregateFunction(max, UInt8),
  has_pos_inf SimpleAggregateFunction(max, UInt8),
  has_neg_inf SimpleAggregateFunction(max, UInt8),
  min_step SimpleAggregateFunction(min, Int64), max_step SimpleAggregateFunction(max, Int64),
  min_ts SimpleAggregateFunction(min, DateTime64(6, 'UTC')), max_ts SimpleAggregateFunction(max, DateTime64(6, 'UTC')),
  rewrite SimpleAggregateFunction(max, UInt8)                       -- some step may have been logged twice by one producer
) ENGINE = ${replicated}AggregatingMergeTree
ORDER BY (project, run_id, metric, rank, session)
SETTINGS ${durable};

CREATE MATERIALIZED VIEW IF NOT EXISTS ${db}.series_mv ${on_cluster} TO ${db}.series AS
WITH bitOr(bitShiftLeft(toInt128(step), 64), toInt128(ver)) AS step_ver
SELECT project, run_id, metric, rank, toUInt32(bitShiftRight(ver, 32)) AS session,
  argMaxState(value, step_ver) AS last, argMaxState(ts, step_ver) AS last_ts, argMinState(value, step_ver) AS first,
  argMinStateIf(step, value, isFinite(value)) AS min_at, argMaxStateIf(step, value, isFinite(value)) AS max_at,
  min(if(isFinite(value), value, inf)) AS min_v, max(if(isFinite(value), value, -inf)) AS max_v,
  max(isNaN(value)) AS has_nan, max(value = inf) AS has_pos_inf, max(value = -inf) AS has_neg_inf,
  min(step) AS min_step, max(step) AS max_step, min(ts) AS min_ts, max(ts) AS max_ts,
  max(points.rewrite) AS rewrite
FROM ${db}.points GROUP BY project, run_id, metric, rank, session;

-- 64 steps a row, per session: where two sessions meet in a bucket, or `rewrite` is set, readers go to the points.
CREATE TABLE IF NOT EXISTS ${db}.points_64 ${on_cluster} (
  project LowCardinality(String), run_id LowCardinality(String), metric LowCardinality(String),
  bucket Int64 CODEC(DoubleDelta, ZSTD(1)),                         -- step >> 6
  rank UInt32 CODEC(T64, ZSTD(1)), session UInt32 CODEC(ZSTD(1)),   -- ver >> 32
  first AggregateFunction(argMin, Float64, Int64), last AggregateFunction(argMax, Float64, Int64),
  min_v SimpleAggregateFunction(min, Float64), max_v SimpleAggregateFunction(max, Float64),
  nonfinite SimpleAggregateFunction(groupBitOr, UInt8),             -- bit 0 NaN, bit 1 +Inf, bit 2 −Inf
  min_step SimpleAggregateFunction(min, Int64), max_step SimpleAggregateFunction(max, Int64),
  run_date Date CODEC(ZSTD(1))
) ENGINE = ${replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(run_date)
ORDER BY (project, run_id, metric, bucket, rank, session)
SETTINGS ${durable};

CREATE MATERIALIZED VIEW IF NOT EXISTS ${db}.points_64_mv ${on_cluster} TO ${db}.points_64 AS
SELECT project, run_id, metric, bitShiftRight(step, 6) AS bucket, rank, toUInt32(bitShiftRight(ver, 32)) AS session,
  argMinState(value, step) AS first, argMaxState(value, step) AS last,
  min(if(isFinite(value), value, inf)) AS min_v, max(if(isFinite(value), value, -inf)) AS max_v,
  groupBitOr(toUInt8(isNaN(value) + 2 * (value = inf) + 4 * (value = -inf))) AS nonfinite,
  min(step) AS min_step, max(step) AS max_step, any(points.run_date) AS run_date
FROM ${db}.points GROUP BY project, run_id, metric, bucket, rank, session;

-- Points whose value is text, or names a file (JSON, docs/formats/media.md).
CREATE TABLE IF NOT EXISTS ${db}.text_points ${on_cluster} (
  project LowCardinality(String), run_id LowCardinality(String), metric LowCardinality(String),
  step Int64 CODEC(DoubleDelta, ZSTD(1)), rank UInt32 CODEC(T64, ZSTD(1)),
  value String CODEC(ZSTD(3)), ts DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  ver UInt64 CODEC(Delta, ZSTD(1)), kind Enum8('text' = 0, 'media' = 1) CODEC(ZSTD(1)),
  run_date Date CODEC(ZSTD(1))
) ENGINE = ${replicated}ReplacingMergeTree(ver)
PARTITION BY toYYYYMM(run_date)
PRIMARY KEY (project, run_id, metric, step, rank)
ORDER BY (project, run_id, metric, step, rank, ver)
SETTINGS ${durable};
