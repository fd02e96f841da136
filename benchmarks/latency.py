"""From `log()` to visible in a query, at 10 000 points a second."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

from benchmarks.end_to_end import connect
from benchmarks.harness import ROOT, Figure, percentile, running_weir

SECONDS, METRICS, STEPS_PER_S = 30, 100, 100


def measure() -> list[Figure]:
    """Ask for the newest step again and again; a step is as old as it is when first seen."""
    with running_weir() as weir, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as spool:
        client = connect(weir)
        logger = subprocess.Popen(
            [
                sys.executable,
                str(ROOT / "benchmarks/weir_steady.py"),
                str(SECONDS),
                str(METRICS),
                str(STEPS_PER_S),
            ],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "WEIR_SERVER": weir.gateway,
                "WEIR_DIR": spool,
            },
            stdout=subprocess.DEVNULL,
        )
        ages_s: list[float] = []
        seen = STEPS_PER_S * 3 - 1  # the first three seconds start things up
        while logger.poll() is None:
            answer = client.query(
                "SELECT step, any(ts) FROM weir_raw.points"
                " WHERE project = 'bench' AND run_id = 'steady' AND metric = 'train/metric_00' AND step > {s:Int64}"
                " GROUP BY step ORDER BY step",
                {"s": seen},
            ).result_rows
            now = time.time()
            ages_s += [now - logged.timestamp() for _, logged in answer]
            seen = answer[-1][0] if answer else seen
            time.sleep(0.02)
    return [
        Figure("log() to visible, 10 k points/s, p50", percentile(ages_s, 0.50), "s"),
        Figure("log() to visible, 10 k points/s, p95", percentile(ages_s, 0.95), "s", "<= 1.5"),
        Figure("log() to visible, 10 k points/s, max", max(ages_s), "s"),
    ]
