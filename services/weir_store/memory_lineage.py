"""What can be seen in `MemoryStore`: lineage.py asked row by row, as the model of sight.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from weir_store import tables
from weir_store.attributes import Value, value_of
from weir_store.lineage import Branch, Lineage, Piece, lineage_of
from weir_store.memory import MemoryStore, Row
from weir_store.records import RunRef


def lineages(store: MemoryStore, refs: Iterable[RunRef]) -> dict[RunRef, Lineage]:
    """Return where the points of these runs lie."""
    branches = _branches(store)
    return {ref: lineage_of(ref.run_id, branches.get(ref.project, {})) for ref in refs}


def seen_rows(store: MemoryStore, table: str, refs: Iterable[RunRef]) -> list[Row]:
    """Return the points or texts that these runs show, each once, under the runs' names, by sort key."""
    by_run = _by_run(store.list_rows(table))
    return [
        row
        for ref, lineage in sorted(lineages(store, refs).items(), key=lambda pair: pair[0])
        for row in _seen(ref, lineage, by_run)
    ]


def first_moments(store: MemoryStore, refs: Iterable[RunRef]) -> dict[RunRef, datetime]:
    """Return when each run, or the oldest it was forked from, logged its first point, hidden ones included."""
    by_run = _by_run(store.list_rows(tables.POINTS))
    moments = {
        ref: [
            row["ts"]
            for piece in lineage.pieces
            for row in by_run.get(RunRef(ref.project, piece.run_id), ())
        ]
        for ref, lineage in lineages(store, refs).items()
    }
    return {ref: min(told) for ref, told in moments.items() if told}


def inherited_config(store: MemoryStore, refs: Iterable[RunRef]) -> dict[RunRef, dict[str, Value]]:
    """Return the config of runs that were forked: each ancestor's, overlaid by its child's."""
    newest: dict[RunRef, dict[str, Row]] = defaultdict(dict)
    for row in store.list_rows(tables.RUN_ATTR_HISTORY):  # by path, then version
        if row["ns"] == "config":
            newest[RunRef(row["project"], row["run_id"])][row["path"]] = row
    found: dict[RunRef, dict[str, Value]] = {}
    for ref, lineage in lineages(store, refs).items():
        if not lineage.parent_run_id:
            continue
        held: dict[str, Row] = {}
        for piece in reversed(lineage.pieces):
            held |= newest[RunRef(ref.project, piece.run_id)]
        found[ref] = {
            path: value_of(row["type"], row["num"], row["int"], row["str"])
            for path, row in sorted(held.items())
            if not row["is_deleted"]
        }
    return found


def _by_run(rows: Iterable[Row]) -> dict[RunRef, list[Row]]:
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        found[row["project"], row["run_id"]].append(row)
    return {RunRef(*run): of_run for run, of_run in found.items()}


def _seen(ref: RunRef, lineage: Lineage, by_run: Mapping[RunRef, Sequence[Row]]) -> list[Row]:
    """Return the rows of a run: of each point the one of the nearest piece, of those the newest."""
    found: dict[tuple[str, int, int], Row] = {}
    for piece in reversed(lineage.pieces):
        rows = by_run.get(RunRef(ref.project, piece.run_id), ())  # of a point: by version
        seen = rows if lineage.is_plain else [row for row in rows if _is_seen(row, piece)]
        found.update(((row["metric"], row["step"], row["rank"]), row) for row in seen)
    points = [row for _, row in sorted(found.items(), key=lambda pair: pair[0])]
    return points if lineage.is_plain else [{**row, "run_id": ref.run_id} for row in points]


def _is_seen(row: Row, piece: Piece) -> bool:
    return piece.shows(row["rank"], row["step"], row["ver"] >> 32)


def _branches(store: MemoryStore) -> dict[str, dict[str, list[Branch]]]:
    """Return everything announced, by project, then run."""
    found: dict[str, dict[str, list[Branch]]] = {}
    for row in store.list_rows(tables.BRANCHES):
        branch = Branch(
            row["run_id"],
            str(UUID(bytes=row["producer"])),
            row["rank"],
            row["world_size"],
            row["parent_run_id"],
            row["step"],
            row["launch"],
            row["ver"] >> 32,
        )
        found.setdefault(row["project"], {}).setdefault(row["run_id"], []).append(branch)
    return found
