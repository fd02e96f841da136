"""How far behind a subscription is: from stored to told, and from `log()` to told."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time

import weir as sdk
from benchmarks.harness import ROOT, Figure, percentile, running_weir
from tests.integration.fixtures_live import Job
from weir_store.clickhouse import connect
from weir_store.inserter import ClickHouseInserter
from weir_store.records import RunRef

FRAMES, SUBSCRIBERS, SECONDS = 100, 20, 20


def measure() -> list[Figure]:
    """Store frames and log points, and look at the clock when they are told."""
    with running_weir() as weir, sdk.Api(weir.gateway) as api:
        store = connect(weir.clickhouse, user=weir.user, password=weir.password)
        job = Job(ClickHouseInserter(store, "weir"), RunRef("live", "stored"))
        job.begin()
        stored = _stored(api, job)
        store.close()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as spool:
            logged = _logged(api, weir.gateway, spool)
    return [
        Figure(f"stored to told, {SUBSCRIBERS} subscribers, p50", percentile(stored, 0.5), "s"),
        Figure(
            f"stored to told, {SUBSCRIBERS} subscribers, p99", percentile(stored, 0.99), "s", "<= 1"
        ),
        Figure("log() to told, 10 k points/s, p50", percentile(logged, 0.5), "s"),
        Figure("log() to told, 10 k points/s, p99", percentile(logged, 0.99), "s"),
    ]


def _stored(api: sdk.Api, job: Job) -> list[float]:
    """Return the seconds from the commit of a frame until each subscriber has its point."""
    several = [api.subscribe("live/stored", kinds="point") for _ in range(SUBSCRIBERS)]
    seen: list[tuple[int, float]] = []

    def read(updates: object) -> None:
        seen.extend((each.step, time.time()) for each in updates)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=read, args=(each,), daemon=True) for each in several]
    for thread in threads:
        thread.start()
    stored_s = {}
    for step in range(FRAMES):
        job.log([0.0], first_step=step)
        stored_s[step] = time.time()
        time.sleep(0.1)
    time.sleep(3)
    for each in several:
        each.close()
    if len(seen) < FRAMES * SUBSCRIBERS:
        raise SystemExit(f"{len(seen)} of {FRAMES * SUBSCRIBERS} updates came")
    return [max(0.0, at - stored_s[step]) for step, at in seen]


def _logged(api: sdk.Api, gateway: str, spool: str) -> list[float]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WEIR_SERVER": gateway, "WEIR_DIR": spool}
    script = [sys.executable, str(ROOT / "benchmarks/weir_steady.py"), str(SECONDS), "100", "100"]
    ages: list[float] = []
    with api.subscribe("bench", metrics="train/metric_00", kinds="point", idle_s=15) as updates:
        logger = subprocess.Popen(script, env=environment, stdout=subprocess.DEVNULL)
        ages.extend(time.time() - each.time_unix_us / 1e6 for each in updates)  # type: ignore[union-attr]
        logger.wait()
    return ages[len(ages) // 10 :]  # the first tenth starts things up
