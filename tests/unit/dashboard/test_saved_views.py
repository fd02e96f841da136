"""The menu of views, links to them, and the page that begins with one."""

from __future__ import annotations

import importlib

import pytest
from streamlit.testing.v1 import AppTest

from tests.unit.dashboard.documented import PROJECT, Documented
from weir_dashboard import data, documents, navigation
from weir_store.documents.records import Document, Kind


def script(name: str) -> None:
    from tests.unit.dashboard.test_saved_views import page

    page(name)


def page(name: str) -> None:
    import streamlit as st

    from weir_dashboard.views import saved_views

    st.navigation([navigation.page(other) for other in navigation.names()], position="hidden")
    saved_views.open_address(name)
    importlib.import_module(f"weir_dashboard.views.{name}").render()
    saved_views.offer(name)


def show(documented: Documented | None, of: str = "workspace", **address: object) -> AppTest:
    sources = (documented or Documented()).sources
    if documented is None:
        from dataclasses import replace

        sources = replace(sources, documents=None)
    data.use(sources, "gateway.example:7700")
    test = AppTest.from_function(script, kwargs={"name": of}, default_timeout=30)
    for key, value in address.items():
        test.query_params[key] = value
    return test.run()


def a_view(
    documented: Documented, name: str = "losses", query: str = "m=loss", page: str = "workspace"
) -> Document:
    view = documents.View(page, query)
    return documented.asked.create(Kind.VIEW, PROJECT, name, documents.body_of(view), "ada")


def address(test: AppTest) -> dict[str, list[str]]:
    said = test.query_params.items()
    return {key: [texts] if isinstance(texts, str) else list(texts) for key, texts in said}


def html(test: AppTest) -> str:
    return "".join(str(one.proto.body) for one in test.get("html"))


@pytest.mark.parametrize("of", documents.PAGES)
def test_every_page_with_views_offers_to_save_one(of):
    run = {"run": [f"{PROJECT}/r0001"]} if of in {"compare", "ranks"} else {"project": [PROJECT]}
    test = show(Documented(), of, **run)
    assert not test.exception
    assert [box.label for box in test.text_input if box.label == "Save this view as"] or of == "sql"


def test_what_is_shown_is_saved_under_a_name_and_listed_as_a_link():
    documented = Documented()
    test = show(documented, project=[PROJECT], m=["loss"], s=["50"])
    test.text_input(key="view_name").set_value("  Losses <b> ")
    test.button[0].click().run()
    assert not test.exception
    (view,) = documented.reader.list_documents(Kind.VIEW, PROJECT)
    kept = documents.read_view(documented.reader.get_document(Kind.VIEW, view.document_id).body)
    assert (view.name, kept.page) == ("Losses <b>", "workspace")
    assert kept.keys == {"project": [PROJECT], "m": ["loss"], "s": ["50"]}
    assert f'href="/workspace?v={view.document_id}"' in html(test)
    assert "Losses &lt;b&gt;" in html(test)


def test_a_second_view_of_the_same_name_is_refused():
    documented = Documented()
    a_view(documented)
    test = show(documented, project=[PROJECT])
    test.text_input(key="view_name").set_value("losses")
    test.button[0].click().run()
    assert "already" in test.error[0].value
    assert len(documented.reader.list_documents(Kind.VIEW, PROJECT)) == 1


def test_a_link_to_a_view_shows_it_and_the_address_says_it_in_full():
    documented = Documented()
    view = a_view(documented, query="m=loss&hide=gpt-small%2Fr0001")
    test = show(documented, v=[view.document_id])
    assert not test.exception
    assert address(test) == {"project": [PROJECT], "m": ["loss"], "hide": ["gpt-small/r0001"]}


def test_what_the_address_says_beside_a_view_wins():
    documented = Documented()
    view = a_view(documented, query="m=loss&s=5")
    assert address(show(documented, v=[view.document_id], s=["9"]))["s"] == ["9"]


@pytest.mark.parametrize("v", ["abcdefgh", "nope", "<script>", "../../x"])
def test_a_link_to_a_view_that_is_not_there_says_so_and_shows_the_page(v):
    test = show(Documented(), project=[PROJECT], v=[v])
    assert not test.exception
    assert "was deleted, or has expired" in test.warning[0].value
    assert address(test) == {"project": [PROJECT]}


def test_a_link_to_a_deleted_view_says_so():
    documented = Documented()
    view = a_view(documented)
    documented.asked.delete(view, "bob")
    test = show(documented, project=[PROJECT], v=[view.document_id])
    assert "was deleted" in test.warning[0].value


