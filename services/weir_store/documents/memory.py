"""Documents in memory: `DocumentReader` over the rows of `MemoryStore`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from weir_store import tables
from weir_store.documents.records import Document, Kind
from weir_store.documents.rows import COLUMNS, TIMES, document_of
from weir_store.memory import MemoryStore
from weir_store.memory_rows import unix_us


class MemoryDocuments:
    """Implements base.DocumentReader."""

    def __init__(self, store: MemoryStore, unix_us: Callable[[], int] | None = None) -> None:
        self._store = store
        self._unix_us = unix_us or (lambda: int(time.time() * 1e6))

    def list_documents(
        self, kind: Kind, project: str = "", *, bodies: bool = False
    ) -> list[Document]:
        """See `base.DocumentReader.list_documents`."""
        newest: dict[tuple[str, str], Document] = {}
        for each in self._all(kind, project):
            newest.setdefault((each.project, each.document_id), each)
        found = [each for each in newest.values() if not each.is_deleted and each.is_listed]
        found.sort(key=lambda each: (-each.at_unix_us, each.document_id))
        return found if bodies else [replace(each, body="") for each in found]

    def get_document(self, kind: Kind, document_id: str, project: str = "") -> Document | None:
        """See `base.DocumentReader.get_document`."""
        found = [each for each in self._all(kind, project) if each.document_id == document_id]
        return None if not found or found[0].is_expired(self._unix_us()) else found[0]

    def list_versions(self, kind: Kind, document_id: str, project: str) -> list[Document]:
        """See `base.DocumentReader.list_versions`."""
        found = [each for each in self._all(kind, project) if each.document_id == document_id]
        return [replace(each, body="") for each in found]

    def get_version(
        self, kind: Kind, document_id: str, project: str, save_id: UUID
    ) -> Document | None:
        """See `base.DocumentReader.get_version`."""
        found = (each for each in self._all(kind, project) if each.document_id == document_id)
        return next((each for each in found if each.save_id == save_id), None)

    def _all(self, kind: Kind, project: str) -> list[Document]:
        """Return every version, newest first."""
        rows = [
            row
            for row in self._store.list_rows(tables.DOCUMENTS, removed=True)
            if row["kind"] == kind and project in ("", row["project"])
        ]
        told = [[unix_us(row[n]) if n in TIMES else row[n] for n in COLUMNS] for row in rows]
        found = [document_of(each) for each in told]
        return sorted(
            found, key=lambda one: (one.version, one.at_unix_us, str(one.save_id)), reverse=True
        )
