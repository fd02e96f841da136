"""What the artifact tables tell, as values. Times are Unix µs; 0 where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

LATEST = "latest"
"""The alias nobody sets: the highest version that is not deleted."""


class State(StrEnum):
    """Where a version stands."""

    LIVE = "live"
    DELETED = "deleted"  # by a person; hidden
    GONE = "gone"  # collected: its files may not be there any more
    VOID = "void"  # its number was given to another content first


class AliasKind(StrEnum):
    """Whose name an alias is."""

    ARTIFACT = "artifact"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that is in the object store, whole; `ver` is that of its row."""

    sha256: str
    size_bytes: int
    etag: str
    stored_unix_us: int
    ver: int


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a manifest.

    Attributes:
        path: Relative, with `/`.
        sha256: Names the blob; empty for a reference.
        size_bytes: How long it is; 0 when not known, of references only.
        mime: What it is, as told.
        uri: Of a reference, where the bytes are.
        etag: Of a reference, what its store said of its content.
    """

    path: str
    sha256: str
    size_bytes: int
    mime: str = ""
    uri: str = ""
    etag: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A blob that a manifest names, and what is known of it.

    Attributes:
        sha256: Names it.
        size_bytes: As the manifest says.
        stored_bytes: As it lies in the store; None when it is not there.
        touched_unix_us: When somebody last relied on it; 0 = never.
    """

    sha256: str
    size_bytes: int
    stored_bytes: int | None
    touched_unix_us: int


@dataclass(frozen=True, slots=True)
class ArtifactVersion:
    """One version; `aliases` with `latest` where it is, `expires_unix_us` 0 = never."""

    project: str
    name: str
    version: int
    digest: str
    type: str
    run_id: str
    description: str
    metadata_json: str
    size_bytes: int
    files: int
    created_unix_us: int
    created_by: str
    expires_unix_us: int
    state: State = State.LIVE
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionQuery:
    """Which versions; empty = any. Newest first.

    Attributes:
        project: Theirs.
        now_unix_us: Versions that have expired by then are hidden.
        name: Of the artifact.
        version: The number.
        digest: Of the manifest.
        numbers: These (name, version) and no others; None = any.
        states: Where they may stand; expired ones are hidden only from those who ask for live ones.
        limit: At most so many, 0 = all.
        offset: Skipped.
    """

    project: str
    now_unix_us: int
    name: str = ""
    version: int | None = None
    digest: str = ""
    numbers: tuple[tuple[str, int], ...] | None = None
    states: tuple[State, ...] = (State.LIVE,)
    limit: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class VersionPage:
    """Versions, and how many match in all."""

    versions: Sequence[ArtifactVersion]
    total: int


@dataclass(frozen=True, slots=True)
class ArtifactSummary:
    """An artifact: its newest version, how many there are, and their bytes, equal files counted once."""

    latest: ArtifactVersion
    versions: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ArtifactPage:
    """Artifacts by when they last changed, newest first, and how many match in all."""

    artifacts: Sequence[ArtifactSummary]
    total: int


@dataclass(frozen=True, slots=True)
class Edge:
    """A run made (`is_output`) or read a version.

    Attributes:
        project: Of the run.
        run_id: The run.
        artifact_project: Of the version.
        name: Of the artifact.
        version: Its number.
        is_output: The run made it.
        at_unix_us: When.
    """

    project: str
    run_id: str
    artifact_project: str
    name: str
    version: int
    is_output: bool
    at_unix_us: int


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A change of a model version; the newest one says where the version stands."""

    model: str
    version: int
    artifact: str
    artifact_version: int
    run_id: str
    created_unix_us: int
    stage: str
    aliases: tuple[str, ...]
    note: str
    by: str
    at_unix_us: int


@dataclass(frozen=True, slots=True)
class Webhook:
    """Who is told of changes; no `kinds` = of all."""

    url: str
    kinds: tuple[str, ...]
    secret: str
    created_by: str = ""


@dataclass(frozen=True, slots=True)
class LooseBlob:
    """A stored blob that nothing names."""

    sha256: str
    size_bytes: int
    touched_unix_us: int
    ver: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A blob that a collection is about to remove."""

    sha256: str
    collection: UUID
    marked_unix_us: int


@dataclass(frozen=True, slots=True)
class BegunUpload:
    """An upload in parts that was begun and not finished."""

    sha256: str
    upload_id: str
    size_bytes: int
    part_bytes: int
    begun_unix_us: int
