"""The reader over `MemoryStore`: plain loops over rows, as the model that ClickHouse is judged by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean
from uuid import UUID

import pyarrow as pa

from weir_store import answers, reader_metrics, reader_runs, reader_series, tables
from weir_store.attributes import Attributes, of_paths, policy_of, value_of
from weir_store.comparison import compare
from weir_store.conditions import Field
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.filter import parse
from weir_store.filter_match import Subject, like, matches
from weir_store.memory import MemoryStore, Row
from weir_store.memory_series import Point, extremes, read_points
from weir_store.records import (
    Json,
    Metric,
    MetricPage,
    Project,
    Run,
    RunPage,
    RunQuery,
    RunRef,
    RunState,
    Scalar,
    SeriesQuery,
    Session,
)
from weir_store.run_state import SILENCE, SILENT_AFTER_S, worst

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MemoryReader:
    """Implements `base.Reader`; what each method promises stands there."""

    def __init__(
        self, store: MemoryStore, *, now_unix_us: Callable[[], int] = reader_runs.unix_us
    ) -> None:
        self._store = store
        self._now_unix_us = now_unix_us

    def list_projects(self) -> list[Project]:
        """Return all projects, by last activity, newest first."""
        projects: dict[str, list[Run]] = {}
        for run in self._runs(None):
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
            for run in self._runs(None)
            if query.project in ("", run.project)
            and (query.projects_allowed is None or run.project in query.projects_allowed)
            and matches(condition, self._subject(run))
        ]
        found.sort(key=lambda run: (-run.created_unix_us, run.project, run.run_id))
        found.sort(key=lambda run: _sort_key(self._field(run, order), descending), reverse=descending)
        page = found[query.offset : query.offset + query.limit]
        kept = {run.ref for run in page}
        filled = {run.ref: run for run in self._runs(query.columns) if run.ref in kept}
        return RunPage(tuple(filled[run.ref] for run in page), len(found))

    def get_run(self, ref: RunRef) -> Run:
        """Return one run with everything known of it."""
        for run in self._runs(None):
            if run.ref == ref:
                return run
        raise UnknownRun(f"no run {ref.run_id!r} in project {ref.project!r}")

    def list_sessions(self, ref: RunRef) -> list[Session]:
        """Return the run's process lives, by rank, then start."""
        self.get_run(ref)
        return self._sessions(ref)

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
            for row in self._live_rows(table, runs or None, project):
                if all(_found(row["metric"], word) for word in reader_metrics.words_of(search)):
                    by_name.setdefault(row["metric"], []).append((row, is_text))
        metrics = [_metric(name, rows) for name, rows in sorted(by_name.items())]
        page = [metric for metric in metrics if metric.name > after][:limit]
        return MetricPage(tuple(page), len(metrics))

    def read_series(self, query: SeriesQuery) -> pa.Table:
        """Read points, every one of them or thinned."""
        reader_series.check(query)
        points = [_point(row) for row in self._live_rows(tables.POINTS, query.runs)]
        across = {
            (*each.series[:2], each.rank, each.step): each.value
            for each in points
            if each.series[2] == query.x_metric and math.isfinite(each.value)
        }
        return read_points(points, across, query)

    def stream_series(self, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        """Read the same rows batch by batch."""
        yield from self.read_series(query).to_batches(max_chunksize=1_000)

    def read_text(self, ref: RunRef, metric: str, *, limit: int = 10_000) -> pa.Table:
        """Read a text series."""
        if not 1 <= limit <= reader_metrics.MAX_TEXTS:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {reader_metrics.MAX_TEXTS}")
        rows = [
            {
                "rank": row["rank"],
                "step": row["step"],
                "time_unix_us": _unix_us(row["ts"]),
                "value": row["value"],
            }
            for row in self._live_rows(tables.TEXT_POINTS, [ref])
            if row["metric"] == metric
        ]
        rows.sort(key=lambda row: (row["rank"], row["step"]))
        return pa.Table.from_pylist(rows[:limit], schema=answers.TEXT)

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        """Read the newest point of every series."""
        rows = [
            _latest(points)
            for _, points in sorted(self._series(runs).items())
            if not metrics or points[0].series[2] in metrics
        ]
        return pa.Table.from_pylist(rows, schema=answers.LATEST)

    def compare_runs(self, runs: Sequence[RunRef], *, only_different: bool = False) -> pa.Table:
        """Put config, metadata and summary side by side."""
        return compare([self.get_run(ref) for ref in runs], only_different=only_different)

    def _live_rows(
        self, table: str, runs: Sequence[RunRef] | None, project: str = ""
    ) -> list[Row]:
        live = {(row["project"], row["run_id"]) for row in self._store.list_rows(tables.RUNS)}
        if runs is not None:
            live &= {(ref.project, ref.run_id) for ref in runs}
        return [
            row
            for row in self._store.list_rows(table)
            if (row["project"], row["run_id"]) in live and project in ("", row["project"])
        ]

    def _series(self, runs: Sequence[RunRef] | None) -> dict[tuple[object, ...], list[Point]]:
        """Return every series (rank apart), its points by step."""
        series: dict[tuple[object, ...], list[Point]] = {}
        for row in self._live_rows(tables.POINTS, runs):  # by (…, metric, step, rank)
            point = _point(row)
            series.setdefault((*point.series, point.rank), []).append(point)
        return series

    def _runs(self, columns: Sequence[str] | None) -> list[Run]:
        paths = of_paths(columns)
        held: dict[RunRef, Attributes] = {}
        for row in self._live_rows(tables.RUN_ATTRS, None):
            ref = RunRef(row["project"], row["run_id"])
            value = value_of(row["type"], row["num"], row["int"], row["str"])
            held.setdefault(ref, Attributes()).put(row["ns"], row["path"], value, row["ver"])
        series = self._series(None)
        return [
            self._run(row, held.get(RunRef(row["project"], row["run_id"])), series, paths)
            for row in self._live_rows(tables.RUNS, None)
        ]

    def _run(
        self,
        row: Row,
        held: Attributes | None,
        series: Mapping[tuple[object, ...], Sequence[Point]],
        paths: Mapping[str, list[str]] | None,
    ) -> Run:
        ref, held = RunRef(row["project"], row["run_id"]), held or Attributes()
        created = _unix_us(row["created_at"])
        sessions = self._sessions(ref)
        state, ended, seen = self._state(created, sessions)
        summary = {**_automatic(ref, held, series), **held.summary}
        return Run(
            project=ref.project,
            run_id=ref.run_id,
            created_unix_us=created,
            name=held.text("name"),
            group=held.text("group"),
            job_type=held.text("job_type"),
            user=held.text("user"),
            notes=held.text("notes"),
            state=state,
            tags=tuple(sorted(held.tags)),
            finished_unix_us=ended,
            last_seen_unix_us=seen,
            world_size=max((session.world_size for session in sessions), default=0),
            ranks=len({session.rank for session in sessions}),
            config=_only(held.config, "config", paths),
            summary=_only(summary, "summary", paths),
            meta=_only(held.meta, "meta", paths),
        )

    def _sessions(self, ref: RunRef) -> list[Session]:
        committed = {
            row["producer"]: row for row in self._live_rows(tables.INGEST_COMMITS, [ref])
        }
        alive_since = self._now_unix_us() - SILENT_AFTER_S * 1_000_000
        sessions = [
            _session(row, committed.get(row["producer"]), alive_since)
            for row in self._live_rows(tables.SESSIONS, [ref])
        ]
        return sorted(sessions, key=lambda each: (each.rank, *_age(each)))

    def _state(self, created: int, sessions: Sequence[Session]) -> tuple[RunState, int, int]:
        """Return state, end (0 while running) and last sign of life."""
        if not sessions:
            silent = created < self._now_unix_us() - SILENT_AFTER_S * 1_000_000
            return (RunState.CRASHED, created, created) if silent else (RunState.RUNNING, 0, created)
        newest = {each.rank: each for each in sorted(sessions, key=_age)}
        state = worst(each.state for each in newest.values())
        seen = max(each.last_seen_unix_us for each in sessions)
        if state is RunState.RUNNING:
            return state, 0, seen
        return state, max(self._ended(each) for each in sessions), seen

    def _ended(self, session: Session) -> int:
        if session.state is RunState.RUNNING:
            return 0
        if session.reason == SILENCE:
            return session.last_seen_unix_us
        updated = {row["producer"]: row["updated_at"] for row in self._store.list_rows(tables.SESSIONS)}
        return _unix_us(updated[session.producer.bytes])

    def _subject(self, run: Run) -> Subject:
        return Subject(
            lambda field: self._field(run, field), run.tags, (run.name, run.run_id, *run.tags)
        )

    def _field(self, run: Run, field: Field) -> float | str | None:
        """Return what a filter sees of a run."""
        match field.space, field.name:
            case "run", "id":
                return run.run_id
            case "run", "created":
                return float(run.created_unix_us)
            case "run", "finished":
                return float(run.finished_unix_us) or None
            case "run", "duration":
                end = run.finished_unix_us or run.last_seen_unix_us
                return (end - run.created_unix_us) / 1e6
            case "run", name:
                return str(getattr(run, name))
            case "metrics", metric:
                return _automatic(run.ref, Attributes(), self._series([run.ref])).get(metric)
        return _operand(getattr(run, field.space).get(field.name))


def _operand(value: Scalar | Json) -> float | str | None:
    if isinstance(value, Json):
        return value.text
    return value if isinstance(value, str) or value is None else float(value)


def _sort_key(value: float | str | None, descending: bool) -> tuple[int, float, str]:
    """Order numbers, then text, then runs that have neither — last in both directions."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return (-1 if descending else 2, 0.0, "")
    if isinstance(value, str):
        return (0 if descending else 1, 0.0, value)
    return (1 if descending else 0, value, "")


def _found(name: str, word: str) -> bool:
    if "*" in word or "?" in word:
        pattern = like(reader_metrics.glob_to_like(word), any_case=True)
        return pattern.fullmatch(name) is not None
    return word.lower() in name.lower()


def _automatic(
    ref: RunRef, held: Attributes, series: Mapping[tuple[object, ...], Sequence[Point]]
) -> dict[str, float]:
    """Return what each metric came to at the lowest rank that has it, by the run's rules."""
    lowest: dict[str, Sequence[Point]] = {}
    for points in series.values():
        project, run_id, metric = points[0].series
        known = lowest.get(metric)
        if (project, run_id) == (ref.project, ref.run_id) and (
            known is None or points[0].rank < known[0].rank
        ):
            lowest[metric] = points
    summary: dict[str, float] = {}
    for metric, points in lowest.items():
        values = [point.value for point in points]
        match policy_of(metric, held.rules):
            case "none":
                continue
            case "min" | "max" as policy:
                summary[metric] = extremes(values)[policy]
            case "mean":
                finite = [value for value in values if math.isfinite(value)]
                summary[metric] = fmean(finite) if finite else math.nan
            case _:
                summary[metric] = values[-1]
    return summary


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
    )


