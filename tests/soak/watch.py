"""Who is well, how far the store has come, and how much memory everybody takes: sampled by a thread."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import psutil

from tests.soak.blows import PARTS
from tests.soak.serve import Served

_EVERY_S: Final = 0.15
_MEMORY_EVERY_S: Final = 5.0
ROOTS: Final = ("a", "b")
AGENTS: Final = tuple(f"agent-{root}" for root in ROOTS)


@dataclass(frozen=True, slots=True)
class Sample:
    """Memory of one process at one time."""

    at_s: float
    pid: int
    rss_mb: float


@dataclass(slots=True)
class Seen:
    """What the thread saw last.

    Attributes:
        well: Pid of each part that did its work when it was last looked at; None = it did not.
        stored_unix_s: By spool root: when the newest stored point of its witness was logged.
    """

    well: dict[str, int | None] = field(default_factory=dict)
    stored_unix_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ROOTS, 0.0))


class Watch:
    """start → read `seen` and `memory` at any time → stop."""

    def __init__(self, served: Served, witnesses: Callable[[], dict[str, tuple[str, int]]]) -> None:
        self.seen = Seen()
        self.memory: dict[str, list[Sample]] = defaultdict(list)
        self._served = served
        self._witnesses = witnesses  # root → run and pid
        self._steps = dict.fromkeys(ROOTS, 0)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(work, every_s), daemon=True)
            for work, every_s in (
                (self._look, _EVERY_S),
                (self._follow, _EVERY_S),
                (self._weigh, _MEMORY_EVERY_S),
            )
        ]

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[], None], every_s: float) -> None:
        while not self._stop.wait(every_s):
            work()

    def _look(self) -> None:
        for name in (*PARTS, *AGENTS, "up"):
            pid = self._served.pid(name)
            self.seen.well[name] = pid if pid and self._served.well(name) else None

    def _follow(self) -> None:
        """Learn how far the store has come with each witness; its steps only grow."""
        for root, (run, _) in self._witnesses().items():
            sql = (
                "SELECT max(step), toUnixTimestamp64Micro(max(ts)) FROM weir_raw.points "
                f"WHERE project = 'witness' AND run_id = '{run}' AND metric = 'train/m00' "
                f"AND step >= {self._steps[root]}"
            )
            try:
                step, at_us = self._served.ask(sql)[0]
            except (OSError, IndexError, ValueError):
                continue
            self._steps[root] = max(self._steps[root], int(step))
            self.seen.stored_unix_s[root] = max(self.seen.stored_unix_s[root], int(at_us) / 1e6)

    def _weigh(self) -> None:
        pids = {name: self._served.pid(name) for name in (*PARTS, *AGENTS, "up")}
        pids |= {f"witness-{root}": pid for root, (_, pid) in self._witnesses().items()}
        for name, pid in pids.items():
            try:
                rss = psutil.Process(pid).memory_info().rss / 1e6 if pid else 0.0
            except psutil.Error:
                continue
            if pid and rss:
                self.memory[name].append(Sample(time.monotonic(), pid, rss))
