"""Asking ClickHouse what happened to a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.parameters import Parameters
from weir_store.reader_live import live_runs, of_runs
from weir_store.records import Event, EventPage, RunRef

MAX_EVENTS: Final = 10_000
SEVERITIES: Final = ("debug", "info", "warn", "error", "critical")
"""Mildest first."""

EVENT_COLUMNS: Final = (
    "event_id, toUnixTimestamp64Micro(ts), kind, toString(severity), title, body, step, rank, attrs"
)


class EventsReader:
    """Answers `Reader.list_events`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database

    def list_events(
        self,
        ref: RunRef,
        *,
        kinds: Sequence[str] = (),
        min_severity: str = "debug",
        limit: int = 1_000,
    ) -> EventPage:
        """Return what happened to a run, newest first; see `Reader.list_events`."""
        severities = at_least(min_severity, limit)
        if not live_runs(self._clickhouse, self._database, [ref]):
            raise UnknownRun.of(ref.project, ref.run_id)
        parameters = Parameters()
        where = of_runs([ref], parameters)
        where += f" AND toString(severity) IN {parameters.texts(severities)}"
        if kinds:
            where += f" AND kind IN {parameters.texts(kinds)}"
        sql = f"""
SELECT {EVENT_COLUMNS}, count() OVER () AS total
FROM {self._database}.{tables.EVENTS} FINAL WHERE {where}
ORDER BY ts DESC, toString(event_id) LIMIT {limit}"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        events = tuple(event_of(*row[:-1]) for row in rows)
        return EventPage(events, int(rows[0][-1]) if rows else 0)


def at_least(min_severity: str, limit: int) -> tuple[str, ...]:
    """Return the severities asked for; raise `InvalidQuery` for a question that breaks a limit."""
    if not 1 <= limit <= MAX_EVENTS:
        raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_EVENTS}")
    if min_severity not in SEVERITIES:
        raise InvalidQuery(f"severity is {min_severity!r}", hint=f"one of {', '.join(SEVERITIES)}")
    return SEVERITIES[SEVERITIES.index(min_severity) :]


def event_of(
    event_id: object,
    time_unix_us: int,
    kind: str,
    severity: str,
    title: str,
    body: str,
    step: int,
    rank: int,
    attrs: dict[str, str],
) -> Event:
    """Return a row of `events` as `EVENT_COLUMNS` asks for it."""
    return Event(
        event_id=UUID(str(event_id)),
        time_unix_us=time_unix_us,
        kind=kind,
        severity=severity,
        title=title,
        body=body,
        step=None if step == -1 else step,
        rank=rank,
        attrs=attrs,
    )
