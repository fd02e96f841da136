"""Saved views: the menu in the page's head, and what `?v=` in the address stands for."""

from __future__ import annotations

import time
from html import escape
from typing import Final
from urllib.parse import urlencode

import streamlit as st

from weir_dashboard import data, documents, words
from weir_dashboard.data_documents import Overtaken
from weir_dashboard.documents import View
from weir_dashboard.views import pick
from weir_store.documents.records import Document, Kind
from weir_store.errors import InvalidQuery, StoreError

_GONE: Final = "view_gone"  # what to say once of a view that is not there any more
_BEGUN: Final = "views_begun"  # (page, project) that began with their default, or without
_TOLD: Final = "view_told"


def open_address(page: str) -> None:
    """Put what `?v=` stands for in its place, or the view this page begins with. Before the page runs."""
    if not data.ask().documents.offered:
        return
    try:
        if documents.KEY in st.query_params:
            _open(page, st.query_params[documents.KEY])
        elif page in documents.PAGES:
            _begin(page)
    except StoreError:
        return  # the page itself says that the store is silent
    if gone := st.session_state.pop(_GONE, ""):
        st.warning(gone, icon=":material/bookmark_remove:")


def _open(page: str, document_id: str) -> None:
    found = data.ask().documents.short(document_id)
    view = documents.read_view(found.body) if found is not None else None
    if found is None or view is None or view.page != page:
        del st.query_params[documents.KEY]
        elsewhere = view is not None and view.page != page
        why = "is of another page" if elsewhere else "was deleted, or has expired"
        st.session_state[_GONE] = f"The view of this link {why}: this is the page without it."
        return
    if not found.name:
        return  # it stands for the long keys, and stays in the address: pick.query() reads it
    whole = {"project": [found.project], **view.keys}
    whole |= {key: texts for key, texts in _address().items() if key != documents.KEY}
    _write(page, found.project, whole)


def _write(page: str, project: str, whole: dict[str, list[str]]) -> None:
    """Write a query string into the address; its long keys as a short address where they need one."""
    part = documents.long_part(whole)
    may = data.ask().documents.may_edit and data.ask().me.may_edit(project)
    if part and may and documents.is_long(whole):
        long = View(page, urlencode(part, doseq=True))
        whole = documents.short_part(whole)
        whole[documents.KEY] = [data.ask().documents.shorten(project, long, data.ask().me.by)]
    st.query_params.from_dict(whole)


def _begin(page: str) -> None:
    """Begin with the project's default view, once per visit, where the address names nothing."""
    if set(st.query_params) - {"project"}:
        return
    project = st.query_params.get("project") or st.session_state.get("last_project", "")
    if not project:
        known = data.ask().projects().value
        project = known[0].name if known else ""
    begun: set[tuple[str, str]] = st.session_state.setdefault(_BEGUN, set())
    if not project or (page, project) in begun:
        return
    begun.add((page, project))
    asked, me = data.ask().documents, data.ask().me
    wanted = asked.default(project, page, _mine(me.name)) or asked.default(project, page)
    found = asked.get(Kind.VIEW, wanted, project).value if wanted else None
    view = documents.read_view(found.body) if found and not found.is_deleted else None
    if view is not None and view.page == page:
        _write(page, project, {"project": [project], **view.keys})


def offer(page: str) -> None:
    """Put the menu of views into the head of the page. After the page ran: it names the project."""
    if page not in documents.PAGES or not data.ask().documents.offered:
        return
    if data.ask().me.runs is not None:  # who was shown some runs has no project to look around in
        return
    project = _project()
    if not project:
        return
    with st.container(key="weir-views"), st.popover("Views", icon=":material/bookmarks:"):
        try:
            _menu(page, project)
        except StoreError as silent:
            st.error(words.plain(str(silent)))


def _project() -> str:
    shown = pick.shown()
    return shown.project or (shown.runs[0].project if shown.runs else "")


def _menu(page: str, project: str) -> None:
    if told := st.session_state.pop(_TOLD, ""):
        st.success(told)
    may = data.ask().documents.may_edit and data.ask().me.may_edit(project)
    if may:
        with st.form("view_new", border=False, clear_on_submit=True):
            name = st.text_input(
                "Save this view as", key="view_name", max_chars=documents.LONGEST_NAME
            )
            if st.form_submit_button("Save", type="primary"):
                _act(lambda: _save(page, project, name))
    views = data.ask().documents.listed(Kind.VIEW, project).value
    mine = [view for view in views if view.owner == data.ask().me.by]
    views = [*mine, *(view for view in views if view not in mine)]
    of_page = [view for view in views if _page_of(view) == page]
    if not of_page:
        st.caption(f"No view of this page of {words.plain(project)} is saved yet.")
        return
    default = data.ask().documents.default(project, page)
    st.html(_list(of_page, default))
    chosen = st.selectbox(
        "Change", of_page, format_func=_label, key="view_chosen", index=None,
        placeholder="choose a view to change it",
    )  # fmt: skip
    if chosen is not None and may:
        _change(chosen, page, default)


