"""Where changes, holds and policies are written down and looked up."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Inserter
from weir_store.changes.base import (
    Change,
    ChangeKind,
    ChangeState,
    Held,
    Hold,
    LineChange,
    Policy,
    What,
)
from weir_store.clickhouse import ClickHouse
from weir_store.editor import event_row
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.records import RunRef

MAX_CHANGES: Final = 10_000
_CHANGE: Final = (
    "change_id, project, run_id, kind, by, toUnixTimestamp64Micro(at), reason, state, "
    "toUnixTimestamp64Micro(ended_at), request, receipt, ver"
)


class ChangeBook:
    """The book; every method may raise `StoreUnavailable`. Holds no state: safe from any thread."""

    def __init__(self, clickhouse: ClickHouse, database: str, inserter: Inserter) -> None:
        """Prepare.

        Args:
            clickhouse: May read the tables.
            database: As in the settings; the tables are in `<database>_raw`.
            inserter: Writes.
        """
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._inserter = inserter

    # ── changes ────────────────────────────────────────────────────────────

    def put(self, change: Change, now_unix_us: int) -> Change:
        """Write a change down as it stands now; the newest word counts. Returns it."""
        # Clocks of two gateways may differ: what is written later is newer whatever they say.
        change = replace(change, version=max(now_unix_us, change.version + 1))
        row = {
            "project": change.project,
            "change_id": change.change_id.bytes,
            "kind": change.kind,
            "run_id": change.run_id,
            "state": change.state,
            "by": change.by,
            "reason": change.reason,
            "at": change.at_unix_us,
            "ended_at": change.ended_unix_us,
            "request": json.dumps(change.request),
            "receipt": json.dumps(change.receipt),
            "ver": change.version,
        }
        self.insert(tables.CHANGES, [row])
        return change

    def end(self, change: Change, now_unix_us: int, **receipt: Any) -> Change:
        """Write down that a change is done, and what came of it."""
        done = replace(
            change,
            state=ChangeState.DONE,
            ended_unix_us=now_unix_us,
            receipt={**change.receipt, **receipt},
        )
        return self.put(done, now_unix_us)

    def get(self, change_id: UUID) -> Change:
        """Return a change. Raises `InvalidQuery` when there is none."""
        parameters = Parameters()
        found = self._changes(
            f"toString(change_id) = {parameters.text(str(change_id))}", parameters
        )
        if not found:
            raise InvalidQuery(f"no receipt {change_id.hex}")
        return found[0]

    def list_changes(
        self,
        project: str = "",
        *,
        run_id: str = "",
        states: Sequence[ChangeState] = (),
        kinds: Sequence[ChangeKind] = (),
        limit: int = 1_000,
    ) -> list[Change]:
        """Return changes, newest first; an empty argument asks for all."""
        if not 1 <= limit <= MAX_CHANGES:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_CHANGES}")
        parameters = Parameters()
        parts = ["true"]
        for column, value in (("project", project), ("run_id", run_id)):
            parts += [f"{column} = {parameters.text(value)}"] if value else []
        for column, values in (("state", states), ("kind", kinds)):
            listed = [str(each) for each in values]
            parts += [f"{column} IN {parameters.texts(listed)}"] if listed else []
        return self._changes(" AND ".join(parts), parameters, limit)

    def _changes(
        self, where: str, parameters: Parameters, limit: int = MAX_CHANGES
    ) -> list[Change]:
        sql = f"""
