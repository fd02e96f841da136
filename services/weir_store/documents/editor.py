"""Writing documents: a save adds a version, and never takes one away."""

from __future__ import annotations

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Inserter
from weir_store.documents.records import Document


class DocumentEditor:
    """Writes documents. May raise `StoreUnavailable`."""

    def __init__(self, inserter: Inserter) -> None:
        self._inserter = inserter

    def put(self, document: Document) -> None:
        """Store one version; safe to repeat. Whether it comes after what others saved is the caller's to check."""
        row = {
            "project": document.project,
            "kind": document.kind.value,
            "document_id": document.document_id,
            "version": document.version,
            "save_id": document.save_id.bytes,
            "name": document.name,
            "owner": document.owner,
            "by": document.by,
            "created_at": document.created_unix_us,
            "at": document.at_unix_us,
            "body": document.body,
            "size_bytes": len(document.body.encode()),
            "is_deleted": int(document.is_deleted),
            "ver": document.at_unix_us,
        }
        rows = pa.Table.from_pylist([row], schema=columns.BY_TABLE[tables.DOCUMENTS])
        self._inserter.insert({tables.DOCUMENTS: rows}, document.save_id.hex)
