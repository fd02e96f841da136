"""Views and reports over a store in memory, for pages."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from tests.unit.dashboard.answering import Answering
from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import SyntheticReader, many_runs
from weir_dashboard.data_documents import DocumentDoors, DocumentsAsked
from weir_dashboard.sources import Sources
from weir_store.documents.editor import DocumentEditor
from weir_store.documents.memory import MemoryDocuments
from weir_store.documents.records import Document, Kind
from weir_store.errors import StoreUnavailable
from weir_store.memory import MemoryStore

PROJECT = "gpt-small"


class Documented:
    """A store of documents; `sources` is what a dashboard is given, `asked` somebody else's dashboard."""

    def __init__(self, *, may_edit: bool = True, runs: int = 5) -> None:
        self.store = MemoryStore()
        self.reader = MemoryDocuments(self.store)
        self.runs = SyntheticReader(many_runs(PROJECT, runs)) if runs else SyntheticReader([])
        self.sql = Answering(pa.table({"state": ["running", "failed"], "runs": [3, 2]}))
        editor = DocumentEditor(self.store)
        self.asked = DocumentsAsked(DocumentDoors(self.reader, editor))
        self.doors = DocumentDoors(Quiet(self), editor if may_edit else None)
        self.down = False

    @property
    def sources(self) -> Sources:
        return replace(Recorded(self.runs).sources, sql=self.sql, documents=self.doors)

    def report(self, body: str, name: str = "Findings") -> Document:
        return self.asked.create(Kind.REPORT, PROJECT, name, body, "ada")


class Quiet:
    """A `DocumentReader` that can fall silent."""

    def __init__(self, documented: Documented) -> None:
        self._documented = documented

    def __getattr__(self, name: str) -> object:
        if self._documented.down:
            raise StoreUnavailable("connection refused")
        return getattr(self._documented.reader, name)
