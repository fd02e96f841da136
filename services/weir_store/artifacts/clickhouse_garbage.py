"""What nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from weir_store import tables
from weir_store.artifacts.assemble import version_of
from weir_store.artifacts.clickhouse_tables import Questions, live
from weir_store.artifacts.clickhouse_versions import COLUMNS
from weir_store.artifacts.forks import kept_alive
from weir_store.artifacts.records import BegunUpload, LooseBlob, Mark, VersionPage
from weir_store.parameters import Parameters

_DIGESTS: Final = "arrayJoin(extractAll({column}, '[0-9a-f]{{64}}'))"


class GarbageQuestions(Questions):
    """Implements base.GarbageReader."""

    def list_ended(self, project: str, now_unix_us: int) -> VersionPage:
        """See `base.GarbageReader.list_ended`."""
        p = Parameters()
        now = p.whole(now_unix_us)
        sql = f"""
SELECT {COLUMNS} FROM {self._versions()}
WHERE project = {p.text(project)} AND (state = 'deleted'
  OR (state = 'live' AND expires_us != 0 AND expires_us <= {now}))
ORDER BY name, version"""
        versions = [version_of(row) for row in self._rows(sql, p)]
        return VersionPage(versions, len(versions))

    def list_loose_manifests(
        self, project: str, *, now_unix_us: int, before_unix_us: int
    ) -> list[tuple[str, int]]:
        """See `base.GarbageReader.list_loose_manifests`."""
        p = Parameters()
        of = f"project = {p.text(project)}"
        sql = f"""
SELECT digest, max(ver) AS newest FROM {self._table(tables.ARTIFACT_FILES)} FINAL
WHERE {of} AND digest NOT IN (SELECT digest FROM {self._versions()} WHERE {of} AND {live(p, now_unix_us)})
GROUP BY digest HAVING newest < {p.whole(before_unix_us)} ORDER BY digest"""
        return [(digest, int(ver)) for digest, ver in self._rows(sql, p)]

    def stream_loose_blobs(self, project: str, now_unix_us: int) -> Iterator[list[LooseBlob]]:
        """See `base.GarbageReader.stream_loose_blobs`."""
        p = Parameters()
        of = f"project = {p.text(project)}"
        sql = f"""
SELECT b.sha256 AS sha256, b.size AS size, t.us AS us, b.ver AS ver
FROM (SELECT sha256, size, ver FROM {self._table(tables.BLOBS)} FINAL
  WHERE {of} AND sha256 NOT IN ({self._named_blobs(project, now_unix_us, p)})) AS b
LEFT JOIN (SELECT sha256, max(toUnixTimestamp64Micro(touched_at)) AS us
  FROM {self._table(tables.BLOB_TOUCHES)} WHERE {of} GROUP BY sha256) AS t ON b.sha256 = t.sha256
ORDER BY sha256"""
        for rows in self._pieces(sql, p):
            yield [
                LooseBlob(row["sha256"], row["size"], row["us"] or 0, row["ver"]) for row in rows
            ]

    def read_condemned(
        self, project: str, collection: UUID, *, now_unix_us: int, touched_before_unix_us: int
    ) -> set[str]:
        """See `base.GarbageReader.read_condemned`."""
        p = Parameters()
        of = f"project = {p.text(project)}"
        sql = f"""
SELECT sha256 FROM {self._table(tables.BLOB_MARKS)} FINAL
WHERE {of} AND toString(collection) = {p.text(str(collection))}
  AND sha256 NOT IN (SELECT sha256 FROM {self._table(tables.BLOB_TOUCHES)}
    WHERE {of} AND toUnixTimestamp64Micro(touched_at) >= {p.whole(touched_before_unix_us)})
  AND sha256 NOT IN ({self._named_blobs(project, now_unix_us, p)})"""
        return {sha256 for (sha256,) in self._rows(sql, p)}

    def list_begun(self, project: str, *, before_unix_us: int) -> list[BegunUpload]:
        """See `base.GarbageReader.list_begun`."""
        p = Parameters()
        sql = f"""
SELECT sha256, upload_id, size, part_bytes, toUnixTimestamp64Micro(begun_at) AS us
FROM {self._table(tables.BLOB_UPLOADS)} FINAL
WHERE project = {p.text(project)} AND us < {p.whole(before_unix_us)} ORDER BY us, upload_id LIMIT 10000"""
        return [BegunUpload(*row) for row in self._rows(sql, p)]

    def list_marks(self, project: str) -> list[Mark]:
        """See `base.GarbageReader.list_marks`."""
        p = Parameters()
        sql = f"""
SELECT sha256, collection, toUnixTimestamp64Micro(marked_at) FROM {self._table(tables.BLOB_MARKS)} FINAL
WHERE project = {p.text(project)} ORDER BY sha256, toString(collection)"""
        return [Mark(sha256, UUID(str(by)), int(us)) for sha256, by, us in self._rows(sql, p)]

    def _named_blobs(self, project: str, now_unix_us: int, p: Parameters) -> str:
        """Return a subquery of every sha256 that something names.

        Any 64 hex digits in what a run file or a media point says count, so that nothing that is
        named is ever removed because its name was written in a way nobody thought of.
        """
        of = f"project = {p.text(project)}"
        files = f"""
SELECT sha256 FROM {self._table(tables.ARTIFACT_FILES)} FINAL WHERE {of} AND digest IN (
  SELECT digest FROM {self._versions()} WHERE {of} AND {live(p, now_unix_us)})"""
        runs = f"{of} AND run_id NOT IN ({self._dead_runs(project, p)})"
        run_files = f"""
SELECT {_DIGESTS.format(column="str")} FROM {self._table(tables.RUN_ATTRS)} FINAL
WHERE {runs} AND ns = 'file'"""
        media = f"""
SELECT {_DIGESTS.format(column="value")} FROM {self._table(tables.TEXT_POINTS)}
WHERE {runs} AND kind = 'media'"""
        return " UNION ALL ".join((files, run_files, media))

    def _dead_runs(self, project: str, p: Parameters) -> str:
        """Return a subquery of deleted runs, but for those whose history a living run shows."""
        of = f"project = {p.text(project)}"
        dead = f"""
SELECT toString(run_id) FROM {self._table(tables.RUNS)} WHERE {of}
GROUP BY run_id HAVING argMax(is_deleted, ver) = 1"""
        return f"{dead} AND run_id NOT IN {p.texts(self._ancestors(project, dead, p))}"

    def _ancestors(self, project: str, dead: str, p: Parameters) -> list[str]:
        sql = f"""
SELECT DISTINCT run_id, parent_run_id FROM {self._table(tables.BRANCHES)} FINAL
WHERE project = {p.text(project)} AND parent_run_id != run_id"""
        forks = [(child, parent) for child, parent in self._rows(sql, p)]
        if not forks:
            return []
        deleted = {run_id for (run_id,) in self._rows(dead, p)}
        return sorted(kept_alive(forks, deleted))
