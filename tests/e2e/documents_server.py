"""The real dashboard over made-up runs, with views, reports and SQL; obeys nothing."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import pyarrow as pa

from tests.unit.dashboard.answering import Answering
from tests.unit.dashboard.recorded import Recorded
from tests.unit.dashboard.synthetic import two_projects
from weir_dashboard import listening
from weir_dashboard.app import build
from weir_dashboard.data_documents import DocumentDoors
from weir_store.documents.editor import DocumentEditor
from weir_store.documents.memory import MemoryDocuments
from weir_store.memory import MemoryStore

if __name__ == "__main__":
    recorded, store = Recorded(two_projects(count=24)), MemoryStore()
    states = pa.table({"state": ["running", "finished", "<b>failed</b>"], "runs": [3, 19, 2]})
    sources = replace(
        recorded.sources,
        sql=Answering(states),
        documents=DocumentDoors(MemoryDocuments(store), DocumentEditor(store)),
    )
    listening.run(
        build(sources, "127.0.0.1:7700"), "127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0
    )
