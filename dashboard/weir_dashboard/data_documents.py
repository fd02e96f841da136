"""Asking for saved views and reports, and saving them where this dashboard may."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from uuid import UUID, uuid4

from weir_dashboard import documents
from weir_dashboard.access.questions import DocumentWrites
from weir_dashboard.documents import View
from weir_dashboard.last_good import Answer, LastGood
from weir_store.documents.base import DocumentReader
from weir_store.documents.records import Document, Kind
from weir_store.errors import InvalidQuery, StoreUnavailable

T = TypeVar("T")

_FRESH_S: Final = 2.0
_SHORT_ADDRESS_FRESH_S: Final = 600.0  # what one stands for never changes
_KEPT: Final = 128


@dataclass(frozen=True, slots=True)
class DocumentDoors:
    """What views and reports need of the store.

    Attributes:
        reader: What there is.
        editor: Saves; None = this dashboard only reads.
    """

    reader: DocumentReader
    editor: DocumentWrites | None = None


class Overtaken(InvalidQuery):
    """Somebody saved in between; `newest` is theirs. Nothing was stored, nothing is lost."""

    def __init__(self, newest: Document | None, name: str) -> None:
        what = "was deleted" if newest is None or newest.is_deleted else "was saved"
        who = f" by {newest.by}" if newest is not None else ""
        super().__init__(f"{name!r} {what}{who} since you opened it", hint="look at it again")
        self.newest = newest


class DocumentsAsked:
    """What pages may ask about documents. Safe from any thread."""

    def __init__(
        self, given: DocumentDoors | None, unix_us: Callable[[], int] | None = None
    ) -> None:
        self._given = given
        self._kept = LastGood(_KEPT)
        self._changes = 0
        self._unix_us = unix_us or (lambda: int(time.time() * 1e6))

    @property
    def offered(self) -> bool:
        """Whether this dashboard was started with documents."""
        return self._given is not None

    @property
    def may_edit(self) -> bool:
        """Whether this dashboard may save documents."""
        return self._given is not None and self._given.editor is not None

    def listed(self, kind: Kind, project: str = "") -> Answer[list[Document]]:
        """List the documents of a project, "" = of all; of reports without what they say."""
        bodies = kind is not Kind.REPORT
        key = ("list", kind, project)
        return self._keep(
            key, lambda: self._doors.reader.list_documents(kind, project, bodies=bodies)
        )

    def get(self, kind: Kind, document_id: str, project: str = "") -> Answer[Document | None]:
        """Return the newest version, which may say that the document was deleted; None = there is none."""
        key = ("get", kind, document_id, project)
        return self._keep(key, lambda: self._doors.reader.get_document(kind, document_id, project))

    def versions(self, document: Document) -> Answer[list[Document]]:
        """List every version, newest first, without what they say."""
        of = (document.kind, document.document_id, document.project)
        return self._keep(("versions", *of), lambda: self._doors.reader.list_versions(*of))

    def version(self, document: Document, save_id: UUID) -> Answer[Document | None]:
        """Return one version of a document."""
        of = (document.kind, document.document_id, document.project)
        return self._keep(
            ("version", *of, save_id), lambda: self._doors.reader.get_version(*of, save_id)
        )

    def short(self, document_id: str) -> Document | None:
        """Return the view that `?v=` stands for; None when there is none (any more)."""
        if not self.offered or not documents.is_id(document_id):
            return None
        known = self._kept.ask(
            ("short", document_id),
            _SHORT_ADDRESS_FRESH_S,
            lambda: self._doors.reader.get_document(Kind.VIEW, document_id),
        ).value
        if known is None or known.name:  # it may have come, or been changed, since
            known = self.get(Kind.VIEW, document_id).value
        return None if known is None or known.is_deleted else known

    def create(
        self, kind: Kind, project: str, name: str, body: str, by: str, *, document_id: str = ""
    ) -> Document:
        """Store a new document and return it. Raises `InvalidQuery` for what cannot be one."""
        now = self._unix_us()
        made = Document(
            project, kind, document_id or documents.fresh_id(), 1, uuid4(),
            documents.checked_name(name) if kind is not Kind.DEFAULT else name, by, by, now, now,
            _checked(body), len(body.encode()),
        )  # fmt: skip
        return self._put(made)

    def save(
        self, seen: Document, by: str, *, name: str | None = None, body: str | None = None
    ) -> Document:
        """Store the next version of a document and return it.

        Args:
            seen: The version the change was made to.
            by: Who saves.
            name: Its new name; None = as it was.
            body: What it says now; None = as it was.

        Raises:
            Overtaken: Somebody saved a version after `seen`; nothing was stored.
        """
        return self._follow(self._not_overtaken(seen), by, name=name, body=body)

    def save_over(self, newest: Document, by: str, *, name: str, body: str) -> Document:
        """Store a version after the one somebody else saved: theirs stays among the versions."""
        return self._follow(newest, by, name=name, body=body, is_deleted=False)

    def delete(self, seen: Document, by: str) -> None:
        """Take a document away; its versions stay. Raises `Overtaken`."""
        self._follow(self._not_overtaken(seen), by, is_deleted=True)

    def at_the_same_moment(self, saved: Document) -> list[Document]:
        """Return other saves of the same version: two people pressed at once, and both are kept."""
        of = (saved.kind, saved.document_id, saved.project)
        return [
            each
            for each in self._doors.reader.list_versions(*of)
            if each.version == saved.version and each.save_id != saved.save_id
        ]

    def shorten(self, project: str, view: View, by: str) -> str:
        """Return the id of a view without a name that stands for `view`; it is made when there is none.

        Raises:
            InvalidQuery: This dashboard may not save.
        """
        document_id, body = documents.id_of(project, view), documents.body_of(view)
        known = self.get(Kind.VIEW, document_id).value
        if known is not None and (known.body != body or known.is_deleted):
            document_id, known = documents.fresh_id(), None
        now = self._unix_us()
        if (
            known is None or now - known.at_unix_us > 86_400_000_000
        ):  # once a day it is made young again
            version, created = (
                (1, now) if known is None else (known.version + 1, known.created_unix_us)
            )
            self._put(
                Document(
                    project,
                    Kind.VIEW,
                    document_id,
                    version,
                    uuid4(),
                    "",
                    by,
                    by,
                    created,
                    now,
                    body,
                )
            )
        return document_id

    def default(self, project: str, page: str, whose: str = "") -> str:
        """Return the id of the view that a page begins with; "" = none."""
        known = self.get(Kind.DEFAULT, documents.default_id(page, whose), project).value
        return "" if known is None or known.is_deleted else known.body

    def set_default(self, project: str, page: str, view_id: str, by: str, whose: str = "") -> None:
        """Let a page begin with a view, "" = with none."""
        key = documents.default_id(page, whose)
        known = self._doors.reader.get_document(Kind.DEFAULT, key, project)
        if known is not None:
            self._follow(known, by, body=view_id, is_deleted=not view_id)
        elif view_id:
            self.create(Kind.DEFAULT, project, page, view_id, by, document_id=key)

    def _not_overtaken(self, seen: Document) -> Document:
        """Return the newest version, the one that was seen. Raises `Overtaken` when it is another."""
        newest = self._doors.reader.get_document(seen.kind, seen.document_id, seen.project)
        if newest is None or newest.save_id != seen.save_id:
            raise Overtaken(newest, seen.name)
        return newest

    def _follow(
        self,
        newest: Document,
        by: str,
        *,
        name: str | None = None,
        body: str | None = None,
        is_deleted: bool = False,
    ) -> Document:
        text = newest.body if body is None else _checked(body)
        return self._put(
            replace(
                newest,
                version=newest.version + 1,
                save_id=uuid4(),
                name=newest.name if name is None else documents.checked_name(name),
                by=by,
                at_unix_us=max(self._unix_us(), newest.at_unix_us + 1),
                body=text,
                size_bytes=len(text.encode()),
                is_deleted=is_deleted,
            )
        )

    def _put(self, document: Document) -> Document:
        if self._doors.editor is None:
            raise InvalidQuery(
                "this dashboard may not save views and reports", hint="dashboard.edit_documents"
            )
        self._doors.editor.put(document)
        self._changes += 1
        return document

    def _keep(self, key: tuple[object, ...], read: Callable[[], T]) -> Answer[T]:
        return self._kept.ask((self._changes, *key), _FRESH_S, read)

    @property
    def _doors(self) -> DocumentDoors:
        if self._given is None:
            raise StoreUnavailable("this dashboard was started without views and reports")
        return self._given


def _checked(body: str) -> str:
    size_bytes = len(body.encode())
    if size_bytes > documents.LONGEST_REPORT_BYTES:
        most = documents.LONGEST_REPORT_BYTES
        raise InvalidQuery(f"a text of {size_bytes:,} bytes", hint=f"at most {most:,}")
    return body
