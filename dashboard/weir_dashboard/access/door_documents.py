"""Saved views and reports, as far as a viewer may see their projects; saved by those who may change things there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from weir_dashboard.access.door_edits import check_may_edit
from weir_dashboard.access.questions import DocumentWrites
from weir_dashboard.access.viewer import Viewer
from weir_store.documents.base import DocumentReader
from weir_store.documents.records import Document, Kind

if TYPE_CHECKING:
    from weir_dashboard.data_documents import DocumentDoors


def document_doors(doors: DocumentDoors, viewer: Viewer) -> DocumentDoors:
    """Return the doors of documents for one viewer; readers and share links have no editor."""
    editor = DocumentEditorDoor(doors.editor, viewer) if doors.editor else None
    return type(doors)(
        DocumentsDoor(doors.reader, viewer), editor if viewer.may_edit_anything else None
    )


class DocumentsDoor:
    """A `DocumentReader` for one viewer. Documents belong to projects as a whole."""

    def __init__(self, documents: DocumentReader, viewer: Viewer) -> None:
        self._documents = documents
        self._viewer = viewer

    def list_documents(
        self, kind: Kind, project: str = "", *, bodies: bool = False
    ) -> list[Document]:
        """Return the documents of the projects they may see."""
        found = self._documents.list_documents(kind, project, bodies=bodies)
        return [each for each in found if self._viewer.may_see_all(each.project)]

    def get_document(self, kind: Kind, document_id: str, project: str = "") -> Document | None:
        """Return the newest version."""
        return self._seen(self._documents.get_document(kind, document_id, project))

    def list_versions(self, kind: Kind, document_id: str, project: str) -> list[Document]:
        """Return every version."""
        if not self._viewer.may_see_all(project):
            return []
        return self._documents.list_versions(kind, document_id, project)

    def get_version(
        self, kind: Kind, document_id: str, project: str, save_id: UUID
    ) -> Document | None:
        """Return one version."""
        return self._seen(self._documents.get_version(kind, document_id, project, save_id))

    def _seen(self, found: Document | None) -> Document | None:
        return found if found and self._viewer.may_see_all(found.project) else None


class DocumentEditorDoor:
    """What pages save, in the projects where one viewer may."""

    def __init__(self, editor: DocumentWrites, viewer: Viewer) -> None:
        self._editor = editor
        self._viewer = viewer

    def put(self, document: Document) -> None:
        """Store one version."""
        check_may_edit(self._viewer, document.project)
        self._editor.put(document)
