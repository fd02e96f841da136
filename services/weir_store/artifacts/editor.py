"""What is written of artifacts: rows made here, stored through `Inserter.insert`, for both stores.

A row's version is the moment of the edit in Unix µs; the newest wins. Ends of
versions beat every edit, so that nothing brings a deleted version back.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pyarrow as pa

from weir_store import columns, tables
from weir_store.artifacts.records import (
    AliasKind,
    ArtifactVersion,
    BegunUpload,
    Edge,
    ManifestFile,
    Mark,
    ModelChange,
    State,
    StoredBlob,
    Webhook,
)
from weir_store.base import Inserter
from weir_store.editor import event_row
from weir_store.records import RunRef

BATCH_ROWS: Final = 50_000
_END_VER: Final = 1 << 63  # above every edit's


class ArtifactEditor:
    """Writes. Every method returns when it is stored, and may raise `StoreUnavailable`."""

    def __init__(self, inserter: Inserter) -> None:
        self._inserter = inserter

    # ── blobs ─────────────────────────────────────────────────────────────

    def touch_blobs(self, project: str, sha256s: Iterable[str], at_unix_us: int) -> None:
        """Note that somebody relies on these blobs now."""
        moment = {"touched_at": at_unix_us, "ver": at_unix_us}
        self._put(tables.BLOB_TOUCHES, [_blob(project, sha256, moment) for sha256 in sha256s])

    def add_blobs(self, project: str, blobs: Iterable[StoredBlob]) -> None:
        """Note blobs that are stored, whole and verified."""
        rows = [_stored(project, blob, is_deleted=0) for blob in blobs]
        self._put(tables.BLOBS, rows)

    def remove_blobs(self, project: str, blobs: Iterable[StoredBlob]) -> None:
        """Note that these are gone; a row written later than the one seen stays."""
        rows = [_stored(project, blob, is_deleted=1) for blob in blobs]
        self._put(tables.BLOBS, rows)

    def add_marks(self, project: str, marks: Iterable[Mark]) -> None:
        """Mark blobs that a collection is about to remove."""
        self._put(tables.BLOB_MARKS, [_mark(project, mark, is_deleted=0) for mark in marks])

    def remove_marks(self, project: str, marks: Iterable[Mark]) -> None:
        """Take marks away again."""
        self._put(tables.BLOB_MARKS, [_mark(project, mark, is_deleted=1) for mark in marks])

    def note_uploads(
        self, project: str, uploads: Iterable[BegunUpload], *, is_deleted: bool = False
    ) -> None:
        """Note uploads in parts that were begun, or that are finished or given up."""
        rows = [
            {
                "project": project,
                "upload_id": upload.upload_id,
                "sha256": upload.sha256,
                "size": upload.size_bytes,
                "part_bytes": upload.part_bytes,
                "begun_at": upload.begun_unix_us,
                "ver": int(is_deleted),
                "is_deleted": int(is_deleted),
            }
            for upload in uploads
        ]
        self._put(tables.BLOB_UPLOADS, rows)

    # ── manifests and versions ────────────────────────────────────────────

    def add_files(
        self, project: str, digest: str, files: Sequence[ManifestFile], at_unix_us: int
    ) -> None:
        """Store files of a manifest; those stored before are stored again, later."""
        self._put_files(project, digest, files, at_unix_us, is_deleted=0)

    def remove_files(
        self, project: str, digest: str, files: Sequence[ManifestFile], seen_unix_us: int
    ) -> None:
        """Forget files of a manifest, unless they were stored again after `seen_unix_us`."""
        self._put_files(project, digest, files, seen_unix_us, is_deleted=1)

    def put_version(self, version: ArtifactVersion, at_unix_us: int) -> None:
        """Store a version, or an edit of its description, metadata or lifetime."""
        self._put(tables.ARTIFACT_VERSIONS, [_version(version, at_unix_us)])

    def end_versions(
        self, versions: Iterable[ArtifactVersion], state: State, at_unix_us: int
    ) -> None:
        """Delete, collect or void versions: for good, whatever is edited at the same time."""
        ver = _END_VER + at_unix_us
        rows = [_version(replace(version, state=state), ver) for version in versions]
        self._put(tables.ARTIFACT_VERSIONS, rows)

    def put_names(
        self,
        project: str,
        kind: AliasKind,
        name: str,
        version: int,
        at_unix_us: int,
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> None:
        """Point aliases at a version, wherever they pointed; take others away."""
        of = {"project": project, "kind": kind.value, "name": name, "version": version}
        rows = [
            {**of, "alias": alias, "ver": at_unix_us, "is_deleted": gone}
            for gone, aliases in ((0, add), (1, remove))
            for alias in aliases
        ]
        self._put(tables.ALIASES, rows)

    def put_tags(
        self,
        project: str,
        name: str,
        version: int,
        at_unix_us: int,
        *,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
    ) -> None:
        """Add tags to a version and take others away."""
        of = {"project": project, "name": name, "version": version}
        rows = [
            {**of, "tag": tag, "ver": at_unix_us, "is_deleted": gone}
            for gone, tags in ((0, add), (1, remove))
            for tag in tags
        ]
        self._put(tables.ARTIFACT_TAGS, rows)

    def add_edge(self, edge: Edge) -> None:
        """Note that a run made or read a version."""
        row = {
            "project": edge.project,
            "run_id": edge.run_id,
            "artifact_project": edge.artifact_project,
            "name": edge.name,
            "version": edge.version,
            "is_output": int(edge.is_output),
            "at": edge.at_unix_us,
            # The first moment stays: a run that reads a version every epoch read it then.
            "ver": _END_VER - edge.at_unix_us,
        }
        self._put(tables.LINEAGE, [row])

    # ── registry ──────────────────────────────────────────────────────────

    def add_model_change(self, project: str, change: ModelChange) -> None:
        """Store a model version (again: nothing happens) and a change of it."""
        identity = {
            "project": project,
            "model": change.model,
            "version": change.version,
            "artifact": change.artifact,
            "artifact_version": change.artifact_version,
            "run_id": change.run_id,
            "created_at": change.created_unix_us,
            "ver": change.created_unix_us,
        }
        row = {
            "project": project,
            "model": change.model,
            "version": change.version,
            "at": change.at_unix_us,
            "change_id": uuid.uuid4().bytes,
            "by": change.by,
            "note": change.note,
            "stage": change.stage,
            "aliases": list(change.aliases),
            "ver": change.at_unix_us,
        }
        self._insert({tables.MODELS: [identity], tables.MODEL_CHANGES: [row]})

    def put_webhook(
        self, project: str, webhook: Webhook, at_unix_us: int, *, is_deleted: bool = False
    ) -> None:
        """Store a webhook, or take it away."""
        row = {
            "project": project,
            "url": webhook.url,
            "kinds": list(webhook.kinds),
            "secret": webhook.secret,
            "created_by": webhook.created_by,
            "ver": at_unix_us,
            "is_deleted": int(is_deleted),
        }
        self._put(tables.WEBHOOKS, [row])

    def add_notice(
        self,
        project: str,
        kind: str,
        title: str,
        at_unix_us: int,
        *,
        severity: str = "info",
        body: str = "",
        attrs: Mapping[str, str] | None = None,
    ) -> UUID:
        """Leave an event of the project as a whole; returns its id."""
        row = event_row(
            RunRef(project, ""),
            kind,
            title,
            body,
            severity=severity,
            attrs=attrs or {},
            at_unix_us=at_unix_us,
        )
        self._put(tables.EVENTS, [row])
        return UUID(bytes=row["event_id"])

    # ── below ─────────────────────────────────────────────────────────────

    def _put_files(
        self,
        project: str,
        digest: str,
        files: Sequence[ManifestFile],
        ver: int,
        *,
        is_deleted: int,
    ) -> None:
        for first in range(0, len(files), BATCH_ROWS):
            part = files[first : first + BATCH_ROWS]
            arrays = {
                "project": [project] * len(part),
                "digest": [digest] * len(part),
                "path": [file.path for file in part],
                "sha256": [file.sha256 for file in part],
                "size": [file.size_bytes for file in part],
                "mime": [file.mime for file in part],
                "uri": [file.uri for file in part],
                "etag": [file.etag for file in part],
                "ver": [ver] * len(part),
                "is_deleted": [is_deleted] * len(part),
            }
            table = pa.table(arrays, schema=columns.ARTIFACT_FILES)
            self._inserter.insert({tables.ARTIFACT_FILES: table}, uuid.uuid4().hex)

    def _put(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for first in range(0, len(rows), BATCH_ROWS):
            self._insert({table: rows[first : first + BATCH_ROWS]})

    def _insert(self, rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        block = {
            table: pa.Table.from_pylist(list(part), schema=columns.BY_TABLE[table])
            for table, part in rows.items()
        }
        self._inserter.insert(block, uuid.uuid4().hex)


def _blob(project: str, sha256: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"project": project, "sha256": sha256, **more}


def _stored(project: str, blob: StoredBlob, *, is_deleted: int) -> dict[str, Any]:
    return {
        "project": project,
        "sha256": blob.sha256,
        "size": blob.size_bytes,
        "etag": blob.etag,
        "stored_at": blob.stored_unix_us,
        "ver": blob.ver + is_deleted,
        "is_deleted": is_deleted,
    }


def _mark(project: str, mark: Mark, *, is_deleted: int) -> dict[str, Any]:
    return {
        "project": project,
        "sha256": mark.sha256,
        "collection": mark.collection.bytes,
        "marked_at": mark.marked_unix_us,
        "ver": mark.marked_unix_us + is_deleted,
        "is_deleted": is_deleted,
    }


def _version(version: ArtifactVersion, ver: int) -> dict[str, Any]:
    return {
        "project": version.project,
        "name": version.name,
        "version": version.version,
        "digest": version.digest,
        "type": version.type,
        "run_id": version.run_id,
        "description": version.description,
        "metadata": version.metadata_json,
        "size": version.size_bytes,
        "files": version.files,
        "created_at": version.created_unix_us,
        "created_by": version.created_by,
        "expires_at": version.expires_unix_us,
        "state": version.state.value,
        "ver": ver,
    }
