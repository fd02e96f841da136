"""Saved views: what an address becomes, who is told when two people save, what a short address stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.dashboard.documented import PROJECT, Documented
from weir_dashboard import documents
from weir_dashboard.data_documents import DocumentsAsked, Overtaken
from weir_dashboard.documents import View
from weir_store.documents.records import Kind
from weir_store.errors import InvalidQuery

NAMES = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() and "\ud800" not in text)


@given(st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=3), max_size=5))
def test_a_view_keeps_every_key_of_an_address_but_its_own(query):
    query.pop(documents.KEY, None)
    view = documents.view_of("workspace", {**query, documents.KEY: ["abcdefgh"]})
    back = documents.read_view(documents.body_of(view))
    assert back == view
    assert back.keys == query


def test_a_view_of_a_page_that_has_none_and_an_endless_address_are_refused():
    with pytest.raises(InvalidQuery, match="has no views"):
        documents.view_of("rules", {})
    with pytest.raises(InvalidQuery, match="at most"):
        documents.view_of("sql", {"sql": ["x" * (documents.LONGEST_QUERY + 1)]})


@pytest.mark.parametrize(
    "body", ["", "[]", "{}", '{"page": "home", "query": ""}', "\x00", '{"page": 3}']
)
def test_what_another_release_stored_is_no_view(body):
    assert documents.read_view(body) is None


def test_an_id_comes_from_what_it_stands_for():
    one = View("workspace", "m=a")
    assert documents.id_of("p", one) == documents.id_of("p", View("workspace", "m=a"))
    assert documents.id_of("q", one) != documents.id_of("p", one)
    assert documents.is_id(documents.id_of("p", one))
    assert documents.is_id(documents.fresh_id())
    assert not documents.is_id("../../ab")


def test_the_same_state_has_one_short_address_and_it_stands_for_nothing_else():
    documented = Documented()
    view = View("workspace", "hide=" + "&hide=".join(f"p%2Fr{n}" for n in range(200)))
    first = documented.asked.shorten(PROJECT, view, "ada")
    assert documented.asked.shorten(PROJECT, view, "bob") == first
    assert len(documented.reader.list_versions(Kind.VIEW, first, PROJECT)) == 1
    assert documents.read_view(documented.asked.short(first).body) == view
    assert documented.asked.short("zzzzzzzz") is None
    assert documented.asked.short("<script>") is None


def test_a_save_over_what_somebody_saved_in_between_is_refused_and_nothing_is_lost():
    documented = Documented()
    ann = bob = documented.report("# one")
    saved = documented.asked.save(bob, "bob", body="# bob's")
    with pytest.raises(Overtaken, match="saved by bob") as told:
        documented.asked.save(ann, "ann", body="# ann's")
    assert told.value.newest == saved
    last = documented.asked.save_over(saved, "ann", name="Findings", body="# ann's")
    assert last.version == 3
    bodies = [
        documented.reader.get_version(Kind.REPORT, last.document_id, PROJECT, each.save_id).body
        for each in documented.reader.list_versions(Kind.REPORT, last.document_id, PROJECT)
    ]
    assert bodies == ["# ann's", "# bob's", "# one"]


def test_a_save_after_a_deletion_is_refused_too():
    documented = Documented()
    report = documented.report("# one")
    documented.asked.delete(report, "bob")
    with pytest.raises(Overtaken, match="deleted by bob"):
        documented.asked.save(report, "ann", body="# two")


def test_two_saves_of_one_moment_are_told_to_whoever_looks():
    documented = Documented()
    report = documented.report("# one")
    mine = documented.asked._follow(
        report, "ann", body="# ann's"
    )  # both had looked before either saved
    theirs = documented.asked._follow(report, "bob", body="# bob's")
    assert documented.asked.at_the_same_moment(mine) == [
        theirs.__class__(**{**_fields(theirs), "body": ""})
    ]


def _fields(document):
    return {name: getattr(document, name) for name in document.__slots__}


def test_a_dashboard_that_only_reads_says_so():
    documented = Documented(may_edit=False)
    reading = DocumentsAsked(documented.doors)
    assert not reading.may_edit
    with pytest.raises(InvalidQuery, match="may not save"):
        reading.create(Kind.REPORT, PROJECT, "x", "", "ada")


@pytest.mark.parametrize("name", ["", "  \n ", "x" * 201])
def test_a_report_without_a_name_or_with_an_endless_one_is_refused(name):
    with pytest.raises(InvalidQuery, match="name"):
        Documented().asked.create(Kind.REPORT, PROJECT, name, "", "ada")


def test_a_report_that_is_too_long_is_refused_with_its_size():
    with pytest.raises(InvalidQuery, match="at most 262,144"):
        Documented().report("x" * (documents.LONGEST_REPORT_BYTES + 1))


def test_a_default_can_be_the_projects_or_ones_own_and_be_taken_back():
    asked = Documented().asked
    asked.set_default(PROJECT, "workspace", "abcdefgh", "ada")
    asked.set_default(PROJECT, "workspace", "bbbbbbbb", "bob", "bob")
    assert asked.default(PROJECT, "workspace") == "abcdefgh"
    assert asked.default(PROJECT, "workspace", "bob") == "bbbbbbbb"
    assert asked.default(PROJECT, "runs") == ""
    asked.set_default(PROJECT, "workspace", "", "ada")
    assert asked.default(PROJECT, "workspace") == ""
    asked.set_default(PROJECT, "workspace", "cccccccc", "ada")
    assert asked.default(PROJECT, "workspace") == "cccccccc"
