"""How artifacts are asked about: `ArtifactReader`. What is written goes through `editor.py`.

Two implementations judged by one suite (tests/contract/test_artifacts.py):
ClickHouse and memory. Safe from any thread; every call may raise
`StoreUnavailable`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol
from uuid import UUID

from weir_store.artifacts.records import (
    AliasKind,
    ArtifactPage,
    BegunUpload,
    Edge,
    LooseBlob,
    ManifestFile,
    Mark,
    ModelChange,
    Need,
    StoredBlob,
    VersionPage,
    VersionQuery,
    Webhook,
)
from weir_store.records import Event


class BlobReader(Protocol):
    """Which bytes are there."""

    def read_blobs(self, project: str, sha256s: Sequence[str]) -> Mapping[str, StoredBlob]:
        """Return those of these blobs that are stored; at most 1 000 at once."""
        ...

    def read_touches(self, project: str, sha256s: Sequence[str]) -> Mapping[str, int]:
        """Return when somebody last relied on these blobs, Unix µs; absent = never."""
        ...

    def read_marked(self, project: str, sha256s: Sequence[str], *, since_unix_us: int) -> set[str]:
        """Return those of these blobs that a garbage collection has marked since then."""
        ...


class ManifestReader(Protocol):
    """Which files a digest stands for."""

    def stream_files(
        self, project: str, digest: str, *, prefix: str = ""
    ) -> Iterator[list[ManifestFile]]:
        """Yield a manifest's files by path, in bounded pieces; nothing for an unknown digest."""
        ...

    def stream_needs(self, project: str, digest: str) -> Iterator[list[Need]]:
        """Yield every blob a manifest names, each size once, in bounded pieces; references not."""
        ...

    def count_marked(self, project: str, digest: str, *, since_unix_us: int) -> int:
        """Return how many of a manifest's blobs a garbage collection has marked since then."""
        ...


class VersionReader(Protocol):
    """Which artifacts there are."""

    def list_versions(self, query: VersionQuery) -> VersionPage:
        """Return versions that match, newest first."""
        ...

    def list_artifacts(
        self,
        project: str,
        *,
        now_unix_us: int,
        type: str = "",
        search: str = "",
        limit: int = 100,
        offset: int = 0,
    ) -> ArtifactPage:
        """Return artifacts that have a live version; `search` is part of the name, any case."""
        ...

    def highest_version(self, project: str, name: str, *, live_at_unix_us: int = 0) -> int:
        """Return the highest number ever stored for an artifact; -1 = none.

        Deleted ones count, unless one asks for those that are live at a moment.
        """
        ...

    def read_alias(self, project: str, kind: AliasKind, name: str, alias: str) -> int | None:
        """Return where an alias points; the version may be deleted. `latest` is not stored."""
        ...

    def read_edges_of_runs(self, runs: Sequence[tuple[str, str]]) -> list[Edge]:
        """Return what these (project, run_id) made and read, by time; at most 10 001."""
        ...

    def read_edges_of_versions(self, versions: Sequence[tuple[str, str, int]]) -> list[Edge]:
        """Return which runs made and read these (project, name, version), by time; at most 10 001."""
        ...


class ModelReader(Protocol):
    """Which models are registered, and who is told."""

    def list_models(self, project: str, model: str = "") -> list[ModelChange]:
        """Return where every version of a model stands, newest version first; "" = each model's newest."""
        ...

    def list_changes(self, project: str, model: str) -> list[ModelChange]:
        """Return every change of a model's versions, newest first; at most 10 000."""
        ...

    def highest_model_version(self, project: str, model: str) -> int:
        """Return the highest number ever stored for a model; 0 = none."""
        ...

    def list_registered(self, project: str, artifact: str) -> list[tuple[str, int, int]]:
        """Return (model, its version, the artifact's version) made of an artifact, by model."""
        ...

    def list_webhooks(self, project: str) -> list[Webhook]:
        """Return a project's webhooks by URL, secrets and all."""
        ...

    def list_notices(self, project: str, kinds: Sequence[str], limit: int) -> list[Event]:
        """Return what happened to a project as a whole, newest first; no `kinds` = all."""
        ...


class GarbageReader(Protocol):
    """What nobody needs any more.

    A blob is named by the manifests of versions that are live and have not
    expired, by the run files and media of runs that were not deleted, and by
    those of deleted runs that another run was forked from.
    """

    def list_ended(self, project: str, now_unix_us: int) -> VersionPage:
        """Return versions that were deleted or have expired, and were not collected yet."""
        ...

    def list_loose_manifests(
        self, project: str, *, now_unix_us: int, before_unix_us: int
    ) -> list[tuple[str, int]]:
        """Return digests written last before then that no live version has, and when they were."""
        ...

    def stream_loose_blobs(self, project: str, now_unix_us: int) -> Iterator[list[LooseBlob]]:
        """Yield stored blobs that nothing names, young ones too, in bounded pieces."""
        ...

    def read_condemned(
        self, project: str, collection: UUID, *, now_unix_us: int, touched_before_unix_us: int
    ) -> set[str]:
        """Return what this collection has marked, that nothing names and nobody touched since."""
        ...

    def list_begun(self, project: str, *, before_unix_us: int) -> list[BegunUpload]:
        """Return uploads that were begun before then and not finished; at most 10 000, oldest first."""
        ...

    def list_marks(self, project: str) -> list[Mark]:
        """Return all marks of a project: of collections that run, or were cut off."""
        ...


class ArtifactReader(
    BlobReader, ManifestReader, VersionReader, ModelReader, GarbageReader, Protocol
):
    """All of it."""
