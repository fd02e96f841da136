"""The words of documents. Value types only; times are Unix µs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

UNNAMED_VIEWS_DAYS: Final = 180
"""A view without a name is a long address in short: it is forgotten so long after it was last saved."""

UNNAMED_VIEWS_US: Final = UNNAMED_VIEWS_DAYS * 86_400 * 1_000_000


class Kind(StrEnum):
    """What a document is."""

    VIEW = "view"  # a page's query string
    REPORT = "report"  # Markdown with panels
    DEFAULT = "default"  # which view a page begins with


@dataclass(frozen=True, slots=True)
class Document:
    """One version of a document.

    Two people who save at the same moment make two rows of one `version`, told apart by `save_id`:
    the later one counts, the other stays among the versions.

    Attributes:
        project: Whose it is; unit of access.
        kind: What it is.
        document_id: Its name in addresses; lasts as long as the document.
        version: From 1; each save is one more.
        save_id: Names this save.
        name: What people call it; "" = a view without a name.
        owner: Who made the first version.
        by: Who made this one.
        created_unix_us: When the first version was made.
        at_unix_us: When this one was.
        body: What it says; "" where only the list was asked for.
        size_bytes: Of the body in UTF-8.
        is_deleted: This version says that the document is gone.
    """

    project: str
    kind: Kind
    document_id: str
    version: int
    save_id: UUID
    name: str
    owner: str
    by: str
    created_unix_us: int
    at_unix_us: int
    body: str = ""
    size_bytes: int = 0
    is_deleted: bool = False

    @property
    def is_listed(self) -> bool:
        """Whether lists name it: a view without a name is only reached by its address."""
        return bool(self.name) or self.kind is not Kind.VIEW

    def is_expired(self, now_unix_us: int) -> bool:
        """Return whether it is a view without a name that nobody saved for long."""
        return not self.is_listed and self.at_unix_us + UNNAMED_VIEWS_US <= now_unix_us
