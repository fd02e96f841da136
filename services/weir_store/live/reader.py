"""Asking ClickHouse what lies between two marks. Holds no state but the connection.

A part of a table never changes: what is new lies in parts that were not there before. So a look
at what is new reads new parts only, however long a run is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from weir_store import answers, tables
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import all_of
from weir_store.cold.book import cold_among
from weir_store.console.cursor import Life, Marks, born_s
from weir_store.live.base import POINTS, TEXTS, Happened, Kind, Rows, Scope, Standing, Wants
from weir_store.live.windows import beyond_sql, packs, reached_sql
from weir_store.parameters import Parameters
from weir_store.reader_events import EVENT_COLUMNS, event_of
from weir_store.reader_live import of_runs
from weir_store.records import RunRef
from weir_store.run_state import SILENT_AFTER_S, states_sql

WATCHED: Final = (
    tables.INGEST_COMMITS,
    tables.POINTS,
    tables.TEXT_POINTS,
    tables.EVENTS,
    tables.SESSIONS,
    tables.RUNS,
)
TABLE_OF: Final = {Kind.POINTS: tables.POINTS, Kind.TEXTS: tables.TEXT_POINTS}
_SCHEMAS: Final = {Kind.POINTS: POINTS, Kind.TEXTS: TEXTS}
_MORE: Final = {Kind.POINTS: "", Kind.TEXTS: ", kind = 'media' AS is_media"}
_MOST_EVENTS: Final = 200_000
Parts = frozenset[str]
NO_PARTS: Final[Parts] = frozenset()


class Looked(NamedTuple):
    """What a look at new parts found: rows within the marks, and parts that hold rows beyond them."""

    rows: list[Rows]
    unfinished: set[str]


class LiveReader:
    """Reads what is new; safe from any thread. Errors as `base.Reader`'s."""

    def __init__(
        self, clickhouse: ClickHouse, database: str, now_unix_us: Callable[[], int]
    ) -> None:
        self._clickhouse = clickhouse
        self._raw = tables.raw_database(database)
        self._now_unix_us = now_unix_us

    def list_parts(self) -> dict[str, Parts]:
        """Return the parts of every table that is watched, as they are now."""
        parameters = Parameters()
        rows = self._clickhouse.query_rows(
            "SELECT table, groupArray(name) FROM system.parts"
            f" WHERE database = {parameters.text(self._raw)}"
            f" AND table IN {parameters.texts(WATCHED)} AND active GROUP BY table",
            parameters.values,
        )
        found = {str(table): frozenset(names) for table, names in rows}
        return {table: found.get(table, NO_PARTS) for table in WATCHED}

    def read_marks(self, scope: Scope, seen: Parts = NO_PARTS) -> dict[Life, int]:
        """Return how far the lives are stored that have a watermark outside of these parts."""
        parameters = Parameters()
        where = f"{_of_scope(scope, parameters)}{_outside(seen, parameters)}"
        sql = f"""
SELECT project, run_id, producer, any(rank), max(seq)
FROM (SELECT project, run_id, producer, seq FROM {self._raw}.ingest_commits WHERE {where}) AS stored
INNER JOIN (SELECT project, run_id, producer, rank FROM {self._raw}.sessions
  WHERE {_of_scope(scope, parameters)}) AS lives USING (project, run_id, producer)
GROUP BY project, run_id, producer"""
        far: dict[Life, int] = {}
        for project, run_id, producer, rank, seq in self._clickhouse.query_rows(
            sql, parameters.values
        ):
            life = Life(project, run_id, rank, born_s(UUID(str(producer))))
            far[life] = max(seq, far.get(life, 0))
        return far

    def look(
        self,
        kind: Kind,
        runs: Sequence[RunRef],
        before: Mapping[RunRef, Marks],
        after: Mapping[RunRef, Marks],
        seen: Parts,
        wants: Wants,
    ) -> Looked:
        """Return the rows between the marks that lie outside of `seen`, in the order they were logged."""
        found = Looked([], set())
        for low in packs(runs, before):
            parameters = Parameters()
            reached = reached_sql({run: after.get(run, {}) for run in low}, parameters)
            where = beyond_sql(low, parameters) + _filter(wants, parameters)
            sql = f"""
SELECT {_COLUMNS}{_MORE[kind]}, toString(_part) AS part, {reached} AS is_stored
FROM {self._raw}.{TABLE_OF[kind]} WHERE {where}{_outside(seen, parameters)} ORDER BY ver, step"""
            answer = self._clickhouse.query_arrow(sql, parameters.values)
            is_stored = pc.cast(answer["is_stored"], pa.bool_())
            beyond = answer["part"].filter(pc.invert(is_stored))
            found.unfinished.update(beyond.unique().to_pylist())
            found.rows.extend(_by_run(kind, answer.filter(is_stored)))
        return found

    def stream(
        self,
        kind: Kind,
        before: Mapping[RunRef, Marks],
        after: Mapping[RunRef, Marks],
        wants: Wants,
    ) -> Iterator[Rows]:
        """Yield all rows between the marks, run by run, in no order; memory stays bounded."""
        for run, high in after.items():
            parameters = Parameters()
            where = beyond_sql({run: before.get(run, {})}, parameters) + _filter(wants, parameters)
            sql = f"""
SELECT {_COLUMNS}{_MORE[kind]} FROM {self._raw}.{self._lies_in(kind, run)}
WHERE {where} AND {reached_sql({run: high}, parameters)}"""
            for batch in self._clickhouse.stream_arrow(sql, parameters.values):
                yield from _by_run(kind, pa.Table.from_batches([batch]))

    def _lies_in(self, kind: Kind, run: RunRef) -> str:
        """Return the table that holds what a run logged, or the view that has its files as well."""
        if kind is Kind.POINTS and cold_among(self._clickhouse, self._raw, [run]):
            return all_of(tables.POINTS)
        return TABLE_OF[kind]

    def list_event_ids(self, scope: Scope) -> list[UUID]:
        """Return the events there are, the newest 200 000."""
        parameters = Parameters()
        rows = self._clickhouse.query_rows(
            f"SELECT event_id FROM {self._raw}.events WHERE {_of_scope(scope, parameters)}"
            f" ORDER BY ver DESC LIMIT {_MOST_EVENTS}",
            parameters.values,
        )
        return [UUID(str(row[0])) for row in rows]

    def read_events(
        self, scope: Scope, seen: Parts = NO_PARTS, told: Collection[UUID] = ()
    ) -> list[Happened]:
        """Return events outside of these parts that were not told, oldest first."""
        parameters = Parameters()
        where = f"{_of_scope(scope, parameters)}{_outside(seen, parameters)}"
        return [each for each in self._events(where, parameters) if each.event.event_id not in told]

    def read_events_after(
        self, before: Mapping[RunRef, Marks], since_unix_us: int, runs: Sequence[RunRef]
    ) -> list[Happened]:
        """Return events of frames beyond the marks, and those that no frame brought since then."""
        found: list[Happened] = []
        for low in packs(runs, before):
            parameters = Parameters()
            others = f"toUInt64({max(0, since_unix_us // 1_000_000) << 32})"
            found += self._events(beyond_sql(low, parameters, others=others), parameters)
        return found

    def read_states(self, scope: Scope) -> dict[RunRef, Standing]:
        """Return where the runs stand that exist and have process lives."""
        parameters = Parameters()
        where = _of_scope(scope, parameters)
        alive_since = parameters.whole(self._now_unix_us() - SILENT_AFTER_S * 1_000_000)
        sql = f"""
SELECT project, run_id, run_state, world_size, ranks
FROM ({states_sql(self._raw, where, alive_since)}) AS states
WHERE (project, run_id) IN (SELECT project, run_id FROM {self._raw}.runs FINAL WHERE {where})"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return {RunRef(row[0], row[1]): Standing(RunRef(row[0], row[1]), *row[2:]) for row in rows}

    def list_live(self, runs: Sequence[RunRef]) -> list[RunRef]:
        """Return those runs that exist."""
        if not runs:
            return []
        parameters = Parameters()
        rows = self._clickhouse.query_rows(
            f"SELECT project, run_id FROM {self._raw}.runs FINAL WHERE {of_runs(runs, parameters)}",
            parameters.values,
        )
        return sorted(RunRef(*row) for row in rows)

    def _events(self, where: str, parameters: Parameters) -> Iterator[Happened]:
        sql = f"""
