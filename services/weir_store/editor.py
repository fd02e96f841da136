"""The few edits people make to a run: each is a new version of a row, and the newest wins.

An edit's version is made of its moment as a frame's is made of its producer's
birth: it beats what sessions that began before it say, and later sessions beat it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Block, Inserter
from weir_store.edits import Change, Edits, changes, new_labels, new_tags
from weir_store.records import Run, RunRef

# Above every version the writer gives a run's row (rows.py), so a deleted run stays deleted.
TOMBSTONE_VER: Final = 1 << 63


class Editor:
    """Changes what people call runs, and hides runs. Every method may raise `StoreUnavailable`."""

    def __init__(self, inserter: Inserter) -> None:
        self._inserter = inserter

    def edit_run(self, run: Run, edits: Edits, *, by: str, at_unix_us: int) -> None:
        """Store what the edits change, and an event for each field: who, when, before, after.

        The events go first: an edit without its event can never be, an event
        whose edit failed stands beside that of the edit made again.

        Args:
            run: As it stands now.
            edits: What is wanted; nothing is stored where all is so already.
            by: Who wants it.
            at_unix_us: When.
        """
        self.edit_runs([(run, edits)], by=by, at_unix_us=at_unix_us)

    def edit_runs(self, wanted: Sequence[tuple[Run, Edits]], *, by: str, at_unix_us: int) -> None:
        """Store edits of many runs, each as `edit_run` does, in two inserts."""
        events, rows = [], []
        for run, edits in wanted:
            told = changes(run, edits)
            events += [_edited(run.ref, each, by=by, at_unix_us=at_unix_us) for each in told]
            rows += [_whose(run.ref, at_unix_us) | attr for attr in _attrs(run, edits)]
        self._insert({tables.EVENTS: _table(tables.EVENTS, events)})
        self._insert({tables.RUN_ATTRS: _table(tables.RUN_ATTRS, rows)})

    def delete_run(self, ref: RunRef, *, by: str, at_unix_us: int) -> None:
        """Hide a run from every reader; who did it and when stays in `events`."""
        tombstone = {
            "project": ref.project,
            "run_id": ref.run_id,
            "created_at": at_unix_us,
            "ver": TOMBSTONE_VER + at_unix_us,
            "is_deleted": 1,
        }
        deletion = event_row(
            ref, "deleted", f"run deleted by {by}", attrs={"by": by}, at_unix_us=at_unix_us
        )
        self._insert(
            {
                tables.RUNS: _table(tables.RUNS, [tombstone]),
                tables.EVENTS: _table(tables.EVENTS, [deletion]),
            }
        )

    def note_stop(self, ref: RunRef, *, by: str, reason: str, at_unix_us: int) -> None:
        """Leave an event that says who asked a run to stop, and why."""
        event = event_row(
            ref,
            "stop_requested",
            f"{by} asked the run to stop",
            reason,
            attrs={"by": by},
            at_unix_us=at_unix_us,
        )
        self._insert({tables.EVENTS: _table(tables.EVENTS, [event])})

    def _insert(self, block: Block) -> None:
        if any(rows.num_rows for rows in block.values()):
            self._inserter.insert(block, uuid.uuid4().hex)


def _attrs(run: Run, edits: Edits) -> list[dict[str, Any]]:
    return [
        *(_text("meta", path, text) for path, text in new_labels(run, edits).items()),
        *(_tag(tag, is_deleted=int(not comes)) for tag, comes in new_tags(run, edits).items()),
    ]


def _whose(ref: RunRef, at_unix_us: int) -> dict[str, Any]:
    return {
        "project": ref.project,
        "run_id": ref.run_id,
        "rank": columns.RANK_OF_A_PERSON,
        "ver": version_of_edit(at_unix_us),
    }


def version_of_edit(at_unix_us: int) -> int:
    """Return the row version of an edit: its second, then its microsecond."""
    seconds, microseconds = divmod(at_unix_us, 1_000_000)
    return seconds << 32 | microseconds


def _text(ns: str, path: str, text: str) -> dict[str, Any]:
    return {
        "ns": ns,
        "path": path,
        "type": "str",
        "num": float("nan"),
        "int": 0,
        "str": text,
        "is_deleted": 0,
    }


def _tag(tag: str, *, is_deleted: int) -> dict[str, Any]:
    return {
        "ns": "tag",
        "path": tag,
        "type": "bool",
        "num": 1.0,
        "int": 1,
        "str": "",
        "is_deleted": is_deleted,
    }


def _edited(ref: RunRef, change: Change, *, by: str, at_unix_us: int) -> dict[str, Any]:
    told = {
        "field": change.field,
        "before": change.shown(change.before),
        "after": change.shown(change.after),
    }
    return event_row(
        ref,
        "edited",
        f"{by} changed {change.field}",
        severity="info",
        attrs={"by": by, **told},
        at_unix_us=at_unix_us,
    )


def event_row(
    ref: RunRef,
    kind: str,
    title: str,
    body: str = "",
    *,
    attrs: Mapping[str, str],
    at_unix_us: int,
    severity: str = "warn",
) -> dict[str, Any]:
    """Return a row of `events` that the server tells, with a fresh id."""
    return {
        "project": ref.project,
        "run_id": ref.run_id,
        "event_id": uuid.uuid4().bytes,
        "ts": at_unix_us,
        "kind": kind,
        "severity": severity,
        "title": title,
        "body": body,
        "step": -1,
        "rank": 0,
        "attrs": dict(attrs),
        "ver": version_of_edit(at_unix_us),
        "source": "server",
    }


def _table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=columns.BY_TABLE[name])
