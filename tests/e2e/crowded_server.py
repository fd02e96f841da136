"""The real dashboard over a thousand runs with a hundred thousand names of metrics; ends with its stdin."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import METRICS, SyntheticReader, many_runs
from weir_dashboard import listening
from weir_dashboard.app import build
from weir_store.records import Metric, MetricPage, RunRef

RUNS = 1_000
NAMES = sorted(
    [*METRICS, *(f"layer.{n:05d}/{what}" for n in range(50_000) for what in ("norm", "loss"))]
)


class CrowdedReader(SyntheticReader):
    """Many runs, many names."""

    def list_metrics(
        self,
        runs: Sequence[RunRef],
        *,
        project: str = "",
        search: str = "",
        limit: int = 1_000,
        after: str = "",
    ) -> MetricPage:
        self._check()
        words = search.split()
        names = [n for n in NAMES if n > after and all(word in n for word in words)]
        found = tuple(Metric(n, len(runs), 0, self.steps, False, False) for n in names[:limit])
        return MetricPage(found, len(names))


if __name__ == "__main__":
    everything = Recorded(CrowdedReader(many_runs("gpt-small", RUNS)))
    threading.Thread(target=sys.stdin.read, daemon=True).start()
    listening.run(build(everything.sources, "127.0.0.1:7700"), "127.0.0.1", 0)
