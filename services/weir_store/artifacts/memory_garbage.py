"""What nobody needs any more, from rows in memory."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from weir_store import tables
from weir_store.artifacts.forks import kept_alive
from weir_store.artifacts.memory_versions import VersionAnswers, is_live
from weir_store.artifacts.records import BegunUpload, LooseBlob, Mark, State, VersionPage
from weir_store.memory_rows import unix_us

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class GarbageAnswers(VersionAnswers):
    """Implements base.GarbageReader."""

    def list_ended(self, project: str, now_unix_us: int) -> VersionPage:
        """See `base.GarbageReader.list_ended`."""
        ended = [
            each
            for each in self._all(project)
            if each.state in (State.LIVE, State.DELETED) and not is_live(each, now_unix_us)
        ]
        return VersionPage(sorted(ended, key=lambda each: (each.name, each.version)), len(ended))

    def list_loose_manifests(
        self, project: str, *, now_unix_us: int, before_unix_us: int
    ) -> list[tuple[str, int]]:
        """See `base.GarbageReader.list_loose_manifests`."""
        newest: defaultdict[str, int] = defaultdict(int)
        for row in self._of(tables.ARTIFACT_FILES, project):
            newest[row["digest"]] = max(newest[row["digest"]], row["ver"])
        kept = self._live_digests(project, now_unix_us)
        return sorted(
            (digest, ver)
            for digest, ver in newest.items()
            if digest not in kept and ver < before_unix_us
        )

    def stream_loose_blobs(self, project: str, now_unix_us: int) -> Iterator[list[LooseBlob]]:
        """See `base.GarbageReader.stream_loose_blobs`."""
        named, touches = self._named_blobs(project, now_unix_us), self._touched(project)
        loose = [
            LooseBlob(row["sha256"], row["size"], touches.get(row["sha256"], 0), row["ver"])
            for row in self._of(tables.BLOBS, project)
            if row["sha256"] not in named
        ]
        if loose:
            yield loose

    def read_condemned(
        self, project: str, collection: UUID, *, now_unix_us: int, touched_before_unix_us: int
    ) -> set[str]:
        """See `base.GarbageReader.read_condemned`."""
        marked = {mark.sha256 for mark in self.list_marks(project) if mark.collection == collection}
        young = {
            sha256 for sha256, at in self._touched(project).items() if at >= touched_before_unix_us
        }
        return marked - young - self._named_blobs(project, now_unix_us)

    def list_begun(self, project: str, *, before_unix_us: int) -> list[BegunUpload]:
        """See `base.GarbageReader.list_begun`."""
        begun = [
            BegunUpload(
                row["sha256"],
                row["upload_id"],
                row["size"],
                row["part_bytes"],
                unix_us(row["begun_at"]),
            )
            for row in self._of(tables.BLOB_UPLOADS, project)
        ]
        old = [each for each in begun if each.begun_unix_us < before_unix_us]
        return sorted(old, key=lambda each: (each.begun_unix_us, each.upload_id))[:10_000]

    def list_marks(self, project: str) -> list[Mark]:
        """See `base.GarbageReader.list_marks`."""
        marks = [
            Mark(row["sha256"], UUID(bytes=row["collection"]), unix_us(row["marked_at"]))
            for row in self._of(tables.BLOB_MARKS, project)
        ]
        return sorted(marks, key=lambda mark: (mark.sha256, str(mark.collection)))

    def _touched(self, project: str) -> dict[str, int]:
        rows = self._of(tables.BLOB_TOUCHES, project)
        return {row["sha256"]: unix_us(row["touched_at"]) for row in rows}

    def _live_digests(self, project: str, now_unix_us: int) -> set[str]:
        return {each.digest for each in self._all(project) if is_live(each, now_unix_us)}

    def _named_blobs(self, project: str, now_unix_us: int) -> set[str]:
        live, dead = self._live_digests(project, now_unix_us), self._dead_runs(project)
        named = {
            row["sha256"]
            for row in self._of(tables.ARTIFACT_FILES, project)
            if row["digest"] in live
        }
        for row in self._of(tables.RUN_ATTRS, project):
            if row["ns"] == "file" and row["run_id"] not in dead:
                named.update(_DIGEST.findall(row["str"]))
        for row in self._of(tables.TEXT_POINTS, project):
            if row["kind"] == "media" and row["run_id"] not in dead:
                named.update(_DIGEST.findall(row["value"]))
        return named

    def _dead_runs(self, project: str) -> set[str]:
        rows = self._store.list_rows(tables.RUNS, removed=True)
        dead = {r["run_id"] for r in rows if r["project"] == project and r["is_deleted"]}
        forks = [
            (row["run_id"], row["parent_run_id"])
            for row in self._of(tables.BRANCHES, project)
            if row["run_id"] != row["parent_run_id"]
        ]
        return dead - kept_alive(forks, dead)
