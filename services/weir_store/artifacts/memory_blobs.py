"""Which bytes are there, and what manifests name them, from rows in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from weir_store import tables
from weir_store.artifacts.records import ManifestFile, Need, StoredBlob
from weir_store.memory import MemoryStore, Row
from weir_store.memory_rows import unix_us


class Answers:
    """Looks into one store."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def _of(self, table: str, project: str) -> list[Row]:
        return [row for row in self._store.list_rows(table) if row["project"] == project]


class BlobAnswers(Answers):
    """Implements base.BlobReader and base.ManifestReader."""

    def read_blobs(self, project: str, sha256s: Sequence[str]) -> Mapping[str, StoredBlob]:
        """See `base.BlobReader.read_blobs`."""
        wanted = set(sha256s)
        rows = [row for row in self._of(tables.BLOBS, project) if row["sha256"] in wanted]
        return {
            row["sha256"]: StoredBlob(
                row["sha256"], row["size"], row["etag"], unix_us(row["stored_at"]), row["ver"]
            )
            for row in rows
        }

    def read_touches(self, project: str, sha256s: Sequence[str]) -> Mapping[str, int]:
        """See `base.BlobReader.read_touches`."""
        wanted, touches = set(sha256s), self._touches(project)
        return {sha256: at for sha256, at in touches.items() if sha256 in wanted}

    def read_marked(self, project: str, sha256s: Sequence[str], *, since_unix_us: int) -> set[str]:
        """See `base.BlobReader.read_marked`."""
        marked = {
            row["sha256"]
            for row in self._of(tables.BLOB_MARKS, project)
            if unix_us(row["marked_at"]) >= since_unix_us
        }
        return marked & set(sha256s)

    def stream_files(
        self, project: str, digest: str, *, prefix: str = ""
    ) -> Iterator[list[ManifestFile]]:
        """See `base.ManifestReader.stream_files`."""
        files = [file for file in self._manifest(project, digest) if file.path.startswith(prefix)]
        if files:
            yield files

    def stream_needs(self, project: str, digest: str) -> Iterator[list[Need]]:
        """See `base.ManifestReader.stream_needs`."""
        files = self._manifest(project, digest)
        named = {(file.sha256, file.size_bytes) for file in files if file.sha256}
        stored = self.read_blobs(project, [sha256 for sha256, _ in named])
        touches = self._touches(project)
        needs = [
            Need(
                sha256,
                size,
                stored[sha256].size_bytes if sha256 in stored else None,
                touches.get(sha256, 0),
            )
            for sha256, size in sorted(named)
        ]
        if needs:
            yield needs

    def count_marked(self, project: str, digest: str, *, since_unix_us: int) -> int:
        """See `base.ManifestReader.count_marked`."""
        named = sorted({file.sha256 for file in self._manifest(project, digest)})
        return len(self.read_marked(project, named, since_unix_us=since_unix_us))

    def _manifest(self, project: str, digest: str) -> list[ManifestFile]:
        return [
            ManifestFile(
                row["path"], row["sha256"], row["size"], row["mime"], row["uri"], row["etag"]
            )
            for row in self._of(tables.ARTIFACT_FILES, project)
            if row["digest"] == digest
        ]

    def _touches(self, project: str) -> dict[str, int]:
        rows = self._of(tables.BLOB_TOUCHES, project)
        return {row["sha256"]: unix_us(row["touched_at"]) for row in rows}
