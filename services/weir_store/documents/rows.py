"""Rows of `documents` as records, whichever store they come from: values in the order of `COLUMNS`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from weir_store.documents.records import Document, Kind

TIMES: Final = frozenset({"created_at", "at"})
COLUMNS: Final = (
    "project", "kind", "document_id", "version", "save_id", "name", "owner", "by", "created_at",
    "at", "body", "size_bytes", "is_deleted",
)  # fmt: skip


def document_of(row: Sequence[Any]) -> Document:
    """Return a row of `documents`."""
    project, kind, document_id, version, save_id, name, owner, by, created, at, *rest = row
    body, size_bytes, is_deleted = rest
    return Document(
        project,
        Kind(kind),
        document_id,
        int(version),
        save_id if isinstance(save_id, UUID) else UUID(bytes=bytes(save_id)),
        name,
        owner,
        by,
        int(created),
        int(at),
        body,
        int(size_bytes),
        bool(is_deleted),
    )
