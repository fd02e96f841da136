"""One suite for both readers of documents: every version stays, the newest counts, the deleted say so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest

from weir_store.base import Inserter
from weir_store.documents.base import DocumentReader
from weir_store.documents.clickhouse import ClickHouseDocuments
from weir_store.documents.editor import DocumentEditor
from weir_store.documents.memory import MemoryDocuments
from weir_store.documents.records import UNNAMED_VIEWS_US, Document, Kind
from weir_store.inserter import ClickHouseInserter
from weir_store.memory import MemoryStore

DATABASE = "documents_contract"
NOW_US = time.time_ns() // 1_000


class Store(NamedTuple):
    inserter: Inserter
    reader: DocumentReader

    def put(self, document: Document) -> Document:
        DocumentEditor(self.inserter).put(document)
        return document


@pytest.fixture(params=["memory", "clickhouse"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        memory = MemoryStore()
        yield Store(memory, MemoryDocuments(memory))
        return
    clickhouse = request.getfixturevalue("connection")
    yield Store(ClickHouseInserter(clickhouse, DATABASE), ClickHouseDocuments(clickhouse, DATABASE))


@pytest.fixture
def project() -> str:
    return f"p-{uuid4().hex[:10]}"


def a_report(project: str, document_id: str = "abcd2345", body: str = "# größer") -> Document:
    return Document(
        project, Kind.REPORT, document_id, 1, uuid4(), "Größe <b>", "ann", "ann", NOW_US, NOW_US,
        body, len(body.encode()),
    )  # fmt: skip


def saved(before: Document, body: str, *, later_us: int = 1, by: str = "bob") -> Document:
    return replace(
        before, version=before.version + 1, save_id=uuid4(), by=by, body=body,
        size_bytes=len(body.encode()), at_unix_us=before.at_unix_us + later_us,
    )  # fmt: skip


def without_body(document: Document) -> Document:
    return replace(document, body="")


def test_a_document_comes_back_as_it_was_put_and_lists_leave_its_body_out(
    store: Store, project: str
) -> None:
    report = store.put(a_report(project))
    assert store.reader.get_document(Kind.REPORT, report.document_id, project) == report
    assert store.reader.get_document(Kind.REPORT, report.document_id) == report
    assert store.reader.list_documents(Kind.REPORT, project) == [without_body(report)]
    assert without_body(report) in store.reader.list_documents(Kind.REPORT)


def test_documents_of_others_and_of_other_kinds_are_not_found(store: Store, project: str) -> None:
    report = store.put(a_report(project))
    assert store.reader.get_document(Kind.VIEW, report.document_id, project) is None
    assert store.reader.get_document(Kind.REPORT, report.document_id, "another") is None
    assert store.reader.get_document(Kind.REPORT, "zzzz2345", project) is None
    assert store.reader.list_documents(Kind.REPORT, "another") == []
    assert store.reader.list_versions(Kind.REPORT, report.document_id, "another") == []


def test_every_version_is_kept_and_can_be_read(store: Store, project: str) -> None:
    first = store.put(a_report(project))
    second = store.put(saved(first, "# two"))
    reader, of = store.reader, (Kind.REPORT, first.document_id, project)
    assert reader.get_document(*of) == second
    assert reader.list_documents(Kind.REPORT, project) == [without_body(second)]
    assert reader.list_versions(*of) == [without_body(second), without_body(first)]
    assert reader.get_version(*of, first.save_id) == first
    assert reader.get_version(*of, UUID(int=7)) is None


def test_two_saves_of_one_moment_are_both_kept_and_the_later_one_counts(
    store: Store, project: str
) -> None:
    first = store.put(a_report(project))
    later = saved(first, "later", later_us=2, by="bob")
    store.put(later)
    earlier = store.put(saved(first, "earlier", later_us=1, by="cy"))  # it arrives last
    of = (Kind.REPORT, first.document_id, project)
    assert store.reader.get_document(*of) == later
    assert store.reader.list_versions(*of) == [without_body(d) for d in (later, earlier, first)]
    assert store.reader.get_version(*of, earlier.save_id) == earlier


def test_a_save_that_is_repeated_is_one(store: Store, project: str) -> None:
    report = store.put(a_report(project))
    store.put(report)
    assert len(store.reader.list_versions(Kind.REPORT, report.document_id, project)) == 1


def test_a_deleted_document_is_not_listed_says_so_and_can_come_back(
    store: Store, project: str
) -> None:
    first = store.put(a_report(project))
    gone = store.put(replace(saved(first, ""), is_deleted=True))
    of = (Kind.REPORT, first.document_id, project)
    assert store.reader.list_documents(Kind.REPORT, project) == []
    assert store.reader.get_document(*of) == gone
    assert store.reader.get_version(*of, first.save_id) == first
    back = store.put(replace(saved(gone, first.body), is_deleted=False))
    assert store.reader.list_documents(Kind.REPORT, project) == [without_body(back)]


def test_documents_are_listed_last_changed_first(store: Store, project: str) -> None:
    old = store.put(a_report(project, "aaaa2345"))
    new = store.put(replace(a_report(project, "bbbb2345"), at_unix_us=NOW_US + 5))
    assert store.reader.list_documents(Kind.REPORT, project) == [
        without_body(new),
        without_body(old),
    ]
    changed = store.put(saved(old, "again", later_us=9))
    assert [d.document_id for d in store.reader.list_documents(Kind.REPORT, project)] == [
        changed.document_id,
        new.document_id,
    ]


def test_a_view_without_a_name_is_forgotten_after_180_days_and_one_with_a_name_is_not(
    store: Store, project: str
) -> None:
    long_ago = NOW_US - UNNAMED_VIEWS_US - 1_000_000
    view = replace(a_report(project), kind=Kind.VIEW, at_unix_us=long_ago, name="")
    unnamed = store.put(view)
    kept = store.put(replace(view, document_id="kept2345", save_id=uuid4(), name="kept"))
    fresh = store.put(
        replace(view, document_id="frsh2345", save_id=uuid4(), at_unix_us=long_ago + 3_600_000_000)
    )
    assert store.reader.get_document(Kind.VIEW, unnamed.document_id, project) is None
    assert store.reader.get_document(Kind.VIEW, kept.document_id, project) == kept
    assert store.reader.get_document(Kind.VIEW, fresh.document_id, project) == fresh
    assert store.reader.list_documents(Kind.VIEW, project) == [without_body(kept)]
    assert store.reader.list_documents(Kind.VIEW, project, bodies=True) == [kept]
