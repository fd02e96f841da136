"""Every counter and gauge Weir keeps of itself, declared once. docs/telemetry.md is generated from here.

Names: `weir_<service>_<what>[_<unit>][_total]`. Labels come from closed sets,
never a run or a project.
"""

from __future__ import annotations

from importlib.metadata import version

from prometheus_client import Counter, Gauge, Histogram

_FAST_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

BUILD = Gauge(
    "weir_build_info", "always 1; its label says which release this process is", ["version"]
)
BUILD.labels(version("weir")).set(1)

INGEST_FRAMES = Counter(
    "weir_ingest_frames_total", "frames received, by outcome", ["outcome"]
)  # ok dup gap full limited rejected
INGEST_POINTS = Counter(
    "weir_ingest_points_total", "points received, by outcome", ["outcome"]
)  # accepted rejected
INGEST_BYTES = Counter("weir_ingest_bytes_total", "frame body bytes received, as sent")
INGEST_REJECTS = Counter("weir_ingest_rejects_total", "rejects answered, by code", ["code"])
INGEST_STREAMS = Gauge("weir_ingest_streams", "open ingest streams")
INGEST_PRODUCERS = Gauge("weir_ingest_producers", "producers greeted on open streams")
INGEST_APPEND_SECONDS = Histogram(
    "weir_ingest_append_seconds", "one round trip to the stream, seconds", buckets=_FAST_S
)
QUERY_SECONDS = Histogram(
    "weir_query_seconds", "one answered question, seconds", ["method"], buckets=_FAST_S
)
QUERY_FAILURES = Counter(
    "weir_query_failures_total", "questions not answered, by gRPC status", ["status"]
)

LIVE_SUBSCRIPTIONS = Gauge("weir_live_subscriptions", "open subscriptions")
LIVE_ENDED = Counter(
    "weir_live_ended_total", "subscriptions the server ended, by reason", ["reason"]
)  # reader_stopped server_stops
LIVE_LOOK_SECONDS = Histogram(
    "weir_live_look_seconds", "one look at what is new, for all subscribers", buckets=_FAST_S
)

STREAM_ENTRIES = Gauge("weir_stream_entries", "entries not yet committed", ["shard"])
STREAM_BYTES = Gauge("weir_stream_bytes", "payload bytes not yet committed", ["shard"])
STREAM_LAG_SECONDS = Gauge(
    "weir_stream_lag_seconds", "age of the oldest uncommitted entry", ["shard"]
)

WRITER_POINTS = Counter(
    "weir_writer_points_total", "points leaving the stream, by outcome", ["outcome"]
)  # stored dead_lettered
WRITER_ENTRIES = Counter(
    "weir_writer_entries_total", "entries leaving the stream, by outcome", ["outcome"]
)  # stored dead_lettered skipped
WRITER_BLOCK_ROWS = Histogram(
    "weir_writer_block_rows",
    "rows of one block, all tables",
    buckets=(10, 100, 1_000, 10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000),
)
WRITER_INSERT_SECONDS = Histogram(
    "weir_writer_insert_seconds", "one block into the store, seconds", buckets=_FAST_S
)
WRITER_RETRIES = Counter("weir_writer_retries_total", "inserts tried again")
WRITER_REDELIVERED = Counter("weir_writer_redelivered_entries_total", "entries read a second time")
WRITER_LEASE = Gauge("weir_writer_lease", "1 while this process holds the shard's lease", ["shard"])

RULES_EVALUATIONS = Counter(
    "weir_rules_evaluations_total", "rules evaluated, by outcome", ["outcome"]
)  # ok wrong undecided
RULES_SECONDS = Histogram("weir_rules_seconds", "one evaluation, seconds", buckets=_FAST_S)
RULES_ALERTS = Counter("weir_rules_alerts_total", "alerts raised")
RULES_DELIVERIES = Counter(
    "weir_rules_deliveries_total", "tries of deliveries, by action and outcome", ["kind", "outcome"]
)  # delivered again dead
RULES_WAITING = Gauge("weir_rules_deliveries_waiting", "deliveries that wait for a try")
RULES_LEASE = Gauge("weir_rules_lease", "1 while this process evaluates the rules")

SQL_DOOR_REQUESTS = Counter(
    "weir_sql_door_requests_total", "requests to the SQL door, by outcome", ["outcome"]
)  # answered refused broken_off

ENGINE_SECONDS = Histogram(
    "weir_engine_seconds", "one statement, seconds", ["kind"], buckets=_FAST_S
)  # result insert command
ENGINE_FAILURES = Counter(
    "weir_engine_failures_total", "statements that failed, by ClickHouse's error name", ["error"]
)
ENGINE_RUNNING = Gauge("weir_engine_running", "requests under way")
ENGINE_INSERTED_ROWS = Counter("weir_engine_inserted_rows_total", "rows written by inserts")
ENGINE_INSERT_BYTES = Counter("weir_engine_insert_bytes_total", "bytes of rows, unpacked")
