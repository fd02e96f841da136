"""Asking for projects, runs and their process lives."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from weir_store.attributes import Attributes, of_paths
from weir_store.clickhouse import ClickHouse
from weir_store.conditions import Condition, Field, Kind, fields_of
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.filter import parse, parse_field
from weir_store.lineage import Lineage
from weir_store.metric_field import LAST, parse_metric_field
from weir_store.parameters import Parameters
from weir_store.reader_details import LABELS, DetailsReader
from weir_store.reader_lineage import LineageReader
from weir_store.reader_live import live_runs, of_runs
from weir_store.reader_pages import Exceptions, page_sql
from weir_store.reader_stats import StatsReader
from weir_store.records import Project, Run, RunPage, RunQuery, RunRef, RunState, Session
from weir_store.run_state import SILENCE, SILENT_AFTER_S, lives_sql
from weir_store.sight import Sight

MAX_PAGE = 10_000


def unix_us() -> int:
    """Return the wall clock, Unix µs."""
    return time.time_ns() // 1_000


class RunsReader:
    """Answers what concerns runs as a whole."""

    def __init__(
        self, clickhouse: ClickHouse, database: str, now_unix_us: Callable[[], int] = unix_us
    ) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._now_unix_us = now_unix_us
        self._details = DetailsReader(clickhouse, database)
        self._stats = StatsReader(clickhouse, database)
        self._lineages = LineageReader(clickhouse, database)

    def list_projects(self) -> list[Project]:
        """Return all projects; see `Reader.list_projects`."""
        parameters = Parameters()
        runs = self._page_sql("true", parse(""), parse_field("created"), True, parameters)
        sql = f"""
SELECT project, count(), countIf(state = 'running'), max(seen_us) AS seen
FROM ({runs}) GROUP BY project ORDER BY seen DESC, project"""
        return [Project(*row) for row in self._clickhouse.query_rows(sql, parameters.values)]

    def list_runs(self, query: RunQuery) -> RunPage:
        """Return one page of runs; see `Reader.list_runs`."""
        check(query)
        if query.projects_allowed == () or query.runs_allowed == ():
            return RunPage((), 0)
        order, descending = parse_order(query.order_by)
        return self._page(query, parse(query.where), order, descending)

    def get_run(self, ref: RunRef) -> Run:
        """Return one run; see `Reader.get_run`."""
        parameters = Parameters()
        scope = of_runs([ref], parameters)
        sql = self._page_sql(scope, parse(""), parse_field("created"), True, parameters)
        rows = self._clickhouse.query_rows(sql, parameters.values)
        if not rows:
            raise UnknownRun.of(ref.project, ref.run_id)
        return self._filled(rows, None, files=True)[0]

    def get_runs(self, refs: Sequence[RunRef], columns: Sequence[str] | None = None) -> list[Run]:
        """Return those of these runs that exist; see `compared.base.CompareReader.get_runs`."""
        if not refs:
            return []
        parameters = Parameters()
        scope = of_runs(refs, parameters)
        sql = self._page_sql(scope, parse(""), parse_field("created"), True, parameters)
        return self._filled(self._clickhouse.query_rows(sql, parameters.values), columns)

    def list_sessions(self, ref: RunRef) -> list[Session]:
        """Return the run's process lives; see `Reader.list_sessions`."""
        if not live_runs(self._clickhouse, self._database, [ref]):
            raise UnknownRun.of(ref.project, ref.run_id)
        parameters = Parameters()
        lives = lives_sql(self._database, of_runs([ref], parameters), self._alive(parameters))
        sql = f"""
SELECT producer, rank, local_rank, world_size, node, pid, launcher, role, attempt, outcome,
  exit_code, reason, started_us, seen_us, committed_seq, silent
FROM ({lives}) ORDER BY rank, started_us, toString(producer)"""
        return [_session(*row) for row in self._clickhouse.query_rows(sql, parameters.values)]

    def _page(
        self, query: RunQuery, condition: Condition, order: Field, descending: bool
    ) -> RunPage:
        parameters = Parameters()
        scope = _scope(query, parameters)
        fields = {*fields_of(condition), order}
        asked = any(field.space != "run" for field in fields)
        bent = self._lineages.bent(scope, parameters) if asked else None
        exceptions = self._exceptions(fields, bent, scope, parameters) if bent else Exceptions()
        sql = self._page_sql(scope, condition, order, descending, parameters, exceptions)
        page = f"{sql} LIMIT {query.limit} OFFSET {query.offset}"
        rows = self._clickhouse.query_rows(page, parameters.values)
        if not rows and query.offset:  # beyond the end: no row could carry the total
            counted = f"SELECT count() FROM ({sql})"
            return RunPage((), self._clickhouse.query_rows(counted, parameters.values)[0][0])
        total = rows[0][-1] if rows else 0
        return RunPage(tuple(self._filled(rows, query.columns, bent=bent)), total)

    def _exceptions(
        self, fields: Iterable[Field], bent: Sight, scope: str, parameters: Parameters
    ) -> Exceptions:
        """Find the runs that the small tables alone would not judge rightly by these fields."""
        names: dict[str, list[str]] = {"config": [], "summary": [], "metrics": []}
        stats = [parse_metric_field(field.name) for field in fields if field.space == "metric"]
        for field in fields:
            names.get(field.space, []).append(field.name)
        names["metrics"] += [each.metric for each in stats if each.stat == LAST]
        stats = [each for each in stats if each.stat != LAST]
        return Exceptions(
            self._details.overrides(scope, bent, names["summary"], parameters),
            self._details.last_values(bent, [*names["summary"], *names["metrics"]]),
            {run: whose for run, whose in bent.sources().items() if len(whose) > 1},
            self._stats.overrides(scope, bent, stats, parameters),
        )

    def _page_sql(
        self,
        scope: str,
        condition: Condition,
        order: Field,
        descending: bool,
        parameters: Parameters,
        exceptions: Exceptions | None = None,
    ) -> str:
        return page_sql(
            self._database,
            scope,
            self._alive(parameters),
            condition,
            order,
            descending,
            exceptions or Exceptions(),
            parameters,
        )

    def _alive(self, parameters: Parameters) -> str:
        return parameters.whole(self._now_unix_us() - SILENT_AFTER_S * 1_000_000)

    def _filled(
        self,
        rows: Sequence[tuple[Any, ...]],
        columns: Sequence[str] | None,
        *,
        files: bool = False,
        bent: Sight | None = None,
    ) -> list[Run]:
        """Give the runs of a page what hangs on them: a few questions for all of them together.

        Args:
            rows: As `page_sql` gives them.
            columns: See `RunQuery`.
            files: Whether the files are told, too.
            bent: All rewound and forked runs among which these are, where that was asked already.
        """
        if not rows:
            return []
        refs = [RunRef(row[0], row[1]) for row in rows]
        paths = of_paths(columns)
        sight = bent.among(refs) if bent else self._lineages.of(refs)
        attributes = self._details.attributes(refs, sight, paths, files=files)
        metrics = None if paths is None else paths["summary"]
        summaries = self._details.automatic_summaries(sight, attributes, metrics)
        stats = self._stats.of_runs(
            sight, [parse_metric_field(n) for n in (paths or {}).get("metric", ())]
        )
        return [
            _run(
                row,
                attributes.get(ref) or Attributes(),
                summaries.get(ref, {}),
                stats.get(ref, {}),
                sight.bent.get(ref) or Lineage(()),
                paths,
            )
            for row, ref in zip(rows, refs, strict=True)
        ]


