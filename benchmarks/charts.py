"""Chart queries: series of 1 M points thinned to 1 000 buckets, 20 M points in the table."""

from __future__ import annotations

import time

from benchmarks.end_to_end import connect
from benchmarks.harness import Figure, percentile, running_weir
from weir_store.clickhouse import connect as connect_store
from weir_store.reader import ClickHouseReader
from weir_store.records import RunRef, SeriesQuery

SERIES, POINTS = 20, 1_000_000
FILL = """
INSERT INTO weir_raw.points
SELECT 'charts', 'long', concat('train/metric_', leftPad(toString({m:UInt32}), 2, '0')), number, 0,
       2 * exp(-number / 200000) + 0.1 + (cityHash64(number, {m:UInt32}) % 1000) / 20000,
       toDateTime64('2026-11-01 00:00:00', 6, 'UTC') + toIntervalMicrosecond(number * 100000),
       bitShiftLeft(toUInt64(1762000000), 32), 0, '2026-11-01'
FROM numbers({n:UInt64})
"""


def measure() -> list[Figure]:
    """Fill the table through its views, then ask as the dashboard asks."""
    with running_weir() as weir:
        client = connect(weir)
        client.command(
            "INSERT INTO weir_raw.runs (project, run_id, created_at, ver)"
            " VALUES ('charts', 'long', '2026-11-01 00:00:00', 1)"
        )
        for metric in range(SERIES):
            client.command(FILL, {"m": metric, "n": POINTS}, settings={"async_insert": 0})
        reader = ClickHouseReader(
            connect_store(
                url=weir.clickhouse, user=weir.user, password=weir.password, query_timeout_s=30
            ),
            "weir",
        )
        one = _times_ms(reader, [f"train/metric_{index:02d}" for index in range(1)])
        twenty = _times_ms(reader, [f"train/metric_{index:02d}" for index in range(SERIES)])
    return [
        Figure("one series of 1 M points → 1 000 buckets, p50", percentile(one, 0.50), "ms"),
        Figure(
            "one series of 1 M points → 1 000 buckets, p95", percentile(one, 0.95), "ms", "<= 100"
        ),
        Figure("20 such series on one chart, p50", percentile(twenty, 0.50), "ms"),
        Figure("20 such series on one chart, p95", percentile(twenty, 0.95), "ms", "<= 600"),
    ]


def _times_ms(reader: ClickHouseReader, metrics: list[str]) -> list[float]:
    query = SeriesQuery(runs=(RunRef("charts", "long"),), metrics=tuple(metrics), max_points=1_000)
    taken = []
    for _ in range(40):
        start = time.perf_counter()
        table = reader.read_series(query)
        taken.append(1_000 * (time.perf_counter() - start))
        if not 0 < table.num_rows <= 1_000 * len(metrics):
            raise SystemExit(f"asked for at most 1 000 buckets a series, got {table.num_rows} rows")
    return taken[5:]
