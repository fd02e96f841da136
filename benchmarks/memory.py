"""Memory of every part under full load, and whether it stays flat."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time

import psutil

from benchmarks.harness import ROOT, Figure, agent_of, running_weir

MINUTES = float(os.environ.get("WEIR_BENCH_MEMORY_MINUTES", "10"))


def measure() -> list[Figure]:
    """Log 200 k points/s from four processes and sample every part once a second."""
    with running_weir() as weir, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as spool:
        parts = weir.parts()
        loggers = [
            subprocess.Popen(
                [
                    sys.executable,
                    str(ROOT / "benchmarks/weir_load.py"),
                    str(rank),
                    str(MINUTES * 60),
                ],
                env={
                    **os.environ,
                    "PYTHONPATH": str(ROOT),
                    "WEIR_SERVER": weir.gateway,
                    "WEIR_DIR": spool,
                },
                stdout=subprocess.DEVNULL,
            )
            for rank in range(4)
        ]
        samples: dict[str, list[float]] = {name: [] for name in (*parts, "agent", "trainer")}
        while any(logger.poll() is None for logger in loggers):
            time.sleep(1)
            for name, process in (
                *parts.items(),
                ("trainer", psutil.Process(loggers[0].pid)),
                ("agent", agent_of(spool)),
            ):
                try:
                    samples[name].append(process.memory_info().rss / 1e6 if process else 0.0)
                except psutil.NoSuchProcess:
                    continue
    return [
        figure
        for name, values in samples.items()
        for figure in _figures(name, [v for v in values if v])
    ]


def _figures(name: str, values_mb: list[float]) -> list[Figure]:
    if not values_mb:
        return []
    third = max(1, len(values_mb) // 3)
    growth = _mean(values_mb[-third:]) / _mean(values_mb[third : 2 * third] or values_mb)
    must = {"gateway": "<= 250", "writer": "<= 600", "agent": "<= 80"}.get(name, "")
    flat = "<= 1.15" if name in ("gateway", "writer", "agent", "trainer") else ""
    return [
        Figure(f"{name}, peak", max(values_mb), "MB", must),
        Figure(f"{name}, last third over middle third", growth, "×", flat),
    ]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
