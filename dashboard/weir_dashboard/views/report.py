"""A report: read, edited beside its preview, its versions and what changed between them."""

from __future__ import annotations

import time
from uuid import UUID

import streamlit as st

from weir_dashboard import data, documents, navigation, theme, words
from weir_dashboard.report_versions import diff
from weir_dashboard.views import report_blocks, report_editor, states
from weir_store.documents.records import Document, Kind


def render() -> None:
    """Show the report the address names."""
    if not data.ask().documents.offered:
        st.info("This dashboard was started without reports.", icon=":material/info:")
        return
    document_id = st.query_params.get("id", "")
    with states.failures(), states.loading():
        found = (
            states.value(data.ask().documents.get(Kind.REPORT, document_id))
            if documents.is_id(document_id)
            else None
        )
    if found is None:
        st.info("There is no such report.", icon=":material/search:")
        st.page_link(navigation.page("reports"), label="All reports →")
        return
    may = data.ask().documents.may_edit and data.ask().me.may_edit(found.project)
    with states.failures():
        if found.is_deleted:
            _deleted(found, may=may)
        elif may and st.query_params.get("edit") == "true":
            report_editor.show(found)
        else:
            _read(found, may=may)


def _read(report: Document, *, may: bool) -> None:
    shown = _version_shown(report)
    facts = {
        "": f"by {shown.by}, {words.ago(shown.at_unix_us, time.time())}",
        "version": f"{shown.version} of {report.version}",
        "in": report.project,
    }
    with st.container(key="weir-report"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(theme.head(shown.name, facts), width="content")
            if (
                may
                and shown is report
                and st.button("Edit", key="report_edit", icon=":material/edit:")
            ):
                st.query_params["edit"] = "true"
                st.rerun()
            st.html(
                f'<div class="weir-head"><a href="/api/report?id={report.document_id}"'
                " download>Export as one HTML file</a></div>",
                width="content",
            )
            _versions(report, shown)
        if shown is not report:
            _old(report, shown, may=may)
        report_blocks.show(shown.body, key=f"report-{shown.save_id.hex}")


def _version_shown(report: Document) -> Document:
    """Return the version that the address names, else the newest."""
    try:
        wanted = UUID(st.query_params.get("version", ""))
    except ValueError:
        return report
    if wanted == report.save_id:
        return report
    found = states.value(data.ask().documents.version(report, wanted))
    return found if found is not None and not found.is_deleted else report


def _versions(report: Document, shown: Document) -> None:
    with st.popover(f"{words.count(report.version, 'version')}", icon=":material/history:"):
        for one in states.value(data.ask().documents.versions(report)):
            said = "deleted" if one.is_deleted else f"{one.size_bytes:,} bytes"
            label = (
                f"{one.version} · {words.plain(one.by)} · {words.instant(one.at_unix_us)} · {said}"
            )
            if st.button(
                label, key=f"version-{one.save_id.hex}", disabled=one.is_deleted, type="tertiary"
            ):
                st.query_params["version"] = str(one.save_id)
                st.rerun()


def _old(report: Document, shown: Document, *, may: bool) -> None:
    st.warning(
        f"This is version {shown.version}; the newest is {report.version}.",
        icon=":material/history:",
    )
    with st.container(horizontal=True):
        if st.button("The newest", key="version_newest"):
            del st.query_params["version"]
            st.rerun()
        if may and st.button("Make this the newest", key="version_restore"):
            data.ask().documents.save_over(
                report, data.ask().me.by, name=shown.name, body=shown.body
            )
            del st.query_params["version"]
            st.rerun()
    with st.expander("What changed since"):
        lines = diff(shown, report)
        st.code("\n".join(lines) or "nothing", language="diff")


def _deleted(report: Document, *, may: bool) -> None:
    who, when = words.plain(report.by), words.ago(report.at_unix_us, time.time())
    st.info(f"{who} deleted this report {when}.", icon=":material/delete:")
    if may and st.button("Bring it back", key="report_back"):
        data.ask().documents.save_over(report, data.ask().me.by, name=report.name, body=report.body)
        st.rerun()
    st.page_link(navigation.page("reports"), label="All reports →")
