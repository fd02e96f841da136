"""What happened to a run, from the rows of `MemoryStore`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from weir_store import tables
from weir_store.errors import UnknownRun
from weir_store.memory import MemoryStore, Row
from weir_store.memory_rows import own_rows, unix_us
from weir_store.reader_events import at_least
from weir_store.records import Event, EventPage, RunRef


def list_events(
    store: MemoryStore,
    ref: RunRef,
    *,
    kinds: Sequence[str] = (),
    min_severity: str = "debug",
    limit: int = 1_000,
) -> EventPage:
    """Return what happened to a run, newest first; see `Reader.list_events`."""
    severities = at_least(min_severity, limit)
    if not own_rows(store, tables.RUNS, ref):
        raise UnknownRun.of(ref.project, ref.run_id)
    found = [
        event_of(row)
        for row in own_rows(store, tables.EVENTS, ref)
        if row["severity"] in severities and (not kinds or row["kind"] in kinds)
    ]
    found.sort(key=lambda event: (-event.time_unix_us, str(event.event_id)))
    return EventPage(tuple(found[:limit]), len(found))


def event_of(row: Row) -> Event:
    """Return a row of `events`."""
    return Event(
        event_id=UUID(bytes=row["event_id"]),
        time_unix_us=unix_us(row["ts"]),
        kind=row["kind"],
        severity=row["severity"],
        title=row["title"],
        body=row["body"],
        step=None if row["step"] == -1 else row["step"],
        rank=row["rank"],
        attrs=row["attrs"],
    )
