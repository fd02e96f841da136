"""Questions to a large project: 50 M points, 2 000 runs of 200 metrics. MLflow's `search_runs` beside them.

Weir is asked over gRPC, as scripts ask; MLflow over its store in the same process (no server, no
points behind the final ones), which is the kinder way for it.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable

import weir as sdk
from benchmarks.end_to_end import connect
from benchmarks.harness import PEERS_PYTHON, Figure, Weir, percentile, run_script, running_weir

RUNS, METRICS, STEPS = 2_000, 200, 125
TIMES = 25
POINTS = """
INSERT INTO weir_raw.points
SELECT 'asking', concat('run-', leftPad(toString(intDiv(number, {each:UInt32})), 4, '0')) AS run,
       concat('train/metric_', leftPad(toString(intDiv(number, {steps:UInt32}) % {metrics:UInt32}), 3, '0')),
       number % {steps:UInt32}, 0,
       2 * exp(-(number % {steps:UInt32}) / 40) + (cityHash64(intDiv(number, {steps:UInt32})) % 1000) / 1000,
       toDateTime64('2026-11-01 00:00:00', 6, 'UTC') + toIntervalSecond(number % {steps:UInt32}),
       bitShiftLeft(toUInt64(1762000000), 32), 0, '2026-11-01'
FROM numbers({first:UInt64}, {count:UInt64})
"""
RUNS_SQL = """
INSERT INTO weir_raw.runs (project, run_id, created_at, ver)
SELECT 'asking', concat('run-', leftPad(toString(number), 4, '0')),
       toDateTime64('2026-11-01 00:00:00', 6, 'UTC') + toIntervalMinute(number), 1
FROM numbers({runs:UInt32})
"""
CONFIG = """
INSERT INTO weir_raw.run_attrs (project, run_id, ns, path, type, num, int, str, rank, ver)
SELECT 'asking', concat('run-', leftPad(toString(number % {runs:UInt32}), 4, '0')), 'config',
       ['lr', 'seed', 'depth', 'width'][intDiv(number, {runs:UInt32}) + 1], 'float',
       (cityHash64(number) % 1000) / 10000, 0, '', 0, bitShiftLeft(toUInt64(1762000000), 32)
FROM numbers(4 * {runs:UInt32})
"""
WHERE = "config.lr < 0.05 AND summary.train/metric_007 < 1.5"
SQL = """
SELECT series.run_id, series.last FROM series
INNER JOIN params ON series.project = params.project AND series.run_id = params.run_id
WHERE series.project = 'asking' AND params.project = 'asking' AND metric = 'train/metric_007'
  AND path = 'lr' AND params.num < 0.05 AND series.last < 1.5
ORDER BY series.last LIMIT 50
"""


def measure() -> list[Figure]:
    """Fill the tables through their views, then ask as people ask."""
    with running_weir() as weir:
        fill(weir)
        with sdk.Api(weir.gateway, timeout_s=300) as api:
            page = times_ms(lambda: page_of(api))
            lowest = times_ms(lambda: sorted_by(api, "metric.train/metric_007@min"))
            mean_of = times_ms(lambda: sorted_by(api, "metric.train/metric_007@mean"))
            by_sql = times_ms(lambda: list(api.sql(SQL).rows()))
            point = times_ms(lambda: api.run("asking/run-0007").history("train/metric_007"))
            mean = "SELECT metric, avg(last) FROM series WHERE project = 'asking' GROUP BY metric"
            every = times_ms(lambda: list(api.sql(mean).rows()))
    size = f"{RUNS:,} runs × {METRICS} metrics, {RUNS * METRICS * STEPS // 1_000_000} M points"
    figures = [
        Figure(f"filter, sort, page of {size}, p50", percentile(page, 0.5), "ms"),
        Figure(f"filter, sort, page of {size}, p95", percentile(page, 0.95), "ms", "<= 150"),
        Figure(
            "page of all runs, sorted by a metric's lowest value, p50",
            percentile(lowest, 0.5),
            "ms",
        ),
        Figure("page of all runs, sorted by a metric's mean, p50", percentile(mean_of, 0.5), "ms"),
        Figure("the same in SQL over the views, p50", percentile(by_sql, 0.5), "ms"),
        Figure("the same in SQL over the views, p95", percentile(by_sql, 0.95), "ms"),
        Figure("one series of one run, p50", percentile(point, 0.5), "ms"),
        Figure("mean of every metric over all runs, in SQL, p50", percentile(every, 0.5), "ms"),
    ]
    if PEERS_PYTHON.exists():
        peer = _mlflow()
        figures += [
            Figure("MLflow search_runs, the metric alone, p50", peer["page_ms"], "ms"),
            Figure("MLflow over Weir", peer["page_ms"] / percentile(page, 0.5), "×"),
        ]
    return figures


def _mlflow() -> dict[str, float]:
    """Ask MLflow for the page over as many runs, each with its final metrics alone."""
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        base = f"{folder}/mlflow.db"
        made = run_script(PEERS_PYTHON, "peers/mlflow_fill.py", base, RUNS, METRICS, 0, 1, 0)
        return run_script(PEERS_PYTHON, "peers/mlflow_search.py", base, made["experiment"])


def page_of(api: sdk.Api) -> list[object]:
    """Return the first page of the runs that match, best first."""
    found = api.runs(
        "asking",
        where=WHERE,
        order_by="summary.train/metric_007",
        limit=50,
        columns=["config.lr", "summary.train/metric_007"],
    )
    return list(found)


def sorted_by(api: sdk.Api, order: str) -> list[object]:
    """Return the first page of all runs, by a number of a metric."""
    return list(api.runs("asking", order_by=order, limit=50, columns=["config.lr"]))


def fill(weir: Weir) -> None:
    """Insert runs, their config, and their points in slices of 5 M."""
    client = connect(weir)
    client.command(RUNS_SQL, {"runs": RUNS})
    client.command(CONFIG, {"runs": RUNS})
    each, whole, slice_ = METRICS * STEPS, RUNS * METRICS * STEPS, 5_000_000
    for first in range(0, whole, slice_):
        told = {"each": each, "steps": STEPS, "metrics": METRICS, "first": first, "count": slice_}
        client.command(POINTS, told, settings={"async_insert": 0})


def times_ms(ask: Callable[[], object]) -> list[float]:
    """Return how long it takes, again and again, after three to warm up."""
    taken = []
    for _ in range(TIMES + 3):
        begun_s = time.perf_counter()
        ask()
        taken.append(1_000 * (time.perf_counter() - begun_s))
    return taken[3:]
