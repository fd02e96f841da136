"""Many runs at once, asked of ClickHouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from weir_store.clickhouse import ClickHouse
from weir_store.compared import base
from weir_store.compared.lowest_rank import results
from weir_store.plan import SeriesKey
from weir_store.reader_latest import LatestReader
from weir_store.reader_lineage import LineageReader
from weir_store.reader_runs import RunsReader, unix_us
from weir_store.records import Run, RunRef


class ClickHouseCompare:
    """Implements `base.CompareReader`; what each method promises stands there."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str = "weir",
        *,
        now_unix_us: Callable[[], int] = unix_us,
    ) -> None:
        """Ask nothing yet; arguments as of `ClickHouseReader`."""
        raw = f"{database}_raw"
        self._runs = RunsReader(clickhouse, raw, now_unix_us)
        self._latest = LatestReader(clickhouse, raw)
        self._lineages = LineageReader(clickhouse, raw)

    def get_runs(self, refs: Sequence[RunRef], columns: Sequence[str] | None = None) -> list[Run]:
        """Return those of the runs that exist, in the order asked."""
        once = base.check(refs)
        found = {run.ref: run for run in self._runs.get_runs(once, columns)}
        return [found[ref] for ref in once if ref in found]

    def read_results(
        self, refs: Sequence[RunRef], metrics: Sequence[str] = (), *, mean: bool = False
    ) -> pa.Table:
        """Return what each metric of each run came to."""
        once = base.check(refs)
        latest = self._latest.read_latest(once, metrics)
        return results(latest, self._means(once, latest) if mean else None)

    def _means(self, refs: Sequence[RunRef], latest: pa.Table) -> dict[SeriesKey, float | None]:
        names = (latest.column(name).to_pylist() for name in ("project", "run_id", "metric"))
        policies = dict.fromkeys(zip(*names, strict=True), "mean")
        return self._latest.summarised(self._lineages.live(refs), policies)
