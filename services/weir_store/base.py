"""The two doors of the store: `Inserter` for the writer, `Reader` for everybody who asks.

Each has two implementations judged by one suite (tests/contract/): ClickHouse
and the in-memory twin in `memory.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias
from uuid import UUID

import pyarrow as pa

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

Block: TypeAlias = Mapping[str, pa.Table]
"""Rows to be stored together: table name (tables.py) → Arrow table with that table's columns."""


class Inserter(Protocol):
    """Puts blocks to rest. Called by one thread at a time; blocks until done."""

    def insert(self, block: Block, token: str) -> None:
        """Store a block durably; when it returns, every row is readable.

        The same (block, token) may be inserted any number of times, also in
        part: what is read afterwards is as if it had been inserted once. The
        token must be bound to the block's content. `ingest_commits` is written
        last, so a watermark never runs ahead of its rows.

        Raises:
            StoreUnavailable: Nothing is decided; repeat the same block and token.
            StoreRejected: These rows can never be stored.
        """
        ...

    def read_committed(self, producers: Sequence[UUID]) -> Mapping[UUID, int]:
        """Read each producer's committed seq; producers never seen are absent."""
        ...


class Reader(Protocol):
    """The only way to ask. `list_*` returns what exists, `read_*` returns points.

    Safe from any thread. Runs that were deleted do not exist here. Every
    method raises `InvalidQuery` for a wrong question and `StoreUnavailable`
    when no answer comes in time; both change nothing.
    """

    def list_projects(self) -> list[Project]:
        """Return all projects, by last activity, newest first."""
        ...

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return one page of runs that match; their `files` are left out."""
        ...

    def get_run(self, ref: RunRef) -> Run:
        """Return one run with everything known of it. Raises `UnknownRun`."""
        ...

    def list_sessions(self, ref: RunRef) -> list[Session]:
        """Return the run's process lives, by rank, then start."""
        ...

    def list_events(
        self,
        ref: RunRef,
        *,
        kinds: Sequence[str] = (),
        min_severity: str = "debug",
        limit: int = 1_000,
    ) -> EventPage:
        """Return what happened to a run, newest first; no `kinds` = all."""
        ...

    def read_ledger(self, ref: RunRef) -> Ledger:
        """Count a run's rows and add up their digests beside what its producers claim.

        Reads every point of the run: seconds for 100 million. Raises `UnknownRun`.
        Source: docs/formats/ledger.md; promises G2, G3 and G4.
        """
        ...

    def list_metrics(
        self,
        runs: Sequence[RunRef],
        *,
        project: str = "",
        search: str = "",
        limit: int = 1_000,
        after: str = "",
    ) -> MetricPage:
        """Return metrics by name: of these runs, or of a whole project when `runs` is empty.

        Args:
            runs: Runs to look at.
            project: Asked as a whole when `runs` is empty.
            search: Words that must all occur (any case), or a glob when it holds `*` or `?`.
            limit: 1 … 100 000.
            after: Only names strictly greater than this, for the next page.
        """
        ...

    def read_series(self, query: SeriesQuery) -> pa.Table:
        """Read points, every one of them or thinned to what a chart can show.

        Returns, ordered by project, run_id, metric, rank, x; text metrics are
        not here (`read_text`):

        full (`max_points` is None, reduce NONE):
            project, run_id, metric (string), rank uint32, x float64, step
            int64, time_unix_us int64, value float64.
        thinned, one row per bucket that holds points:
            project, run_id, metric, rank uint32, x float64 (of the bucket's
            last point), x_min float64, x_max float64 (of the points in it),
            step int64 (of the last point), first, last, min, max float64
            (NaN where the bucket has no finite value), nonfinite uint8 (bit
            0 NaN, bit 1 +Inf, bit 2 −Inf). Buckets over steps are powers of
            two wide and aligned at 0, so they stay put when one zooms; so are
            buckets over time (µs) and over another metric (its own unit). All
            series of one metric share a width. A range across 0 takes at
            least two buckets.
        reduced over ranks:
            project, run_id, metric, x, x_min, x_max float64, step int64, min,
            mean, max float64 over the finite values, ranks uint32 (how many
            had points), nonfinite uint8. `mean` is over ranks, of each rank's
            last value in the bucket where that is finite: with one point per
            rank and bucket, simply the mean.

        Source: M4 thinning, Jugel et al., PVLDB 7(10), 2014; promise G5.
        """
        ...

    def stream_series(self, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        """Read the same rows as `read_series` in bounded memory."""
        ...

    def read_text(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read a text series: rank uint32, step int64, time_unix_us int64, value string.

        By rank, then step, from the first on, or from the first behind the rank and step `after`.
        An answer with as many rows as `limit` may not be all. Points that name files are left out.
        """
        ...

    def read_media(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read the files logged under a name: the columns, order and pages of `read_text`.

        The value is JSON that says what the file is and where its bytes are (docs/formats/media.md).
        """
        ...

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        """Read the newest point of every series.

        Returns project, run_id, metric, rank uint32, step int64, time_unix_us
        int64, last, min, max float64 (min and max over the finite values, NaN
        when there is none), min_at, max_at int64 (steps), nonfinite uint8.
        """
        ...

    def compare_runs(self, runs: Sequence[RunRef], *, only_different: bool = False) -> pa.Table:
        """Put config, metadata, summary and files side by side.

        Returns kind (config, meta, summary, file), path, then one string column per
        run named `project/run_id` (null where the run does not have it), and
        `differs` bool.
        """
        ...