def check(query: RunQuery) -> None:
    """Raise `InvalidQuery` for a page that breaks a limit."""
    if not 1 <= query.limit <= MAX_PAGE:
        raise InvalidQuery(f"limit is {query.limit}", hint=f"1 … {MAX_PAGE}")
    if not 0 <= query.offset < 1 << 63:
        raise InvalidQuery(f"offset is {query.offset}", hint="from 0")


def parse_order(text: str) -> tuple[Field, bool]:
    """Return what to sort by, and whether the highest comes first."""
    field = parse_field(text.removeprefix("-"))
    if field.kind is Kind.TAGS:
        raise InvalidQuery("tags is a list", hint="sort by one of the other fields")
    return field, text.startswith("-")


def _scope(query: RunQuery, parameters: Parameters) -> str:
    conditions = []
    if query.project:
        conditions.append(f"project = {parameters.text(query.project)}")
    if query.projects_allowed is not None:
        conditions.append(f"project IN {parameters.texts(query.projects_allowed)}")
    if query.runs_allowed is not None:
        conditions.append(of_runs(query.runs_allowed, parameters))
    return " AND ".join(conditions) or "true"


def _run(
    row: Sequence[Any],
    held: Attributes,
    automatic: Mapping[str, float],
    stats: Mapping[str, float],
    lineage: Lineage,
    paths: Mapping[str, Sequence[str]] | None,
) -> Run:
    project, run_id, created, state, ended, seen, world_size, ranks, _ = row
    meta = held.meta
    if paths is not None:
        meta = {path: meta[path] for path in paths["meta"] if path in meta}
    return Run(
        project=project,
        run_id=run_id,
        created_unix_us=created,
        **_labels(held),
        state=RunState(state),
        tags=tuple(sorted(held.tags)),
        finished_unix_us=ended,
        last_seen_unix_us=seen,
        world_size=world_size,
        ranks=ranks,
        parent_run_id=lineage.parent_run_id,
        fork_step=lineage.fork_step,
        rewinds=lineage.rewinds,
        config=held.config,
        summary={**automatic, **held.summary},
        meta=meta,
        files=held.files,
        metrics=stats,
    )


def _labels(held: Attributes) -> dict[str, Any]:
    return {label: held.text(label) for label in LABELS}


def _session(
    producer: UUID,
    rank: int,
    local_rank: int,
    world_size: int,
    node: str,
    pid: int,
    launcher: str,
    role: str,
    attempt: int,
    outcome: str,
    exit_code: int,
    reason: str,
    started: int,
    seen: int,
    committed_seq: int,
    silent: int,
) -> Session:
    return Session(
        producer, rank, local_rank, world_size, node, pid, launcher, role, attempt,
        RunState(outcome), exit_code, SILENCE if silent else reason, started, seen, committed_seq,
    )  # fmt: skip
