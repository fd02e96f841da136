"""Deleting runs and projects: hidden at once, then freed table by table, with a receipt.

    asked ─▶ tombstones ─▶ measured ─▶ freed ─▶ measured ─▶ done
                                         └─▶ waiting: rows that living forks show, bytes that are too young

Every step may be done twice. What is written by processes that still run lies behind the tombstone and is
freed by a later sweep, counted as `late`.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from weir_store import tables
from weir_store.artifacts.forks import kept_alive
from weir_store.changes.base import Change, ChangeKind, ChangeState
from weir_store.changes.book import ChangeBook
from weir_store.changes.measure import (
    NEEDED_BY_FORKS,
    OF_PROJECTS,
    OF_RUNS,
    going,
    measure,
    rows_of,
)
from weir_store.changes.sql import Remover
from weir_store.clickhouse import ClickHouse
from weir_store.editor import Editor
from weir_store.errors import UnknownProject, UnknownRun
from weir_store.parameters import Parameters
from weir_store.records import RunRef

_DELETES: Final = (ChangeKind.DELETE_RUN, ChangeKind.DELETE_PROJECT)


def _nothing(_table: str) -> None:
    pass


class Removal:
    """Asks for deletions (`ask_…`), and carries them out."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        editor: Editor,
        book: ChangeBook,
        remover: Remover,
        *,
        on_freed: Callable[[str], None] = _nothing,
    ) -> None:
        """Prepare.

        Args:
            clickhouse: May alter the tables.
            database: As in the settings.
            editor: Hides runs.
            book: Where changes are written down.
            remover: Takes rows out.
            on_freed: Called with a table's name when its rows are gone.
        """
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._editor = editor
        self._book = book
        self._remover = remover
        self._on_freed = on_freed

    # ── asking ─────────────────────────────────────────────────────────────

    def ask_run(self, ref: RunRef, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Return the change that deletes a run, also one that still runs; nothing is stored yet.

        Raises:
            UnknownRun: There is none.
            Held: There is a legal hold.
        """
        if ref.run_id not in self._live(ref.project):
            raise UnknownRun.of(ref.project, ref.run_id)
        self._book.refuse_held(ref.project, ref.run_id)
        request = {"runs": [ref.run_id, *self._merged_into(ref)]}
        kind = ChangeKind.DELETE_RUN
        return Change(
            uuid.uuid4(), ref.project, ref.run_id, kind, by, at_unix_us, reason, request=request
        )

    def ask_project(self, project: str, *, by: str, at_unix_us: int, reason: str = "") -> Change:
        """Return the change that deletes a project's runs, artifacts, models and policies.

        Raises:
            UnknownProject: It has none of these.
            Held: There is a legal hold on it or on any run of it.
        """
        self._book.refuse_held(project)
        runs = [*self._live(project), *self._hidden(project)]
        if not runs and not self._has_artifacts(project):
            raise UnknownProject(f"no project {project!r}")
        kind = ChangeKind.DELETE_PROJECT
        request = {"runs": sorted(set(runs))}
        return Change(uuid.uuid4(), project, "", kind, by, at_unix_us, reason, request=request)

    # ── doing ──────────────────────────────────────────────────────────────

    def hide(self, change: Change) -> None:
        """Take the runs out of every answer. Raises `Held` when somebody put a hold on them meanwhile."""
        self._book.refuse_held(change.project, change.run_id)
        live = set(self._live(change.project))
        for run_id in change.request["runs"]:
            if run_id in live:
                ref = RunRef(change.project, run_id)
                self._editor.delete_run(ref, by=change.by, at_unix_us=change.at_unix_us)
        if change.kind is ChangeKind.DELETE_PROJECT:
            self._book.tell(change, "deleted", f"project deleted by {change.by}")

    def free(self, change: Change, now_unix_us: int) -> Change:
        """Free what the runs have in every table; return the change with its receipt so far.

        Its state is `waiting` while living forks need some of the rows.

        Raises:
            Held: There is a hold meanwhile; nothing more is deleted.
        """
        self._book.refuse_held(change.project, change.run_id)
        runs: Sequence[str] = change.request["runs"]
        needed = self.needed(change.project) & set(runs)
        change = self._measured(change, "before", now_unix_us)
        begun = []
        for table in self._tables(change):
            gone = [run for run in runs if run not in needed or table not in NEEDED_BY_FORKS]
            if gone and table in change.receipt["before"]:
                parameters = Parameters()
                where = self._going(change, table, gone, parameters)
                self._remover.start(table, where, parameters)
                begun.append(table)
        for table in begun:
            self._remover.wait(table)
            self._on_freed(table)
        change = self._measured(change, "after", now_unix_us)
        state = ChangeState.WAITING if needed else ChangeState.BEGUN
        receipt = {**change.receipt, "kept_for_forks": sorted(needed)}
        return self._book.put(replace(change, state=state, receipt=receipt), now_unix_us)

    def free_late(self, now_unix_us: int, *, since_unix_us: int) -> int:
        """Free what was written to deleted runs afterwards; note it in their receipts, return the rows."""
        late = 0
        states = (ChangeState.DONE, ChangeState.WAITING)
        for change in self._book.list_changes(states=states, kinds=_DELETES, limit=10_000):
            if change.at_unix_us >= since_unix_us and self._came_late(change):
                found = self._free_late(change, now_unix_us)
                late += found
        return late

    def _free_late(self, change: Change, now_unix_us: int) -> int:
        rows = 0
        needed = self.needed(change.project)
        runs = [run for run in change.request["runs"] if run not in needed]
        begun = []
        for table in OF_RUNS:
            parameters = Parameters()
            where = going(table, rows_of(change.project, runs, parameters), parameters)
            found = measure(self._clickhouse, self._database, table, where, parameters).rows
            if found:
                self._remover.start(table, where, parameters)
                begun.append(table)
                rows += found
        for table in begun:
            self._remover.wait(table)
        receipt = {**change.receipt, "late_rows": change.receipt.get("late_rows", 0) + rows}
        self._book.put(replace(change, receipt=receipt), now_unix_us)
        return rows

    def _came_late(self, change: Change) -> bool:
        parameters = Parameters()
        where = rows_of(change.project, change.request["runs"], parameters)
        sql = f"SELECT count() FROM {self._database}.{tables.INGEST_COMMITS} WHERE {where}"
        return bool(self._clickhouse.query_rows(sql, parameters.values)[0][0])

    def _measured(self, change: Change, when: str, now_unix_us: int) -> Change:
        """Note what there is in every table; what was there before is noted once."""
        if when == "before" and "before" in change.receipt:
            return change
        found: dict[str, Any] = {}
        for table in change.receipt.get("before", self._tables(change)):
            parameters = Parameters()
            where = self._going(change, table, change.request["runs"], parameters)
            share = measure(self._clickhouse, self._database, table, where, parameters)
            if share.rows or when == "after":
                found[table] = share.told
        receipt = {**change.receipt, when: found}
        return self._book.put(replace(change, receipt=receipt), now_unix_us)

    def _tables(self, change: Change) -> tuple[str, ...]:
        whole = change.kind is ChangeKind.DELETE_PROJECT
        return (*OF_PROJECTS, *OF_RUNS) if whole else OF_RUNS

    def _going(
        self, change: Change, table: str, runs: Sequence[str], parameters: Parameters
    ) -> str:
        if table in OF_PROJECTS:
            return f"project = {parameters.text(change.project)}"
        return going(table, rows_of(change.project, runs, parameters), parameters)

    # ── looking ────────────────────────────────────────────────────────────

    def _live(self, project: str) -> list[str]:
        return self._of_runs(project, 0)

    def _hidden(self, project: str) -> list[str]:
        return self._of_runs(project, 1)

    def _of_runs(self, project: str, is_deleted: int) -> list[str]:
        parameters = Parameters()
        sql = f"""
SELECT run_id FROM {self._database}.{tables.RUNS} WHERE project = {parameters.text(project)}
GROUP BY run_id HAVING argMax(is_deleted, ver) = {is_deleted} ORDER BY run_id"""
        return [str(run) for (run,) in self._clickhouse.query_rows(sql, parameters.values)]

    def needed(self, project: str) -> set[str]:
        """Return the deleted runs whose points a living run shows."""
        parameters = Parameters()
        sql = f"""
SELECT DISTINCT run_id, parent_run_id FROM {self._database}.{tables.BRANCHES} FINAL
WHERE project = {parameters.text(project)} AND parent_run_id != run_id"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        forks = [(str(child), str(parent)) for child, parent in rows]
        return kept_alive(forks, set(self._hidden(project))) if forks else set()

    def _merged_into(self, ref: RunRef) -> list[str]:
        """Return the runs that were merged into this one: they are part of it."""
        merges = self._book.list_changes(
            ref.project, run_id=ref.run_id, kinds=(ChangeKind.MERGE,), limit=10_000
        )
        hidden = set(self._hidden(ref.project))
        return sorted({run for each in merges for run in each.request["sources"]} & hidden)

    def _has_artifacts(self, project: str) -> bool:
        parameters = Parameters()
        sql = f"""
SELECT count() FROM {self._database}.{tables.ARTIFACT_VERSIONS}
WHERE project = {parameters.text(project)}"""
        return bool(self._clickhouse.query_rows(sql, parameters.values)[0][0])
