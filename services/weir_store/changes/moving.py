"""Moving runs to another project, and renaming a project, which is moving all it has.

Rows are copied under the new name, the run becomes visible there last, and is then hidden and freed where
it was. Blobs that its files and media name are copied in the object store, because projects share nothing
there. Artifacts and models belong to a project: they stay when runs move (what runs made and read stays
on record across projects), and go along when the whole project does.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from weir_store import tables
from weir_store.changes.base import Change, ChangeKind, Refusal
from weir_store.changes.book import ChangeBook
from weir_store.changes.measure import AUDIT_KINDS, OF_PROJECTS, OF_RUNS, rows_of
from weir_store.changes.sql import COPYING, Remover
from weir_store.clickhouse import ClickHouse
from weir_store.editor import TOMBSTONE_VER, Editor
from weir_store.errors import InvalidQuery, StoreUnavailable, UnknownProject, UnknownRun
from weir_store.objects.base import ObjectStore
from weir_store.objects.keys import blob_key
from weir_store.parameters import Parameters
from weir_store.records import RunRef
from weir_store.shown_refresh import rebuild

_BY_VIEWS: Final = frozenset({"series", "points_64", tables.POINT_LIVES})
_ROWS_AT_ONCE: Final = 20_000_000
_DIGESTS: Final = "arrayJoin(extractAll({column}, '[0-9a-f]{{64}}'))"
_KEPT_IN_MEMORY: Final = 64 << 20


class Moving:
    """Asks for moves, and carries them out; every step may be done twice."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        editor: Editor,
        book: ChangeBook,
        remover: Remover,
        objects: ObjectStore | None = None,
    ) -> None:
        """Prepare; without `objects` runs that have files are not moved."""
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._editor = editor
        self._book = book
        self._remover = remover
        self._objects = objects

    def ask(
        self,
        project: str,
        runs: Sequence[str],
        target: str,
        *,
        by: str,
        at_unix_us: int,
        reason: str = "",
    ) -> Change:
        """Return the change that moves runs, or with no runs the whole project; nothing is stored yet.

        Whoever asks makes sure that none of the runs is live.

        Raises:
            UnknownRun: One of them is not there.
            Held: There is a legal hold on one of them.
            Refusal: The target has a run of that id; or a run would leave behind its parent or a fork.
        """
        if not target or target == project:
            raise InvalidQuery(f"{target!r} is no other project")
        living = self._runs(project, deleted=False)
        whole = not runs
        if whole and not living:
            raise UnknownProject(f"no project {project!r}")
        moved = sorted(set(runs)) or living
        for run_id in moved:
            if run_id not in living:
                raise UnknownRun.of(project, run_id)
        if whole:
            self._book.refuse_held(project)
            moved = sorted({*living, *self._runs(project, deleted=True)})
        for run_id in moved:
            self._book.refuse_held(project, run_id)
        self._refuse_taken(target, moved)
        if not whole:
            self._refuse_families(project, moved)
        elif self._has_artifacts(target):
            raise Refusal(
                f"project {target!r} has artifacts of its own", hint="choose a name that is free"
            )
        request = {"runs": moved, "target": target, "whole": whole}
        only = moved[0] if len(moved) == 1 and not whole else ""
        return Change(
            uuid.uuid4(), project, only, ChangeKind.MOVE, by, at_unix_us, reason, request=request
        )

    def move(self, change: Change, now_unix_us: int) -> dict[str, Any]:
        """Carry out a move; return what its receipt has to say."""
        asked, project = change.request, change.project
        runs, target, whole = asked["runs"], asked["target"], asked["whole"]
        blobs = self._copy_blobs(project, runs, target, now_unix_us, whole=whole)
        for table in (*OF_RUNS, tables.BRANCHES):
            if table not in _BY_VIEWS:
                self._copy(table, rows_of, project, runs, target, before_unix_us=change.at_unix_us)
        if whole:
            for table in OF_PROJECTS:
                self._copy(table, _of_project, project, runs, target)
            self._point_lineage_to(project, target)
        # Last: now they are there.
        self._copy(tables.RUNS, rows_of, project, runs, target, before_unix_us=change.at_unix_us)
        rebuild(self._clickhouse, self._database)
        self._check_copied(project, runs, target)
        named = [run for run in runs if run in set(self._runs(project, deleted=False))]
        for run_id in runs:
            title = f"{change.by} moved the run from {project} to {target}"
            self._tell(change, target, run_id, title)
        for run_id in named:
            ref = RunRef(project, run_id)
            self._editor.delete_run(ref, by=change.by, at_unix_us=change.at_unix_us)
        self._free(project, runs, whole=whole)
        return {"runs": len(runs), "target": target, "blobs": blobs}

    # ── refusing ───────────────────────────────────────────────────────────

    def _refuse_taken(self, target: str, runs: Sequence[str]) -> None:
        parameters = Parameters()
        sql = f"""
SELECT DISTINCT run_id FROM {self._database}.{tables.RUNS} WHERE {rows_of(target, runs, parameters)}
ORDER BY run_id LIMIT 1"""
        for (run_id,) in self._clickhouse.query_rows(sql, parameters.values):
            raise Refusal(f"project {target!r} has, or had, a run {run_id!r}")

    def _refuse_families(self, project: str, runs: Sequence[str]) -> None:
        parameters = Parameters()
        sql = f"""
SELECT run_id, parent_run_id FROM {self._database}.{tables.BRANCHES} FINAL
WHERE project = {parameters.text(project)} AND parent_run_id != run_id ORDER BY run_id"""
        moved = set(runs)
        for child, parent in self._clickhouse.query_rows(sql, parameters.values):
            if (child in moved) is not (parent in moved):
                raise Refusal(
                    f"run {child!r} was forked from {parent!r} and shows its points",
                    hint=f"move both: weir move {project}/{child} {project}/{parent} …",
                )

    # ── copying ────────────────────────────────────────────────────────────

    def _copy(
        self,
        table: str,
        of: Callable[[str, Sequence[str], Parameters], str],
        project: str,
        runs: Sequence[str],
        target: str,
        *,
        before_unix_us: int = 0,
    ) -> None:
        """Copy rows under the new project's name; copied again they are the same rows.

        What this very move says of the old ones, tombstones and events, is not copied.
        """
        for pack in self._packs(table, project, runs):
            parameters = Parameters()
            where = of(project, runs, parameters)
            if table == tables.RUNS:
                where += (
                    f" AND ver < toUInt64({parameters.text(str(TOMBSTONE_VER + before_unix_us))})"
                )
            if table == tables.EVENTS:
                moment = parameters.whole(before_unix_us)
                where += f" AND NOT (source = 'server' AND toUnixTimestamp64Micro(ts) = {moment})"
            if pack is not None:
                where += f" AND metric IN {parameters.texts(pack)}"
            renamed = f"* REPLACE ({parameters.text(target)} AS project)"
            # The condition inside: beside the new name ClickHouse would take it for the column.
            sql = f"""
INSERT INTO {self._database}.{table}
SELECT {renamed} FROM (SELECT * FROM {self._database}.{table} WHERE {where})"""
            self._clickhouse.command(sql, parameters.values, COPYING)

    def _packs(self, table: str, project: str, runs: Sequence[str]) -> Iterator[list[str] | None]:
        """Yield metrics in packs, so that no statement copies too much; None = whatever there is."""
        if table != tables.POINTS:
            yield None
            return
        parameters = Parameters()
        sql = f"""
SELECT metric, count() FROM {self._database}.{table} WHERE {rows_of(project, runs, parameters)}
GROUP BY metric ORDER BY metric"""
        pack: list[str] = []
        size = 0
        for metric, rows in self._clickhouse.query_rows(sql, parameters.values):
            if pack and size + rows > _ROWS_AT_ONCE:
                yield pack
                pack, size = [], 0
            pack.append(metric)
            size += rows
        if pack:
            yield pack

    def _copy_blobs(
        self, project: str, runs: Sequence[str], target: str, now_unix_us: int, *, whole: bool
    ) -> int:
        """Copy the bytes that files and media of the runs name, then their rows."""
        parameters = Parameters()
        of = f"project = {parameters.text(project)}"
        if not whole:
            where = rows_of(project, runs, parameters)
            of += f""" AND sha256 IN (
  SELECT {_DIGESTS.format(column="str")} FROM {self._database}.{tables.RUN_ATTRS} FINAL
  WHERE {where} AND ns = 'file'
  UNION ALL SELECT {_DIGESTS.format(column="value")} FROM {self._database}.{tables.TEXT_POINTS}
  WHERE {where} AND kind = 'media')"""
        sql = f"SELECT sha256, size FROM {self._database}.{tables.BLOBS} FINAL WHERE {of}"
        found = self._clickhouse.query_rows(sql, parameters.values)
        for sha256, size in found:
            self._copy_object(blob_key(project, sha256), blob_key(target, sha256), int(size))
        if found:
            new = Parameters()
            digests = new.texts([sha256 for sha256, _ in found])
            into, moved = new.text(target), f"project = {new.text(project)} AND sha256 IN {digests}"
            touched = f"fromUnixTimestamp64Micro({new.whole(now_unix_us)}, 'UTC')"
            for sql in (
                f"""INSERT INTO {self._database}.{tables.BLOB_TOUCHES} (project, sha256, touched_at, ver)
SELECT {into}, sha256, {touched}, toUInt64({new.whole(now_unix_us)})
FROM {self._database}.{tables.BLOBS} FINAL WHERE {moved}""",
                f"""INSERT INTO {self._database}.{tables.BLOBS}
SELECT * REPLACE ({into} AS project)
FROM (SELECT * FROM {self._database}.{tables.BLOBS} FINAL WHERE {moved})""",
            ):
                self._clickhouse.command(sql, new.values, COPYING)
        return len(found)

    def _copy_object(self, source: str, target: str, size_bytes: int) -> None:
        if self._objects is None:
            raise StoreUnavailable("the runs have files, and the object store is not at hand here")
        there = self._objects.stat(target)
        if there is not None and there.size_bytes == size_bytes:
            return
        content = _Reading(self._objects.read(source))
        self._objects.write(target, io.BufferedReader(content, _KEPT_IN_MEMORY), size_bytes)

    def _point_lineage_to(self, project: str, target: str) -> None:
        """Let what other projects' runs read of this one's artifacts name the new project."""
        parameters = Parameters()
        renamed = f"* REPLACE ({parameters.text(target)} AS artifact_project)"
        where = f"artifact_project = {parameters.text(project)}"
        sql = f"""
INSERT INTO {self._database}.{tables.LINEAGE}
SELECT {renamed} FROM (SELECT * FROM {self._database}.{tables.LINEAGE} WHERE {where})"""
        self._clickhouse.command(sql, parameters.values, COPYING)
        self._remover.remove(tables.LINEAGE, where, parameters)

    def _check_copied(self, project: str, runs: Sequence[str], target: str) -> None:
        """Raise `StoreUnavailable` when something is missing there: then nothing is freed here."""
        for table in OF_RUNS:
            counts = []
            for name in (project, target):
                parameters = Parameters()
                of = rows_of(name, runs, parameters)
                if table == tables.EVENTS:
                    of += " AND source = 'client'"
                sql = f"SELECT count() FROM {self._database}.{table} FINAL WHERE {of}"
                counts.append(int(self._clickhouse.query_rows(sql, parameters.values)[0][0]))
            if counts[1] < counts[0]:
                raise StoreUnavailable(
                    f"{counts[0]} rows of {table} were to be moved, {counts[1]} are there",
                    hint="nothing was taken away; it is tried again",
                )

    # ── leaving ────────────────────────────────────────────────────────────

    def _free(self, project: str, runs: Sequence[str], *, whole: bool) -> None:
        leaving = (*OF_RUNS, *OF_PROJECTS) if whole else OF_RUNS
        for table in leaving:
            parameters = Parameters()
            where = rows_of(project, runs, parameters)
            if table == tables.EVENTS:  # what was told of it there stays with the tombstone
                kinds = parameters.texts(list(AUDIT_KINDS))
                where += f" AND NOT (source = 'server' AND kind IN {kinds})"
            if table in OF_PROJECTS:
                where = f"project = {parameters.text(project)}"
            self._remover.start(table, where, parameters)
        for table in leaving:
            self._remover.wait(table)

    def _tell(self, change: Change, target: str, run_id: str, title: str) -> None:
        attrs = {"from": change.project, "to": target}
        self._book.tell(change, "moved", title, run_id, **attrs)
        self._book.tell(change, "moved", title, run_id, project=target, **attrs)

    # ── looking ────────────────────────────────────────────────────────────

    def _runs(self, project: str, *, deleted: bool) -> list[str]:
        parameters = Parameters()
        sql = f"""
SELECT run_id FROM {self._database}.{tables.RUNS} WHERE project = {parameters.text(project)}
GROUP BY run_id HAVING argMax(is_deleted, ver) = {int(deleted)} ORDER BY run_id"""
        return [str(run) for (run,) in self._clickhouse.query_rows(sql, parameters.values)]

    def _has_artifacts(self, project: str) -> bool:
        parameters = Parameters()
        sql = f"""
SELECT count() FROM {self._database}.{tables.ARTIFACT_VERSIONS}
WHERE project = {parameters.text(project)}"""
        return bool(self._clickhouse.query_rows(sql, parameters.values)[0][0])


def _of_project(project: str, _runs: Sequence[str], parameters: Parameters) -> str:
    return f"project = {parameters.text(project)}"


class _Reading(io.RawIOBase):
    """Bytes as they arrive, seen as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
