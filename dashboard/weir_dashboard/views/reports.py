"""Reports: what people wrote about their runs, by project; and where a chart is added to one."""

from __future__ import annotations

import time
from html import escape
from typing import Final

import streamlit as st

from weir_dashboard import data, documents, navigation, theme, words
from weir_dashboard.report_markdown import write_panel
from weir_dashboard.views import pick, states
from weir_store.documents.records import Document, Kind
from weir_store.errors import StoreError

_NEW: Final = "a new report"
_FIRST: Final = "What was asked, what was found.\n\n"


def render() -> None:
    """List the reports of a project, begin one, or add a chart to one."""
    if not data.ask().documents.offered:
        st.info("This dashboard was started without reports.", icon=":material/info:")
        return
    with states.failures(), states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return
    left, right = st.columns([1.4, 4], vertical_alignment="center")
    with left:
        project = pick.project(projects, pick.shown().project)
    with states.failures():
        found = states.value(data.ask().documents.listed(Kind.REPORT, project))
    may = data.ask().documents.may_edit and data.ask().me.may_edit(project)
    with right:
        if may:
            _new(project)
    if "add" in st.query_params and may:
        _add(project, found)
    if found:
        st.html(_list(found))
    else:
        _none(project, may=may)


def _new(project: str) -> None:
    with st.popover("New report", icon=":material/add:"), st.form("report_new", border=False):
        name = st.text_input("Its name", max_chars=documents.LONGEST_NAME)
        if st.form_submit_button("Begin", type="primary"):
            _begin(project, name, "")


def _begin(project: str, name: str, panel: str) -> None:
    try:
        body = _FIRST + panel
        made = data.ask().documents.create(Kind.REPORT, project, name, body, data.ask().me.by)
    except StoreError as wrong:
        st.error(words.plain(str(wrong)))
        return
    edit(made)


def edit(report: Document) -> None:
    """Go to the editor of a report."""
    st.switch_page(
        navigation.page("report"), query_params={"id": report.document_id, "edit": "true"}
    )


def _add(project: str, found: list[Document]) -> None:
    """Put a chart of the wall, which the address holds, at the end of a report."""
    metrics = st.query_params.get_all("metric")
    panel = write_panel("chart", st.query_params["add"], metric=metrics)
    with st.container(border=True):
        st.markdown(f"**Add {words.plain(', '.join(metrics)) or 'these charts'} to a report**")
        with st.form("report_add", border=False):
            options = [*found, None]
            into = st.selectbox("To", options, format_func=lambda one: one.name if one else _NEW)
            name = st.text_input("Name of the new one", max_chars=documents.LONGEST_NAME)
            if st.form_submit_button("Add", type="primary"):
                if into is None:
                    _begin(project, name or "Report", panel)
                else:
                    _append(into, panel)


def _append(into: Document, panel: str) -> None:
    asked = data.ask().documents
    try:
        whole = asked.get(Kind.REPORT, into.document_id, into.project).value
        if whole is None or whole.is_deleted:
            st.warning("This report was deleted.")
            return
        saved = asked.save(whole, data.ask().me.by, body=f"{whole.body.rstrip()}\n\n{panel}")
    except StoreError as wrong:
        st.error(words.plain(str(wrong)))
        return
    edit(saved)


def _list(found: list[Document]) -> str:
    rows = "".join(
        f'<li><a href="/report?id={one.document_id}" target="_self">{escape(one.name)}</a><br>'
        f"<small>{escape(one.owner)} · changed {words.ago(one.at_unix_us, time.time())} by"
        f" {escape(one.by)} · version {one.version}</small></li>"
        for one in found
    )
    count = words.count(len(found), "report")
    return f'{theme.head("Reports", {"": count})}<ul class="weir-views">{rows}</ul>'


def _none(project: str, *, may: bool) -> None:
    st.html(theme.head("No reports yet", {"": f"in {project}"}))
    st.caption(
        "A report is Markdown with live charts, tables, SQL, runs and media between its words."
        " “Add to a report” in the ⋯ of a chart begins one."
        if may
        else "This dashboard only reads reports (`dashboard.edit_documents`)."
    )
