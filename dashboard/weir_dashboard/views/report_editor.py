"""Writing a report: its text on the left, what it becomes on the right; nothing is lost when two people save."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import streamlit as st

from weir_dashboard import data, documents, navigation, words
from weir_dashboard.data_documents import Overtaken
from weir_dashboard.report_markdown import write_panel
from weir_dashboard.report_versions import diff
from weir_dashboard.views import report_blocks
from weir_store.documents.records import Document, Kind
from weir_store.errors import StoreError

_SEEN: Final = "report_seen"  # the version that is being changed
_THEIRS: Final = "report_theirs"  # what somebody saved in between
_TEXT_PX: Final = 640


def show(report: Document) -> None:
    """Edit a report; what is written stays in this tab until it is saved."""
    seen: Document | None = st.session_state.get(_SEEN)
    begun = f"report_text_{report.document_id}" in st.session_state
    if seen is None or seen.document_id != report.document_id or not begun:
        seen = st.session_state[_SEEN] = report
        st.session_state.pop(_THEIRS, None)
    text_key, name_key = f"report_text_{seen.document_id}", f"report_name_{seen.document_id}"
    st.session_state.setdefault(text_key, seen.body)
    st.session_state.setdefault(name_key, seen.name)
    top = st.container(horizontal=True, vertical_alignment="bottom")
    with top:
        name = st.text_input("Name", key=name_key, max_chars=documents.LONGEST_NAME, width=360)
        save = st.button("Save", type="primary", key="report_save")
        close = st.button("Close", key="report_close", help="what was not saved is forgotten")
        _inserts(seen, text_key)
        _deletion(seen)
    _theirs(seen, name, text_key)
    left, right = st.columns(2)
    with left:
        text = st.text_area(
            "Markdown",
            key=text_key,
            height=_TEXT_PX,
            label_visibility="collapsed",
            help="Ctrl+Enter shows it on the right",
        )
    if save:
        _save(seen, name, text)
    if close:
        _close(seen)
    with right, st.container(height=_TEXT_PX, border=True):
        report_blocks.show(text, key=f"preview-{seen.document_id}")


def _save(seen: Document, name: str, text: str) -> None:
    asked = data.ask().documents
    try:
        saved = asked.save(seen, data.ask().me.by, name=name, body=text)
    except Overtaken as overtaken:
        st.session_state[_THEIRS] = overtaken.newest
        st.rerun()
    except StoreError as wrong:
        st.error(f"Not saved: {words.plain(str(wrong))}")
        return
    if also := asked.at_the_same_moment(saved):
        st.toast(f"{words.plain(also[0].by)} saved at the same moment: both versions are kept.")
    _close(saved)


def _theirs(seen: Document, name: str, text_key: str) -> None:
    """Say that somebody else saved, and let the writer decide; both texts stay."""
    theirs: Document | None = st.session_state.get(_THEIRS)
    if theirs is None:
        return
    what = "deleted" if theirs.is_deleted else "saved"
    st.warning(
        f"{words.plain(theirs.by)} {what} version {theirs.version} while you were writing. Your text is"
        " still here, and not saved.",
        icon=":material/group:",
    )
    with st.expander("What they changed"):
        st.code("\n".join(diff(seen, theirs)) or "nothing", language="diff")
    with st.container(horizontal=True):
        if st.button("Save mine after theirs", key="report_over"):
            saved = data.ask().documents.save_over(
                theirs, data.ask().me.by, name=name, body=st.session_state[text_key]
            )
            _close(saved)
        if st.button("Drop mine, take theirs", key="report_take"):
            _close(theirs)
    st.caption("Whichever you choose, the other one stays among the versions once it was saved.")


def _close(report: Document) -> None:
    """Leave the editor."""
    for key in (
        _SEEN,
        _THEIRS,
        *(f"report_{what}_{report.document_id}" for what in ("text", "name")),
    ):
        st.session_state.pop(key, None)
    st.query_params.pop("edit", None)
    st.rerun()


def _inserts(seen: Document, text_key: str) -> None:
    """Offer blocks to begin with, of this project and of its saved views."""
    project = seen.project
    with st.popover("Insert", icon=":material/add_chart:"):
        st.caption("It comes at the end of the text.")
        for label, panel in _blocks(project).items():
            st.button(
                label,
                key=f"insert-{label}",
                type="tertiary",
                on_click=_insert,
                args=(text_key, panel),
            )
        views = data.ask().documents.listed(Kind.VIEW, project).value
        for view in views:
            panel = write_panel("chart", f"?v={view.document_id}", title=view.name)
            st.button(f"Charts of the view {words.plain(view.name)}", key=f"insert-{view.document_id}",
                      type="tertiary", on_click=_insert, args=(text_key, panel))  # fmt: skip
        st.caption("Or open a chart's ⋯ in the workspace: *Add to a report*.")


def _blocks(project: str) -> dict[str, str]:
    return {
        "Charts of the newest runs": write_panel(
            "chart", f"project={quote(project)}", metric="train/loss"
        ),
        "A table of runs": write_panel("table", f"project={quote(project)}", limit="10"),
        "A statement in SQL": write_panel(
            "sql",
            f"SELECT state, count() AS runs\nFROM runs\nWHERE project = '{_quoted(project)}'\nGROUP BY state",
            draw="bars",
        ),
        "A run": write_panel("run", f"{project}/RUN_ID"),
        "Media of a run": write_panel("media", f"{project}/RUN_ID", name="sample", step="last"),
    }


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _insert(text_key: str, panel: str) -> None:
    st.session_state[text_key] = f"{str(st.session_state[text_key]).rstrip()}\n\n{panel}"


def _deletion(seen: Document) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        st.caption("The report leaves the list; its versions stay, and its link can bring it back.")
        if st.button("Delete this report", key="report_delete"):
            try:
                data.ask().documents.delete(seen, data.ask().me.by)
            except StoreError as wrong:
                st.error(words.plain(str(wrong)))
                return
            st.session_state.pop(_SEEN, None)
            st.switch_page(navigation.page("reports"), query_params={"project": seen.project})
