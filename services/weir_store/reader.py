"""The reader over ClickHouse: one object that answers everything `base.Reader` promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa

from weir_store.clickhouse import ClickHouse
from weir_store.comparison import compare
from weir_store.reader_events import EventsReader
from weir_store.reader_latest import LatestReader
from weir_store.reader_ledger import LedgerReader
from weir_store.reader_metrics import MetricsReader
from weir_store.reader_runs import RunsReader, unix_us
from weir_store.reader_series import SeriesReader
from weir_store.records import (
    EventPage,
    Ledger,
    MetricPage,
    Project,
    Run,
    RunPage,
    RunQuery,
    RunRef,
    SeriesQuery,
    Session,
)


class ClickHouseReader:
    """Implements `base.Reader`; what each method promises stands there.

    Holds no state but the connection: safe from any thread.
    """

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str = "weir",
        *,
        now_unix_us: Callable[[], int] = unix_us,
    ) -> None:
        """Ask nothing yet.

        Args:
            clickhouse: An open connection; the caller closes it.
            database: As in the settings; the tables are in `<database>_raw`.
            now_unix_us: The clock that decides who has been silent too long.
        """
        raw = f"{database}_raw"
        self._runs = RunsReader(clickhouse, raw, now_unix_us)
        self._metrics = MetricsReader(clickhouse, raw)
        self._series = SeriesReader(clickhouse, raw)
        self._latest = LatestReader(clickhouse, raw)
        self._events = EventsReader(clickhouse, raw)
        self._ledger = LedgerReader(clickhouse, raw)

    def list_projects(self) -> list[Project]:
        """Return all projects, by last activity, newest first."""
        return self._runs.list_projects()

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return one page of runs that match."""
        return self._runs.list_runs(query)

    def get_run(self, ref: RunRef) -> Run:
        """Return one run with everything known of it."""
        return self._runs.get_run(ref)

    def list_sessions(self, ref: RunRef) -> list[Session]:
        """Return the run's process lives, by rank, then start."""
        return self._runs.list_sessions(ref)

    def list_events(
        self,
        ref: RunRef,
        *,
        kinds: Sequence[str] = (),
        min_severity: str = "debug",
        limit: int = 1_000,
    ) -> EventPage:
        """Return what happened to a run, newest first."""
        return self._events.list_events(ref, kinds=kinds, min_severity=min_severity, limit=limit)

    def read_ledger(self, ref: RunRef) -> Ledger:
        """Count a run's rows beside what its producers claim."""
        return self._ledger.read_ledger(ref)

    def list_metrics(
        self,
        runs: Sequence[RunRef],
        *,
        project: str = "",
        search: str = "",
        limit: int = 1_000,
        after: str = "",
    ) -> MetricPage:
        """Return metrics by name."""
        return self._metrics.list_metrics(
            runs, project=project, search=search, limit=limit, after=after
        )

    def read_series(self, query: SeriesQuery) -> pa.Table:
        """Read points, every one of them or thinned."""
        return self._series.read_series(query)

    def stream_series(self, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        """Read the same rows in bounded memory."""
        return self._series.stream_series(query)

    def read_text(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read a text series."""
        return self._metrics.read_text(ref, metric, limit=limit, after=after)

    def read_media(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read the files logged under a name."""
        return self._metrics.read_media(ref, metric, limit=limit, after=after)

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        """Read the newest point of every series."""
        return self._latest.read_latest(runs, metrics)

    def compare_runs(self, runs: Sequence[RunRef], *, only_different: bool = False) -> pa.Table:
        """Put config, metadata, summary and files side by side."""
        return compare([self.get_run(ref) for ref in runs], only_different=only_different)
