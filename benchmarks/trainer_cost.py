"""What logging 20 scalars a step at 1 kHz costs the training process and the agent beside it."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from benchmarks.harness import Figure, agent_of, run_script, running_weir

SECONDS = 30


def measure() -> list[Figure]:
    """Log online into a Weir of our own; watch the agent meanwhile."""
    with running_weir() as weir, tempfile.TemporaryDirectory() as spool:
        watch = _AgentWatch(Path(spool))
        watch.start()
        cost = run_script(
            sys.executable, "weir_log.py", SECONDS * 1_000, 20, 0.001, "online",
            WEIR_SERVER=weir.gateway, WEIR_DIR=spool,
        )  # fmt: skip
        watch.stop()
    return [
        Figure(
            "CPU added to the trainer, 20 scalars at 1 kHz",
            100 * cost["cpu_share_added"],
            "% of a core",
            "<= 3",
        ),
        Figure("agent CPU meanwhile", 100 * watch.cpu_share, "% of a core", "<= 5"),
        Figure("memory the SDK adds to the trainer", cost["rss_added_bytes"] / 1e6, "MB", "<= 20"),
        Figure("agent memory, peak", watch.peak_bytes / 1e6, "MB", "<= 80"),
    ]


class _AgentWatch(threading.Thread):
    """Follow the agent of one spool root: its CPU share between first and last sight, its peak memory."""

    def __init__(self, root: Path) -> None:
        super().__init__(daemon=True)
        self.cpu_share = 0.0
        self.peak_bytes = 0
        self._root = root
        self._done = threading.Event()

    def run(self) -> None:
        agent = None
        while not self._done.wait(0.2):
            agent = agent or agent_of(str(self._root))
            if agent is None:
                continue
            try:
                times, now = agent.cpu_times(), time.perf_counter()
                self.peak_bytes = max(self.peak_bytes, agent.memory_info().rss)
            except psutil.NoSuchProcess:
                return
            if not hasattr(self, "_first"):
                self._first = (times.user + times.system, now)  # start-up is behind it
            elif now > self._first[1]:
                self.cpu_share = (times.user + times.system - self._first[0]) / (
                    now - self._first[1]
                )

    def stop(self) -> None:
        self._done.set()
        self.join()
