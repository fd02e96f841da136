"""Points of `MemoryStore` with the seat they were logged from, and process lives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from weir_store import tables
from weir_store.memory import MemoryStore, Row
from weir_store.memory_lineage import lineages
from weir_store.memory_rows import list_sessions, live_points, live_rows, own_rows, unix_us
from weir_store.ranks.roll import Life
from weir_store.records import RunRef

_Seat: TypeAlias = tuple[str, str, int]  # role, node, attempt


@dataclass(frozen=True, slots=True)
class Seated:
    """One point that is shown, and whose it is."""

    run: RunRef
    metric: str
    rank: int
    session: int
    role: str
    node: str
    attempt: int
    step: int
    at_us: int
    value: float


def seated_points(
    store: MemoryStore, runs: Sequence[RunRef], metrics: Iterable[str]
) -> list[Seated]:
    """Return the points of these metrics that these runs show, by run, metric, step and rank."""
    shown = live_points(store, tables.POINTS, runs)
    seats = {ref: _seats(store, _whose(store, ref)) for ref in runs}
    return _seated(shown, set(metrics), seats)


def own_points(store: MemoryStore, ref: RunRef, metric: str) -> list[Seated]:
    """Return the points that a run itself logged, hidden ones too, each in its newest version."""
    newest = {(r["metric"], r["step"], r["rank"]): r for r in own_rows(store, tables.POINTS, ref)}
    return _seated(newest.values(), {metric}, {ref: _seats(store, {ref})})


def _seated(
    rows: Iterable[Row], wanted: set[str], seats: Mapping[RunRef, Mapping[tuple[int, int], _Seat]]
) -> list[Seated]:
    found = []
    for row in rows:
        if row["metric"] not in wanted:
            continue
        ref, session = RunRef(row["project"], row["run_id"]), row["ver"] >> 32
        role, node, attempt = seats[ref].get((row["rank"], session), ("", "", 0))
        where = (ref, row["metric"], row["rank"], session, role, node, attempt)
        found.append(Seated(*where, row["step"], unix_us(row["ts"]), row["value"]))
    return found


def metrics_of(store: MemoryStore, ref: RunRef, *, own: bool = False) -> list[str]:
    """Return the names under which a run, or (unless `own`) an ancestor, logged numbers."""
    rows = own_rows(store, tables.POINTS, ref) if own else source_rows(store, ref)
    return sorted({row["metric"] for row in rows})


def source_rows(store: MemoryStore, ref: RunRef) -> list[Row]:
    """Return every row of a run and its ancestors, whether it is shown or not."""
    return [
        row for each in sorted(_whose(store, ref)) for row in own_rows(store, tables.POINTS, each)
    ]


def lives_of(store: MemoryStore, ref: RunRef, now_unix_us: int) -> list[Life]:
    """Return a run's process lives as the roll tells of them."""
    sessions = {
        row["producer"]: row["ver"] >> 32 for row in live_rows(store, tables.SESSIONS, [ref])
    }
    return [
        Life(
            each.role,
            each.rank,
            each.local_rank,
            each.node,
            each.attempt,
            each.world_size,
            each.state.value,
            each.started_unix_us,
            each.last_seen_unix_us,
            str(each.producer),
            sessions[each.producer.bytes],
        )
        for each in list_sessions(store, ref, now_unix_us)
    ]


def reached_by(store: MemoryStore, ref: RunRef) -> dict[tuple[int, int], tuple[int, int]]:
    """Return how far each rank's lives are: `roll.Reached`."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for row in store.list_rows(tables.POINTS):
        if RunRef(row["project"], row["run_id"]) == ref:
            life = row["rank"], row["ver"] >> 32
            step, last = found.get(life, (row["step"], 0))
            found[life] = max(step, row["step"]), max(last, unix_us(row["ts"]))
    return found


def _seats(store: MemoryStore, whose: set[RunRef]) -> dict[tuple[int, int], _Seat]:
    held: dict[tuple[int, int], tuple[bool, str, str, int]] = {}
    for row in store.list_rows(tables.SESSIONS):
        if RunRef(row["project"], row["run_id"]) not in whose or row["role"] == "agent":
            continue
        seat = (row["role"].endswith("/fork"), row["role"], row["node"], row["attempt"])
        key = row["rank"], row["ver"] >> 32
        held[key] = min(held.get(key, seat), seat)
    return {key: seat[1:] for key, seat in held.items()}


def _whose(store: MemoryStore, ref: RunRef) -> set[RunRef]:
    return {RunRef(ref.project, piece.run_id) for piece in lineages(store, [ref])[ref].pieces}
