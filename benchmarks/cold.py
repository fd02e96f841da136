"""Cold runs: what a run takes in the tables and in files, and how long the same questions take of both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import weir as sdk
from benchmarks.end_to_end import connect
from benchmarks.harness import Figure, running_weir
from benchmarks.reading import METRICS, POINTS, fill
from weir._api_changes import ReceiptView

RUNS = 2
NAMES = [f"train/metric_{number:02d}" for number in range(METRICS)]
_ONE = "SELECT count(), avg(value) FROM {}.metrics WHERE project = 'reading' AND run_id = '{}' AND metric = '{}'"


def measure() -> list[Figure]:
    """Fill two runs, ask one while it is hot, roll it, ask again, and bring it back."""
    with running_weir("--objects.cold-settle-s", "0") as weir:
        for number in range(RUNS):
            fill(weir, f"run{number}", 1)
        clickhouse = connect(weir)
        clickhouse.command("OPTIMIZE TABLE weir_raw.points FINAL")
        with sdk.Api(weir.gateway, timeout_s=600) as api:
            hot = _asked(api, clickhouse)
            rolled_s, receipt = _waited(api, api.roll("reading/run0"))
            cold = _asked(api, clickhouse)
            others = _best(lambda: _sql(clickhouse, "run1"))
            thawed_s, _ = _waited(api, api.thaw("reading/run0"))
        clickhouse.close()
    points, told = METRICS * POINTS, receipt.result
    return [
        Figure(
            "points of a run in the tables", told["before"]["points"]["bytes"] / points, "bytes"
        ),
        Figure("the same in files", told["size_bytes"] / points, "bytes"),
        Figure("roll", points / rolled_s / 1e6, "M points/s"),
        Figure("thaw", points / thawed_s / 1e6, "M points/s"),
        *(
            Figure(f"{what}, {where}", found[what] * 1e3, "ms")
            for what in hot
            for where, found in (("hot", hot), ("cold", cold))
        ),
        Figure("one series in SQL, of a hot run beside it", others * 1e3, "ms"),
    ]


def _asked(api: sdk.Api, clickhouse: Any) -> dict[str, float]:
    run = ["reading/run0"]
    return {
        "chart of 1 000 buckets": _best(lambda: api.read_series(run, NAMES[:1], max_points=1_000)),
        "one series whole": _best(lambda: api.read_series(run, NAMES[:1])),
        "one series in SQL": _best(lambda: _sql(clickhouse, "run0")),
        "newest values of all series": _best(lambda: api.latest(run)),
    }


def _sql(clickhouse: Any, run: str) -> None:
    ((count, _),) = clickhouse.query(_ONE.format("weir", run, NAMES[0])).result_rows
    if count != POINTS:
        raise SystemExit(f"{count} of {POINTS} points came")


def _best(ask: Callable[[], object]) -> float:
    """Return the shortest of five, after one to warm up."""
    took = []
    for _ in range(6):
        begun_s = time.perf_counter()
        ask()
        took.append(time.perf_counter() - begun_s)
    return min(took[1:])


def _waited(api: sdk.Api, receipt: ReceiptView) -> tuple[float, ReceiptView]:
    begun_s = time.perf_counter()
    while receipt.state != "done":
        time.sleep(0.05)
        receipt = api.receipt(receipt.id)
    if problem := receipt.result.get("given_up") or receipt.result.get("refused"):
        raise SystemExit(problem)
    return time.perf_counter() - begun_s, receipt