SELECT {_CHANGE} FROM {self._database}.{tables.CHANGES} FINAL WHERE {where}
ORDER BY at DESC, toString(change_id) LIMIT {limit}"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [_change_of(row) for row in rows]

    # ── what the ledger has to know, and what people see ───────────────────

    def note_lines(self, change: Change, lines: Iterable[LineChange]) -> None:
        """Write down what a change takes out of process lives, and puts beside them."""
        rows = [
            {
                "project": change.project,
                "run_id": change.run_id,
                "change_id": change.change_id.bytes,
                "kind": line.kind,
                "rank": line.rank,
                "session": line.session,
                "removed": line.removed.count,
                "removed_digest": line.removed.digest,
                "added": line.added.count,
                "added_digest": line.added.digest,
                "ver": change.at_unix_us,
            }
            for line in lines
        ]
        self.insert(tables.LEDGER_CHANGES, rows)

    def tell(
        self,
        change: Change,
        kind: str,
        title: str,
        run_id: str | None = None,
        *,
        project: str = "",
        **attrs: str,
    ) -> None:
        """Leave an event: who did what. Told twice, it is there once.

        Args:
            change: Whose doing it is.
            kind: Of the event.
            title: In one line.
            run_id: Whose event; default the change's run, empty for the project.
            project: Of that run; default the change's.
            attrs: Further facts.
        """
        whose = RunRef(project or change.project, change.run_id if run_id is None else run_id)
        event_id = uuid.uuid5(change.change_id, f"{kind} {whose.project} {whose.run_id}")
        told = {"by": change.by, "receipt": change.change_id.hex, **attrs}
        if change.reason:
            told["reason"] = change.reason
        row = event_row(whose, kind, title, attrs=told, at_unix_us=change.at_unix_us)
        self.insert(tables.EVENTS, [row | {"event_id": event_id.bytes}])

    # ── holds ──────────────────────────────────────────────────────────────

    def hold(self, hold: Hold, *, lifted: bool = False) -> None:
        """Hold a run or a project, or lift the hold; who did it stays as an event."""
        ref = RunRef(hold.project, hold.run_id)
        verb = "lifted the legal hold" if lifted else "put a legal hold"
        title = f"{hold.by} {verb} on {'run' if hold.run_id else 'project'}"
        kind = "hold_lifted" if lifted else "held"
        attrs = {"by": hold.by, "reason": hold.reason}
        event = event_row(ref, kind, title, attrs=attrs, at_unix_us=hold.at_unix_us)
        row = {
            "project": hold.project,
            "run_id": hold.run_id,
            "reason": hold.reason,
            "by": hold.by,
            "at": hold.at_unix_us,
            "ver": hold.at_unix_us,
            "is_deleted": int(lifted),
        }
        self.insert(tables.EVENTS, [event])
        self.insert(tables.HOLDS, [row])

    def list_holds(self, project: str = "") -> list[Hold]:
        """Return holds of a project, or of all."""
        parameters = Parameters()
        where = f"project = {parameters.text(project)}" if project else "true"
        sql = f"""
SELECT project, run_id, reason, by, toUnixTimestamp64Micro(at)
FROM {self._database}.{tables.HOLDS} FINAL WHERE {where} ORDER BY project, run_id"""
        return [Hold(*row) for row in self._clickhouse.query_rows(sql, parameters.values)]

    def refuse_held(self, project: str, run_id: str = "") -> None:
        """Raise `Held` where a run is held or its project is; of a project, where any run is."""
        for hold in self.list_holds(project):
            if not run_id or hold.run_id in ("", run_id):
                held = f"run {hold.run_id!r} in project" if hold.run_id else "project"
                raise Held(
                    f"there is a legal hold on {held} {project!r}, by {hold.by}: {hold.reason}",
                    hint="nothing of it is deleted until an admin lifts it: weir hold --lift",
                )

    # ── policies ───────────────────────────────────────────────────────────

    def set_policy(self, policy: Policy, *, removed: bool = False) -> None:
        """Make a policy count from now on, or no longer; who did it stays as an event."""
        attrs = {
            "by": policy.by,
            "what": str(policy.what),
            "pattern": policy.pattern,
            "keep_s": str(policy.keep_s),
            "thin_after_s": str(policy.thin_after_s),
            "thin_points": str(policy.thin_points),
        }
        verb = "took away" if removed else "set"
        title = f"{policy.by} {verb} retention of {policy.what} {policy.pattern}"
        ref = RunRef(policy.project, "")
        event = event_row(ref, "retention", title, attrs=attrs, at_unix_us=policy.at_unix_us)
        row = {
            "project": policy.project,
            "what": str(policy.what),
            "pattern": policy.pattern,
            "keep_s": policy.keep_s,
            "thin_after_s": policy.thin_after_s,
            "thin_points": policy.thin_points,
            "by": policy.by,
            "at": policy.at_unix_us,
            "ver": policy.at_unix_us,
            "is_deleted": int(removed),
        }
        self.insert(tables.EVENTS, [event])
        self.insert(tables.RETENTION, [row])

    def list_policies(self, project: str = "") -> list[Policy]:
        """Return the policies of a project, or of all."""
        parameters = Parameters()
        where = f"project = {parameters.text(project)}" if project else "true"
        sql = f"""
SELECT project, toString(what), pattern, keep_s, thin_after_s, thin_points, by, toUnixTimestamp64Micro(at)
FROM {self._database}.{tables.RETENTION} FINAL WHERE {where} ORDER BY project, what, pattern"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [Policy(project, What(what), *rest) for project, what, *rest in rows]

    def insert(self, table: str, rows: Sequence[dict[str, Any]]) -> None:
        """Store rows of one table."""
        if rows:
            block = {table: pa.Table.from_pylist(list(rows), schema=columns.BY_TABLE[table])}
            self._inserter.insert(block, uuid.uuid4().hex)


def _change_of(row: Sequence[Any]) -> Change:
    change_id, project, run_id, kind, by, at, reason, state, ended, request, receipt, ver = row
    return Change(
        UUID(str(change_id)),
        project,
        run_id,
        ChangeKind(kind),
        by,
        int(at),
        reason,
        ChangeState(state),
        int(ended),
        json.loads(request),
        json.loads(receipt),
        int(ver),
    )
