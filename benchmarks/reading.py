"""Reading every point: `api.read_series` to pandas, and MLflow's `get_metric_history` beside it."""

from __future__ import annotations

import time

import weir as sdk
from benchmarks.end_to_end import connect
from benchmarks.harness import PEERS_PYTHON, Figure, Weir, run_script, running_weir

METRICS, POINTS, RANKED = 4, 1_000_000, 64
MLFLOW_POINTS = 20_000
FILL = """
INSERT INTO weir_raw.points
SELECT 'reading', {run:String}, concat('train/metric_', leftPad(toString({m:UInt32}), 2, '0')),
       intDiv(number, {ranks:UInt32}), number % {ranks:UInt32},
       2 * exp(-number / 200000) + 0.1 + (cityHash64(number, {m:UInt32}) % 1000) / 20000,
       toDateTime64('2026-11-01 00:00:00', 6, 'UTC') + toIntervalMicrosecond(number * 100000),
       bitShiftLeft(toUInt64(1762000000), 32), 0, '2026-11-01'
FROM numbers({n:UInt64})
"""


def measure() -> list[Figure]:
    """Fill the tables through their views, then read as a notebook does."""
    with running_weir() as weir:
        fill(weir, "one", 1)
        fill(weir, "ranks", RANKED)
        with sdk.Api(weir.gateway, timeout_s=300) as api:
            one = points_per_s(api, "reading/one")
            ranks = points_per_s(api, "reading/ranks")
            arrow = points_per_s(api, "reading/one", as_="arrow")
    what = f"read_series of {METRICS * POINTS // 1_000_000} M points"
    figures = [
        Figure(f"{what} to pandas, one rank", one / 1e6, "M points/s", ">= 3"),
        Figure(f"{what} to pandas, {RANKED} ranks", ranks / 1e6, "M points/s"),
        Figure(f"{what} to Arrow, one rank", arrow / 1e6, "M points/s"),
    ]
    if PEERS_PYTHON.exists():
        peer = run_script(PEERS_PYTHON, "peers/mlflow_read.py", MLFLOW_POINTS)
        figures += [
            Figure("MLflow get_metric_history", peer["points_per_s"] / 1e6, "M points/s"),
            Figure("Weir over MLflow", one / peer["points_per_s"], "x"),
        ]
    return figures


def fill(weir: Weir, run: str, ranks: int) -> None:
    """Give a run `METRICS` metrics of `POINTS` points each."""
    client = connect(weir)
    client.command(
        "INSERT INTO weir_raw.runs (project, run_id, created_at, ver)"
        f" VALUES ('reading', '{run}', '2026-11-01 00:00:00', 1)"
    )
    for metric in range(METRICS):
        told = {"run": run, "m": metric, "n": POINTS, "ranks": ranks}
        client.command(FILL, told, settings={"async_insert": 0})


def points_per_s(api: sdk.Api, run: str, as_: str = "pandas") -> float:
    """Return how fast a run is read whole: the best of three, after one to warm up."""
    metrics = [f"train/metric_{number:02d}" for number in range(METRICS)]
    best_s = float("inf")
    for _ in range(4):
        begun_s = time.perf_counter()
        table = api.read_series(run, metrics, as_=as_)  # type: ignore[arg-type]
        best_s = min(best_s, time.perf_counter() - begun_s)
        if len(table) != METRICS * POINTS:
            raise SystemExit(f"{len(table)} of {METRICS * POINTS} points came")
    return METRICS * POINTS / best_s
