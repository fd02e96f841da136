"""Many runs at once, in plain Python over `MemoryStore`: the model that ClickHouse is judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pyarrow as pa

from weir_store.compared import base
from weir_store.compared.lowest_rank import results
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.memory_rows import list_series
from weir_store.memory_runs import list_all_runs
from weir_store.memory_series import mean_of
from weir_store.plan import SeriesKey
from weir_store.reader_runs import unix_us
from weir_store.records import Run, RunRef


class MemoryCompare:
    """Implements `base.CompareReader`; what each method promises stands there."""

    def __init__(self, store: MemoryStore, *, now_unix_us: Callable[[], int] = unix_us) -> None:
        self._store = store
        self._now_unix_us = now_unix_us

    def get_runs(self, refs: Sequence[RunRef], columns: Sequence[str] | None = None) -> list[Run]:
        """Return those of the runs that exist, in the order asked."""
        once = base.check(refs)
        every = list_all_runs(self._store, self._now_unix_us(), columns)
        found = {run.ref: replace(run, files={}) for run in every}
        return [found[ref] for ref in once if ref in found]

    def read_results(
        self, refs: Sequence[RunRef], metrics: Sequence[str] = (), *, mean: bool = False
    ) -> pa.Table:
        """Return what each metric of each run came to."""
        once = base.check(refs)
        latest = MemoryReader(self._store).read_latest(once, metrics)
        return results(latest, self._means(once) if mean else None)

    def _means(self, refs: Sequence[RunRef]) -> dict[SeriesKey, float | None]:
        found: dict[SeriesKey, float | None] = {}
        for _, points in sorted(
            list_series(self._store, refs).items()
        ):  # by rank: the lowest first
            found.setdefault(points[0].series, mean_of([point.value for point in points]))
        return found
