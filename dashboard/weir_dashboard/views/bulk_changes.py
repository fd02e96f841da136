"""Changing many runs at once: what is to be done, whether it is meant, and what came of each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import pandas as pd
import streamlit as st

from weir_dashboard import bulk, data, units, words
from weir_dashboard.data_edits import MOST_AT_ONCE, Outcome
from weir_dashboard.views import pick, states
from weir_store.edits import Edits
from weir_store.errors import InvalidQuery, StoreError
from weir_store.records import RunRef

_REPORT: Final = "bulk_report"
_LOOK_AGAIN_S: Final = 2


def may_change(project: str) -> bool:
    """Whether this dashboard changes runs, and whoever looks may change those of this project."""
    return data.ask().edits.offered and data.ask().me.may_edit(project)


def offer(refs: Sequence[RunRef]) -> None:
    """Draw the menu of what can be done with the runs that are picked."""
    if not refs or not all(may_change(project) for project in {ref.project for ref in refs}):
        return
    if len(refs) > MOST_AT_ONCE:
        st.caption(f"Up to {MOST_AT_ONCE:,} runs can be changed at once.")
        return
    offered = list(_MANY if len(refs) > 1 else _ONE)
    chosen = st.menu_button(f"Change {len(refs):,}", offered, key="change")
    if chosen:
        open_dialog(chosen, refs)


def open_dialog(what: str, refs: Sequence[RunRef]) -> None:
    """Ask what exactly is to be done with these runs, and whether it is meant."""
    _ONE[what](tuple(refs))


@st.dialog("Tag")
def _tag(refs: tuple[RunRef, ...]) -> None:
    tags = bulk.clean_tags(_tags("Tags to add"))
    _confirm(f"Tag {_runs(refs)}", bool(tags), lambda: _edit(refs, Edits(add_tags=tags)))


@st.dialog("Untag")
def _untag(refs: tuple[RunRef, ...]) -> None:
    tags = bulk.clean_tags(_tags("Tags to take away"))
    _confirm(f"Untag {_runs(refs)}", bool(tags), lambda: _edit(refs, Edits(remove_tags=tags)))


@st.dialog("Notes", width="medium")
def _note(refs: tuple[RunRef, ...]) -> None:
    notes = st.text_area(
        "Notes, in Markdown; they take the place of what was there", key="bulk_notes"
    )
    _confirm(f"Write to {_runs(refs)}", True, lambda: _edit(refs, Edits(notes=notes or "")))


@st.dialog("Rename")
def _rename(refs: tuple[RunRef, ...]) -> None:
    with states.failures():
        run = data.ask().run(refs[0]).value
    name = st.text_input("Name", run.name, key="bulk_name") or ""
    _confirm("Rename", name != run.name, lambda: _edit(refs, Edits(name=name)))


@st.dialog("Stop")
def _stop(refs: tuple[RunRef, ...]) -> None:
    st.markdown(
        "Their processes are asked to end: `run.should_stop` turns true. Runs that have ended stay as they are."
    )
    reason = _reason()
    _confirm(
        f"Stop {_runs(refs)}",
        True,
        lambda: data.ask().edits.stop(refs, reason, data.ask().me.by),
    )


@st.dialog("Move to another project")
def _move(refs: tuple[RunRef, ...]) -> None:
    with states.failures():
        names = [
            one.name for one in data.ask().projects().value if data.ask().me.may_edit(one.name)
        ]
    target = st.selectbox(
        "To project", names, index=None, accept_new_options=True, key="bulk_target"
    )
    st.caption("Runs take all their points, logs and files along; running ones are refused.")
    reason = _reason()
    _confirm(
        f"Move {_runs(refs)}",
        bool(target),
        lambda: data.ask().edits.move(refs, target or "", reason, data.ask().me.by),
    )


@st.dialog("Delete")
def _delete(refs: tuple[RunRef, ...]) -> None:
    with states.failures():
        weight = data.ask().edits.weigh(refs)
    st.markdown(
        f"**{words.count(len(refs), 'run')}** will be gone from every page and answer at once, and cannot be had back."
        f" This frees {words.count(weight.rows, 'row')}, about {units.size(weight.bytes)} in the tables, and the bytes"
        " of files that nothing else needs."
    )
    st.caption(_some(refs))
    reason = _reason()
    _confirm(
        f"Delete {_runs(refs)}",
        True,
        lambda: data.ask().edits.delete(refs, reason, data.ask().me.by),
        gone=True,
    )


_MANY: Final = {
    "Tag": _tag,
    "Untag": _untag,
    "Notes": _note,
    "Stop": _stop,
    "Move": _move,
    "Delete": _delete,
}
_ONE: Final = {"Rename": _rename, **_MANY}


def tell(outcomes: Sequence[Outcome]) -> None:
    """Keep what came of a change, to be shown above the table."""
    st.session_state[_REPORT] = list(outcomes)


def show_report() -> None:
    """Say what came of the last change of many runs, until it is dismissed; looks again while it is under way."""
    outcomes: list[Outcome] = st.session_state.get(_REPORT) or []
    if outcomes:
        st.fragment(_report, run_every=_LOOK_AGAIN_S if _waiting(outcomes) else None)()


def _report() -> None:
    outcomes: list[Outcome] = st.session_state.get(_REPORT) or []
    if _waiting(outcomes):
        with suppress(StoreError):  # what was known is still worth showing
            outcomes = list(data.ask().edits.stands(outcomes))
        st.session_state[_REPORT] = outcomes
        if not _waiting(outcomes):
            st.rerun()  # the table has changed, and nobody has to look again
    still = _waiting(outcomes)
    told = bulk.report(outcomes) + (f", {still:,} under way" if still else "")
    with st.expander(told, expanded=any(not each.is_done for each in outcomes)):
        table = pd.DataFrame(
            {
                "run": [f"{each.ref.project}/{each.ref.run_id}" for each in outcomes],
                "": ["✓" if each.is_done else "✕" for each in outcomes],
                "what came of it": [each.said for each in outcomes],
            }
        )
        st.dataframe(table, hide_index=True, height=min(38 + 31 * len(table), 260), row_height=31)
        if st.button("Dismiss", key="bulk_dismiss"):
            st.session_state[_REPORT] = []
            st.rerun()


def _waiting(outcomes: Sequence[Outcome]) -> int:
    return sum(each.change is not None for each in outcomes)


def _edit(refs: Sequence[RunRef], edits: Edits) -> list[Outcome]:
    return data.ask().edits.edit([(ref, edits) for ref in refs], data.ask().me.by)


def _confirm(
    label: str, ready: bool, do: Callable[[], list[Outcome]], *, gone: bool = False
) -> None:
    """Draw the button that means it; what is refused as a whole is said above it."""
    if not st.button(label, type="primary", key="bulk_confirm", disabled=not ready):
        return
    try:
        outcomes = do()
    except InvalidQuery as wrong:
        st.error(str(wrong), icon=":material/error:")
        return
    except StoreError as silent:
        st.error(f"The store does not answer: {silent}. Nothing more was changed.")
        return
    tell(outcomes)
    if gone:
        pick.forget_picks([each.ref for each in outcomes if each.is_done])
    st.rerun()


def _tags(label: str) -> list[str]:
    return st.multiselect(
        label, [], accept_new_options=True, key="bulk_tags", placeholder="type a tag, Enter"
    )


def _reason() -> str:
    return st.text_input("Why? It stands in the audit.", key="bulk_reason", max_chars=400) or ""


def _runs(refs: Sequence[RunRef]) -> str:
    return words.count(len(refs), "run")


def _some(refs: Sequence[RunRef]) -> str:
    named = [words.plain(ref.run_id) for ref in refs[:8]]
    more = len(refs) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")
