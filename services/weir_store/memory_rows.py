"""Rows of `MemoryStore` as points and process lives, of the runs that exist."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from weir_store import tables
from weir_store.memory import MemoryStore, Row
from weir_store.memory_lineage import seen_rows
from weir_store.memory_series import Point
from weir_store.records import RunRef, RunState, Session
from weir_store.run_state import SILENCE, SILENT_AFTER_S, age

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def live_rows(
    store: MemoryStore, table: str, runs: Sequence[RunRef] | None = None, project: str = ""
) -> list[Row]:
    """Return a table's rows of runs that exist: of these runs, of a project, or of all."""
    live = _live(store, runs, project)
    return [row for row in store.list_rows(table) if RunRef(row["project"], row["run_id"]) in live]


def live_points(
    store: MemoryStore, table: str, runs: Sequence[RunRef] | None = None, project: str = ""
) -> list[Row]:
    """Return what such runs show of `points` or `text_points`, inherited points included."""
    return seen_rows(store, table, _live(store, runs, project))


def _live(store: MemoryStore, runs: Sequence[RunRef] | None, project: str) -> set[RunRef]:
    live = {RunRef(row["project"], row["run_id"]) for row in store.list_rows(tables.RUNS)}
    if runs is not None:
        live &= set(runs)
    return {ref for ref in live if project in ("", ref.project)}


def own_rows(store: MemoryStore, table: str, ref: RunRef) -> list[Row]:
    """Return a run's rows as they lie in a table, whether it exists or not."""
    return [row for row in store.list_rows(table) if RunRef(row["project"], row["run_id"]) == ref]


def list_series(
    store: MemoryStore, runs: Sequence[RunRef] | None = None
) -> dict[tuple[object, ...], list[Point]]:
    """Return every series (rank apart), its points by step."""
    series: dict[tuple[object, ...], list[Point]] = {}
    for row in live_points(store, tables.POINTS, runs):  # by (…, metric, step, rank)
        point = point_of(row)
        series.setdefault((*point.series, point.rank), []).append(point)
    return series


def point_of(row: Row) -> Point:
    """Return a row of `points`; its x is still to be found."""
    series = (row["project"], row["run_id"], row["metric"])
    return Point(series, row["rank"], 0.0, row["step"], unix_us(row["ts"]), row["value"])


def list_sessions(store: MemoryStore, ref: RunRef, now_unix_us: int) -> list[Session]:
    """Return a run's process lives, by rank, then start."""
    commits = live_rows(store, tables.INGEST_COMMITS, [ref])
    committed = {row["producer"]: row for row in commits}
    sessions = [
        _session(row, committed.get(row["producer"]), alive_since(now_unix_us))
        for row in live_rows(store, tables.SESSIONS, [ref])
    ]
    return sorted(sessions, key=lambda each: (each.rank, *age(each)))


def alive_since(now_unix_us: int) -> int:
    """Return the moment since when one must have been seen to be alive."""
    return now_unix_us - SILENT_AFTER_S * 1_000_000


def _session(row: Row, commit: Row | None, alive_since: int) -> Session:
    started, updated = unix_us(row["started_at"]), unix_us(row["updated_at"])
    seen = unix_us(commit["at"]) if commit and commit["seq"] else max(started, updated)
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


def unix_us(moment: datetime) -> int:
    """Return Unix µs."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
