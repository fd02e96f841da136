"""How documents are asked for: `DocumentReader`. What is written goes through `editor.py`.

Two implementations judged by one suite (tests/contract/test_documents.py): ClickHouse and memory.
Safe from any thread; every call may raise `StoreUnavailable`.
"""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from weir_store.documents.records import Document, Kind


class DocumentReader(Protocol):
    """Which documents there are, what they say, and what they said before."""

    def list_documents(
        self, kind: Kind, project: str = "", *, bodies: bool = False
    ) -> list[Document]:
        """Return the newest version of each document, last changed first; without its body unless asked.

        "" = of every project. Deleted ones are not here, nor are views without a name, which are many.
        """
        ...

    def get_document(self, kind: Kind, document_id: str, project: str = "") -> Document | None:
        """Return the newest version; None when there never was one, or it expired.

        A document that was deleted is returned, and says so: an old link can be explained.
        """
        ...

    def list_versions(self, kind: Kind, document_id: str, project: str) -> list[Document]:
        """Return every version without its body, newest first; deletions are versions too."""
        ...

    def get_version(
        self, kind: Kind, document_id: str, project: str, save_id: UUID
    ) -> Document | None:
        """Return one version with its body; None when there is none."""
        ...
