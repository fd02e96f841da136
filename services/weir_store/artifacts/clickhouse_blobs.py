"""Which bytes are there, and what manifests name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from weir_store import tables
from weir_store.artifacts.clickhouse_tables import Questions
from weir_store.artifacts.records import ManifestFile, Need, StoredBlob
from weir_store.parameters import Parameters


class BlobQuestions(Questions):
    """Implements base.BlobReader and base.ManifestReader."""

    def read_blobs(self, project: str, sha256s: Sequence[str]) -> Mapping[str, StoredBlob]:
        """See `base.BlobReader.read_blobs`."""
        p = Parameters()
        sql = f"""
SELECT sha256, size, etag, toUnixTimestamp64Micro(stored_at), ver FROM {self._table(tables.BLOBS)} FINAL
WHERE project = {p.text(project)} AND sha256 IN {p.texts(sha256s)}"""
        return {row[0]: StoredBlob(*row) for row in self._rows(sql, p)} if sha256s else {}

    def read_touches(self, project: str, sha256s: Sequence[str]) -> Mapping[str, int]:
        """See `base.BlobReader.read_touches`."""
        p = Parameters()
        sql = f"""
SELECT sha256, max(toUnixTimestamp64Micro(touched_at)) FROM {self._table(tables.BLOB_TOUCHES)}
WHERE project = {p.text(project)} AND sha256 IN {p.texts(sha256s)} GROUP BY sha256"""
        return dict(self._rows(sql, p)) if sha256s else {}

    def read_marked(self, project: str, sha256s: Sequence[str], *, since_unix_us: int) -> set[str]:
        """See `base.BlobReader.read_marked`."""
        p = Parameters()
        sql = f"""
SELECT DISTINCT sha256 FROM {self._table(tables.BLOB_MARKS)} FINAL
WHERE project = {p.text(project)} AND sha256 IN {p.texts(sha256s)}
  AND toUnixTimestamp64Micro(marked_at) >= {p.whole(since_unix_us)}"""
        return {sha256 for (sha256,) in self._rows(sql, p)} if sha256s else set()

    def stream_files(
        self, project: str, digest: str, *, prefix: str = ""
    ) -> Iterator[list[ManifestFile]]:
        """See `base.ManifestReader.stream_files`."""
        p = Parameters()
        sql = f"""
SELECT path, sha256, size, mime, uri, etag FROM {self._table(tables.ARTIFACT_FILES)} FINAL
WHERE project = {p.text(project)} AND digest = {p.text(digest)} AND startsWith(path, {p.text(prefix)})
ORDER BY path"""
        for rows in self._pieces(sql, p):
            yield [
                ManifestFile(
                    row["path"], row["sha256"], row["size"], row["mime"], row["uri"], row["etag"]
                )
                for row in rows
            ]

    def stream_needs(self, project: str, digest: str) -> Iterator[list[Need]]:
        """See `base.ManifestReader.stream_needs`."""
        p = Parameters()
        of = f"project = {p.text(project)}"
        named = f"""
SELECT DISTINCT sha256, size FROM {self._table(tables.ARTIFACT_FILES)} FINAL
WHERE {of} AND digest = {p.text(digest)} AND sha256 != ''"""
        sql = f"""
SELECT n.sha256 AS sha256, n.size AS size, b.there AS there, b.size AS stored, t.us AS us
FROM ({named}) AS n
LEFT JOIN (SELECT sha256, size, 1 AS there FROM {self._table(tables.BLOBS)} FINAL
  WHERE {of} AND sha256 IN (SELECT sha256 FROM ({named}))) AS b ON n.sha256 = b.sha256
LEFT JOIN (SELECT sha256, max(toUnixTimestamp64Micro(touched_at)) AS us FROM {self._table(tables.BLOB_TOUCHES)}
  WHERE {of} AND sha256 IN (SELECT sha256 FROM ({named})) GROUP BY sha256) AS t ON n.sha256 = t.sha256"""
        for rows in self._pieces(sql, p):
            yield [
                Need(
                    row["sha256"],
                    row["size"],
                    row["stored"] if row["there"] else None,
                    row["us"] or 0,
                )
                for row in rows
            ]

    def count_marked(self, project: str, digest: str, *, since_unix_us: int) -> int:
        """See `base.ManifestReader.count_marked`."""
        p = Parameters()
        of = f"project = {p.text(project)}"
        sql = f"""
SELECT uniqExact(sha256) FROM {self._table(tables.BLOB_MARKS)} FINAL
WHERE {of} AND toUnixTimestamp64Micro(marked_at) >= {p.whole(since_unix_us)} AND sha256 IN (
  SELECT sha256 FROM {self._table(tables.ARTIFACT_FILES)} FINAL WHERE {of} AND digest = {p.text(digest)})"""
        ((count,),) = self._rows(sql, p)
        return int(count)
