"""The reader over `MemoryStore`: plain loops over rows, as the model that ClickHouse is judged by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pyarrow as pa

from weir_store import answers, reader_metrics, reader_runs, reader_series, tables
from weir_store.attributes import of_paths
from weir_store.comparison import compare
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.filter import parse
from weir_store.filter_match import like, matches
from weir_store.memory import MemoryStore, Row
from weir_store.memory_events import list_events
from weir_store.memory_ledger import read_ledger
from weir_store.memory_lineage import first_moments
from weir_store.memory_rows import list_series, list_sessions, live_points, point_of, unix_us
from weir_store.memory_runs import field_of, list_all_runs, sort_key, subject_of
from weir_store.memory_series import Point, extremes, read_points
from weir_store.memory_stats import read_metric_fields
from weir_store.records import (
    EventPage,
    Ledger,
    Metric,
    MetricPage,
    Project,
    Run,
    RunPage,
    RunQuery,
    RunRef,
    RunState,
    SeriesQuery,
    Session,
)


class MemoryReader:
    """Implements `base.Reader`; what each method promises stands there."""

    def __init__(
        self, store: MemoryStore, *, now_unix_us: Callable[[], int] = reader_runs.unix_us
    ) -> None:
        self._store = store
        self._now_unix_us = now_unix_us

    def _runs(self, columns: Sequence[str] | None = None) -> list[Run]:
        return list_all_runs(self._store, self._now_unix_us(), columns)

    def list_projects(self) -> list[Project]:
        """Return all projects, by last activity, newest first."""
        projects: dict[str, list[Run]] = {}
        for run in self._runs():
            projects.setdefault(run.project, []).append(run)
        found = [
            Project(
                name,
                len(runs),
                sum(run.state is RunState.RUNNING for run in runs),
                max(run.last_seen_unix_us for run in runs),
            )
            for name, runs in projects.items()
        ]
        return sorted(found, key=lambda project: (-project.last_activity_unix_us, project.name))

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return one page of runs that match."""
        reader_runs.check(query)
        order, descending = reader_runs.parse_order(query.order_by)
        condition = parse(query.where)
        found = [
            run
            for run in self._runs()
            if query.project in ("", run.project)
            and (query.projects_allowed is None or run.project in query.projects_allowed)
            and (query.runs_allowed is None or run.ref in query.runs_allowed)
            and matches(condition, subject_of(self._store, run))
        ]
        found.sort(key=lambda run: (-run.created_unix_us, run.project, run.run_id))
        found.sort(
            key=lambda run: sort_key(field_of(self._store, run, order), descending),
            reverse=descending,
        )
        page = found[query.offset : query.offset + query.limit]
        kept = {run.ref for run in page}
        filled = {run.ref: run for run in self._runs(query.columns) if run.ref in kept}
        fields = (of_paths(query.columns) or {}).get("metric", ())
        runs = (
            replace(
                filled[run.ref],
                files={},
                metrics=read_metric_fields(self._store, run.ref, fields),
            )
            for run in page
        )
        return RunPage(tuple(runs), len(found))

    def get_run(self, ref: RunRef) -> Run:
        """Return one run with everything known of it."""
        for run in self._runs():
            if run.ref == ref:
                return run
        raise UnknownRun.of(ref.project, ref.run_id)

    def list_sessions(self, ref: RunRef) -> list[Session]:
        """Return the run's process lives, by rank, then start."""
        self.get_run(ref)
        return list_sessions(self._store, ref, self._now_unix_us())

    def list_events(
        self,
        ref: RunRef,
        *,
        kinds: Sequence[str] = (),
        min_severity: str = "debug",
        limit: int = 1_000,
    ) -> EventPage:
        """Return what happened to a run, newest first."""
        return list_events(self._store, ref, kinds=kinds, min_severity=min_severity, limit=limit)

    def read_ledger(self, ref: RunRef) -> Ledger:
        """Count a run's rows beside what its producers claim."""
        return read_ledger(self._store, ref)

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
        reader_metrics.check(runs, project, limit)
        by_name: dict[str, list[tuple[Row, bool]]] = {}
        for table, is_text in ((tables.POINTS, False), (tables.TEXT_POINTS, True)):
            for row in live_points(self._store, table, runs or None, project):
                if all(_found(row["metric"], word) for word in reader_metrics.words_of(search)):
                    by_name.setdefault(row["metric"], []).append((row, is_text))
        metrics = [_metric(name, rows) for name, rows in sorted(by_name.items())]
        page = [metric for metric in metrics if metric.name > after][:limit]
        return MetricPage(tuple(page), len(metrics))

    def read_series(self, query: SeriesQuery) -> pa.Table:
        """Read points, every one of them or thinned."""
        reader_series.check(query)
        points = [point_of(row) for row in live_points(self._store, tables.POINTS, query.runs)]
        across = {
            (*each.series[:2], each.rank, each.step): each.value
            for each in points
            if each.series[2] == query.x_metric and math.isfinite(each.value)
        }
        born = first_moments(self._store, query.runs)
        births = {(ref.project, ref.run_id): unix_us(moment) for ref, moment in born.items()}
        found = read_points(points, across, query, births)
        return answers.conform(found, answers.series_schema(query))

    def stream_series(self, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        """Read the same rows batch by batch."""
        yield from self.read_series(query).to_batches(max_chunksize=1_000)

    def read_text(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read a text series."""
        return self._read(ref, metric, "text", limit, after)

    def read_media(
        self,
        ref: RunRef,
        metric: str,
        *,
        limit: int = 10_000,
        after: tuple[int, int] | None = None,
    ) -> pa.Table:
        """Read the files logged under a name."""
        return self._read(ref, metric, "media", limit, after)

    def _read(
        self, ref: RunRef, metric: str, kind: str, limit: int, after: tuple[int, int] | None
    ) -> pa.Table:
        if not 1 <= limit <= reader_metrics.MAX_TEXTS:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {reader_metrics.MAX_TEXTS}")
        rows = [
            {
                "rank": row["rank"],
                "step": row["step"],
                "time_unix_us": unix_us(row["ts"]),
                "value": row["value"],
            }
            for row in live_points(self._store, tables.TEXT_POINTS, [ref])
            if row["metric"] == metric and row["kind"] == kind
            if after is None or (row["rank"], row["step"]) > after
        ]
        rows.sort(key=lambda row: (row["rank"], row["step"]))
        return pa.Table.from_pylist(rows[:limit], schema=answers.TEXT)

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        """Read the newest point of every series."""
        rows = [
            _latest(points)
            for _, points in sorted(list_series(self._store, runs).items())
            if not metrics or points[0].series[2] in metrics
        ]
        return pa.Table.from_pylist(rows, schema=answers.LATEST)

    def compare_runs(self, runs: Sequence[RunRef], *, only_different: bool = False) -> pa.Table:
        """Put config, metadata, summary and files side by side."""
        return compare([self.get_run(ref) for ref in runs], only_different=only_different)


def _found(name: str, word: str) -> bool:
    if "*" in word or "?" in word:
        pattern = like(reader_metrics.glob_to_like(word), any_case=True)
        return pattern.fullmatch(name) is not None
    return word.lower() in name.lower()


def _latest(points: Sequence[Point]) -> dict[str, object]:
    project, run_id, metric = points[0].series
    last, held = points[-1], extremes([point.value for point in points])

    def where(value: float) -> int:
        return next((point.step for point in points if point.value == value), 0)

    return {
        "project": project,
        "run_id": run_id,
        "metric": metric,
        "rank": last.rank,
        "step": last.step,
        "time_unix_us": last.time_unix_us,
        "last": last.value,
        **held,
        "min_at": where(held["min"]),
        "max_at": where(held["max"]),
    }


def _metric(name: str, rows: Sequence[tuple[Row, bool]]) -> Metric:
    return Metric(
        name,
        runs=len({(row["project"], row["run_id"]) for row, _ in rows}),
        min_step=min(row["step"] for row, _ in rows),
        max_step=max(row["step"] for row, _ in rows),
        has_nonfinite=any(not is_text and not math.isfinite(row["value"]) for row, is_text in rows),
        is_text=any(is_text for _, is_text in rows),
        is_media=any(row.get("kind") == "media" for row, _ in rows),
    )