SELECT project, run_id, {EVENT_COLUMNS} FROM {self._raw}.events WHERE {where}
ORDER BY ver, toString(event_id) LIMIT 1 BY project, run_id, event_id LIMIT {_MOST_EVENTS}"""
        for project, run_id, *event in self._clickhouse.query_rows(sql, parameters.values):
            yield Happened(RunRef(project, run_id), event_of(*event))


_COLUMNS: Final = (
    "toString(project) AS project, toString(run_id) AS run_id, toString(metric) AS metric, rank,"
    " step, toUnixTimestamp64Micro(ts) AS time_unix_us, value"
)


def _by_run(kind: Kind, answer: pa.Table) -> Iterable[Rows]:
    if not answer.num_rows:
        return
    names = answer.select(["project", "run_id"]).group_by(["project", "run_id"]).aggregate([])
    for name in names.to_pylist():
        some = answer
        if names.num_rows > 1:
            of_project = pc.equal(answer["project"], name["project"])
            some = answer.filter(pc.and_(of_project, pc.equal(answer["run_id"], name["run_id"])))
        yield Rows(kind, RunRef(**name), answers.conform(some, _SCHEMAS[kind]))


def _of_scope(scope: Scope, parameters: Parameters) -> str:
    parts = []
    if scope.projects:
        parts.append(f"project IN {parameters.texts(sorted(scope.projects))}")
    if scope.runs:
        parts.append(f"({of_runs(sorted(scope.runs), parameters)})")
    return f"({' OR '.join(parts) or 'false'})"


def _outside(seen: Parts, parameters: Parameters) -> str:
    return f" AND _part NOT IN {parameters.texts(sorted(seen))}" if seen else ""


def _filter(wants: Wants, parameters: Parameters) -> str:
    more = ""
    if wants.metrics is not None:
        more += f" AND metric IN {parameters.texts(sorted(wants.metrics))}"
    if wants.ranks is not None:
        more += f" AND rank IN {parameters.wholes(sorted(wants.ranks))}"
    return more