def _page_of(document: Document) -> str:
    view = documents.read_view(document.body)
    return view.page if view else ""


def _label(view: Document) -> str:
    return f"{view.name} · {view.owner}"


def _list(views: list[Document], default: str) -> str:
    """List views as links: a link loads the page anew, so that charts take the view up."""
    rows = []
    for view in views:
        page = _page_of(view)
        mark = " <small>opens with the page</small>" if view.document_id == default else ""
        ago = words.ago(view.at_unix_us, time.time())
        rows.append(
            f'<li><a href="/{page}?v={view.document_id}" target="_self">{escape(view.name)}</a>{mark}'
            f"<br><small>{escape(view.owner)} · {ago} · version {view.version}</small></li>"
        )
    return f'<ul class="weir-views">{"".join(rows)}</ul>'


def _change(chosen: Document, page: str, default: str) -> None:
    asked, me = data.ask().documents, data.ask().me
    st.code(f"/{page}?v={chosen.document_id}", language=None)
    with st.container(horizontal=True):
        if st.button("Update to what is shown", key="view_update"):
            view = documents.view_of(page, pick.query())
            _act(lambda: _told(asked.save(chosen, me.by, body=documents.body_of(view)), "updated"))
        if st.button("Delete", key="view_delete"):
            _act(lambda: _deleted(chosen))
        if chosen.document_id == default:
            if st.button("No default", key="view_no_default"):
                _act(lambda: _begins(chosen.project, page, ""))
        elif st.button("Default of the project", key="view_default"):
            _act(lambda: _begins(chosen.project, page, chosen.document_id))
        if _mine(me.name) and st.button("My default", key="view_my_default"):
            _act(lambda: _begins(chosen.project, page, chosen.document_id, _mine(me.name)))
    with st.form("view_rename", border=False):
        name = st.text_input("New name", value=chosen.name, max_chars=documents.LONGEST_NAME)
        if st.form_submit_button("Rename"):
            _act(lambda: _told(asked.save(chosen, me.by, name=name), "renamed"))


def _act(do: object) -> None:
    """Do something and look again; what is refused is said here."""
    try:
        do()  # type: ignore[operator]
    except Overtaken as overtaken:
        who = overtaken.newest.by if overtaken.newest else "somebody"
        st.warning(
            f"{words.plain(who)} changed this view since you opened it. Nothing was lost: look again."
        )
        return
    except StoreError as wrong:
        st.error(words.plain(str(wrong)))
        return
    st.rerun()


def _save(page: str, project: str, name: str) -> None:
    asked, me = data.ask().documents, data.ask().me
    name = documents.checked_name(name)
    there = [view for view in asked.listed(Kind.VIEW, project).value if view.name == name]
    if any(_page_of(view) == page for view in there):
        raise InvalidQuery(
            f"there is a view {name!r} already", hint="choose it below and update it"
        )
    body = documents.body_of(documents.view_of(page, pick.query()))
    _told(asked.create(Kind.VIEW, project, name, body, me.by), "saved")


def _told(document: Document, what: str) -> None:
    also = data.ask().documents.at_the_same_moment(document)
    more = f" {also[0].by} saved at the same moment; both versions are kept." if also else ""
    st.session_state[_TOLD] = f"{what}: {words.plain(document.name)}.{more}"


def _deleted(chosen: Document) -> None:
    asked = data.ask().documents
    asked.delete(chosen, data.ask().me.by)
    st.session_state[_TOLD] = (
        f"deleted: {words.plain(chosen.name)}. Its versions stay in the store."
    )


def _begins(project: str, page: str, view_id: str, whose: str = "") -> None:
    data.ask().documents.set_default(project, page, view_id, data.ask().me.by, whose)
    with_it = "with this view" if view_id else "without a view"
    st.session_state[_TOLD] = f"The page begins {with_it} from now on."


def _mine(name: str) -> str:
    """Return whose default it is; "" where nobody is asked for a name."""
    return "" if name == "anonymous" else name


def _address() -> dict[str, list[str]]:
    return {key: st.query_params.get_all(key) for key in st.query_params}