def test_a_view_of_another_page_is_not_forced_upon_this_one():
    documented = Documented()
    view = a_view(documented, page="runs", query="q=x")
    test = show(documented, project=[PROJECT], v=[view.document_id])
    assert "of another page" in test.warning[0].value
    assert "q" not in address(test)


def test_a_long_view_is_opened_as_a_short_address_that_says_the_same():
    documented = Documented()
    runs = [f"{PROJECT}/run-{number:04}" for number in range(100)]
    query = "s=20&" + "&".join(f"hide={run.replace('/', '%2F')}" for run in runs)
    view = a_view(documented, query=query)
    test = show(documented, v=[view.document_id])
    assert not test.exception
    said = address(test)
    assert set(said) == {"project", "s", "v"}
    held = documents.read_view(documented.asked.short(said["v"][0]).body)
    assert held.keys == {"hide": runs}
    again = show(documented, **said)
    assert address(again) == said


def test_a_view_is_updated_renamed_and_deleted_and_its_versions_stay():
    documented = Documented()
    view = a_view(documented)
    test = show(documented, project=[PROJECT], m=["acc"])
    test.selectbox(key="view_chosen").select_index(0).run()
    test.button(key="view_update").click().run()
    assert not test.exception
    newest = documented.reader.get_document(Kind.VIEW, view.document_id)
    assert documents.read_view(newest.body).keys["m"] == ["acc"]
    test.selectbox(key="view_chosen").select_index(0).run()
    next(box for box in test.text_input if box.label == "New name").set_value("accuracies")
    next(button for button in test.button if button.label == "Rename").click().run()
    assert documented.reader.get_document(Kind.VIEW, view.document_id).name == "accuracies"
    test.selectbox(key="view_chosen").select_index(0).run()
    test.button(key="view_delete").click().run()
    assert documented.reader.list_documents(Kind.VIEW, PROJECT) == []
    assert len(documented.reader.list_versions(Kind.VIEW, view.document_id, PROJECT)) == 4


def test_whoever_updates_a_view_that_somebody_changed_meanwhile_is_told_and_loses_nothing():
    documented = Documented()
    view = a_view(documented)
    test = show(documented, project=[PROJECT], m=["acc"])
    test.selectbox(key="view_chosen").select_index(0).run()
    documented.asked.save(view, "bob", name="bob's")
    test.button(key="view_update").click().run()
    assert not test.exception
    assert any("bob changed this view" in one.value for one in test.warning)
    assert documented.reader.get_document(Kind.VIEW, view.document_id).name == "bob's"


def test_a_page_begins_with_its_default_view_once_and_not_when_the_address_says_something():
    documented = Documented()
    view = a_view(documented, query="m=loss")
    documented.asked.set_default(PROJECT, "workspace", view.document_id, "ada")
    assert address(show(documented, project=[PROJECT])) == {"project": [PROJECT], "m": ["loss"]}
    assert address(show(documented)) == {"project": [PROJECT], "m": ["loss"]}
    assert "m" not in address(show(documented, project=[PROJECT], s=["5"]))
    test = show(documented, project=[PROJECT])
    test.query_params.clear()
    test.query_params["project"] = PROJECT
    test.run()
    assert address(test) == {"project": [PROJECT]}


def test_a_default_that_was_deleted_is_no_default():
    documented = Documented()
    view = a_view(documented)
    documented.asked.set_default(PROJECT, "workspace", view.document_id, "ada")
    documented.asked.delete(view, "bob")
    assert address(show(documented, project=[PROJECT])) == {"project": [PROJECT]}


def test_the_default_is_chosen_in_the_menu():
    documented = Documented()
    view = a_view(documented)
    test = show(documented, project=[PROJECT], s=["5"])
    test.selectbox(key="view_chosen").select_index(0).run()
    test.button(key="view_default").click().run()
    assert documented.asked.default(PROJECT, "workspace") == view.document_id
    assert "opens with the page" in html(test)


def test_a_dashboard_that_only_reads_lists_views_and_offers_no_change():
    documented = Documented(may_edit=False)
    a_view(documented)
    test = show(documented, project=[PROJECT])
    assert "losses" in html(test)
    assert not [box for box in test.text_input if box.label == "Save this view as"]


@pytest.mark.parametrize("documented", [None, "down"])
def test_pages_go_on_without_documents_and_with_a_silent_store_of_them(documented):
    given = None
    if documented == "down":
        given = Documented()
        given.down = True
    test = show(given, project=[PROJECT], v=["abcdefgh"])
    assert not test.exception
    assert test.get("bidi_component") or test.get("component") or test.main