def _point(row: Row) -> Point:
    series = (row["project"], row["run_id"], row["metric"])
    return Point(series, row["rank"], 0.0, row["step"], _unix_us(row["ts"]), row["value"])


def _session(row: Row, commit: Row | None, alive_since: int) -> Session:
    started, updated = _unix_us(row["started_at"]), _unix_us(row["updated_at"])
    seen = _unix_us(commit["at"]) if commit and commit["seq"] else max(started, updated)
    silent = row["state"] == RunState.RUNNING and seen < alive_since
    return Session(
        producer=UUID(bytes=row["producer"]),
        rank=row["rank"],
        local_rank=row["local_rank"],
        world_size=row["world_size"],
        node=row["node"],
        pid=row["pid"],
        launcher=row["launcher"],
        role=row["role"],
        attempt=row["attempt"],
        state=RunState.CRASHED if silent else RunState(row["state"]),
        exit_code=row["exit_code"],
        reason=SILENCE if silent else row["reason"],
        started_unix_us=started,
        last_seen_unix_us=seen,
        committed_seq=commit["seq"] if commit else 0,
    )


def _age(session: Session) -> tuple[int, str]:
    return session.started_unix_us, str(session.producer)


def _only(
    values: Mapping[str, Scalar | Json], space: str, paths: Mapping[str, Sequence[str]] | None
) -> dict[str, Scalar | Json]:
    return {
        path: value for path, value in values.items() if paths is None or path in paths[space]
    }


def _unix_us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
