"""Names, tags and notes typed where they stand: in the table of runs, and on the page of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import bulk, data, words
from weir_dashboard.views import bulk_changes
from weir_store.edits import Edits
from weir_store.errors import InvalidQuery, StoreError
from weir_store.records import Run, RunRef

_ON: Final = "edit_runs"
_TIMES: Final = "edits_saved"
_ROW_PX: Final = 33
_TALLEST_PX: Final = 760


def is_on(project: str) -> bool:
    """Whether the table is typed into."""
    return bool(st.session_state.get(_ON)) and bulk_changes.may_change(project)


def switch(project: str) -> None:
    """Draw the switch between looking and typing."""
    if bulk_changes.may_change(project):
        st.toggle("Edit", key=_ON, help="type names, tags and notes into the table")


def table(runs: Sequence[Run]) -> None:
    """Draw the table that is typed into, and what saves it."""
    frame = bulk.editing_frame(runs)
    key = f"editing-{st.session_state.get(_TIMES, 0)}-{hash_of(runs)}"
    st.data_editor(
        frame,
        key=key,
        height=min(38 + _ROW_PX * len(runs), _TALLEST_PX),
        row_height=_ROW_PX,
        hide_index=True,
        disabled=["id"],
        column_config={
            "id": st.column_config.TextColumn("id", width="small"),
            "name": st.column_config.TextColumn("name", width="medium"),
            "tags": st.column_config.ListColumn("tags", width="medium"),
            "notes": st.column_config.TextColumn("notes, in Markdown", width="large"),
        },
    )
    changed = bulk.typed(runs, st.session_state[key]["edited_rows"])
    with st.container(horizontal=True, vertical_alignment="center"):
        label = f"Save {words.count(len(changed), 'run')}"
        if st.button(label, type="primary", key="save_edits", disabled=not changed):
            _save(changed)
        st.caption("Double-click a cell. Nothing is stored before it is saved.")


def labels(run: Run) -> None:
    """Draw a run's notes, and where they, its tags and its name are changed."""
    if not bulk_changes.may_change(run.project):
        if run.notes:
            st.markdown(run.notes)
        return
    editing = f"editing:{run.project}/{run.run_id}"
    if st.session_state.get(editing):
        _form(run, editing)
        return
    if run.notes:
        st.markdown(run.notes)
    st.button(
        "Edit name, tags and notes" if run.notes else "Add notes and tags",
        key="edit_labels",
        icon=":material/edit:",
        type="tertiary",
        on_click=_set,
        args=(editing, True),
    )


def _form(run: Run, editing: str) -> None:
    with st.form("labels", border=True):
        name = st.text_input("Name", run.name, key="label_name")
        tags = st.multiselect(
            "Tags", list(run.tags), list(run.tags), accept_new_options=True, key="label_tags"
        )
        notes = st.text_area("Notes, in Markdown", run.notes, height=220, key="label_notes")
        with st.container(horizontal=True):
            save = st.form_submit_button("Save", type="primary")
            st.form_submit_button("Leave it as it is", on_click=_set, args=(editing, False))
    if not save:
        return
    edits = bulk.edits_of(run, {"name": name, "tags": tags, "notes": notes})
    if edits != Edits():
        try:
            data.ask().edits.edit([(run.ref, edits)], data.ask().me.by)
        except InvalidQuery as wrong:
            st.error(str(wrong), icon=":material/error:")
            return
        except StoreError as silent:
            st.error(f"The store does not answer: {silent}. What you wrote is still here.")
            return
    _set(editing, False)
    st.rerun()


def _set(key: str, value: bool) -> None:
    st.session_state[key] = value


def hash_of(runs: Sequence[Run]) -> int:
    """Name the rows that are typed into: others in their place start a table of their own."""
    return hash(tuple(run.ref for run in runs))


def _save(changed: Sequence[tuple[RunRef, Edits]]) -> None:
    try:
        outcomes = data.ask().edits.edit(changed, data.ask().me.by)
    except InvalidQuery as wrong:
        st.error(str(wrong), icon=":material/error:")
        return
    except StoreError as silent:
        st.error(f"The store does not answer: {silent}. What you typed is still here.")
        return
    bulk_changes.tell(outcomes)
    st.session_state[_TIMES] = st.session_state.get(_TIMES, 0) + 1
    st.rerun()
