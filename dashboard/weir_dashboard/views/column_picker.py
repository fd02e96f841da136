"""Columns of the runs table: found among all names by search in the store, put in order, remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import columns_of, data, words
from weir_dashboard.columns_of import KINDS, STEP
from weir_dashboard.selection import Selection
from weir_dashboard.views import pick, states

DRAFT: Final = "columns_draft"
_KEPT: Final = "columns_kept"
_LISTED: Final = 12


def chosen(project: str, asked: Selection) -> list[str]:
    """Return the columns to show: of the address, else those chosen last, else what tells runs apart."""
    kept: dict[str, list[str]] = st.session_state.setdefault(_KEPT, {})
    columns = columns_of.known(asked.columns)
    if not columns and pick.has_just_come():  # but for that, the address alone decides
        columns = kept.get(project, [])
        pick.remember("col", columns)
    kept[project] = columns
    return columns or list(data.ask().first_columns(project))


def offer(project: str, columns: Sequence[str], *, is_chosen: bool) -> None:
    """Draw the button that opens the dialog."""
    if st.button("Columns", key="columns", width="stretch"):
        st.session_state[DRAFT] = list(columns)
        open_dialog(project, is_chosen=is_chosen)


@st.dialog("Columns", width="large")
def open_dialog(project: str, *, is_chosen: bool) -> None:
    """Let columns be found and put in order; nothing is shown otherwise before it is said so."""
    left, right = st.columns(2, gap="medium")
    with left, states.failures():
        _find(project)
    with right:
        _in_order()
    draft: list[str] = st.session_state[DRAFT]
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("What differs, and results", key="columns_default", disabled=not is_chosen):
            _use(project, [])
        if st.button("Show them", key="columns_use", type="primary", disabled=not draft):
            _use(project, draft)


def _use(project: str, columns: Sequence[str]) -> None:
    st.session_state.setdefault(_KEPT, {})[project] = list(columns)
    pick.remember("col", columns)
    st.rerun()


def _find(project: str) -> None:
    search = st.text_input(
        "Find names of config, summary and metrics",
        key="columns_find",
        placeholder="words, or a glob: val/* loss",
        live=True,
    )
    page = states.value(data.ask().names.find(project, (search or "").strip(), limit=_LISTED))
    draft: list[str] = st.session_state[DRAFT]
    for at, found in enumerate(page.names):
        column = columns_of.begun(found.space, found.name)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                words.plain(f"{found.space}.{found.name}"),
                key=f"columns_add_{at}",
                help=f"in {words.count(found.runs, 'run')}",
                type="tertiary",
                icon=":material/add:",
                disabled=len(draft) >= columns_of.MOST,
                on_click=_add,
                args=(column,),
            )
    of = f"{len(page.names):,} of " if len(page.names) < page.total else ""
    st.caption(f"{of}{words.count(page.total, 'name')}")


def _in_order() -> None:
    draft: list[str] = st.session_state[DRAFT]
    st.caption(f"Shown, from left to right: {words.count(len(draft), 'column')}")
    for at, column in enumerate(draft):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(words.plain(columns_of.label(column)), width="stretch")
            _kind(at, column)
            for sign, by in (("↑", -1), ("↓", 1)):
                st.button(
                    sign,
                    key=f"columns_{sign}_{at}",
                    help=f"move {'left' if by < 0 else 'right'}",
                    disabled=not 0 <= at + by < len(draft),
                    on_click=_move,
                    args=(at, by),
                )
            st.button("✕", key=f"columns_drop_{at}", help="take away", on_click=_drop, args=(at,))


def _kind(at: int, column: str) -> None:
    """Let the user choose which number of a metric it is."""
    kind = columns_of.kind_of(column)
    if not kind:
        return
    key = f"columns_kind_{at}_{column}"
    st.selectbox(
        "which",
        KINDS,
        index=KINDS.index(kind),
        key=key,
        label_visibility="collapsed",
        width=110,
        on_change=_change_kind,
        args=(at, column, key),
    )
    if kind == STEP:
        st.number_input(
            "step",
            0,
            value=columns_of.step_of(column),
            key=f"{key}_step",
            label_visibility="collapsed",
            width=110,
            on_change=_change_kind,
            args=(at, column, key),
        )


def _change_kind(at: int, column: str, key: str) -> None:
    step = int(st.session_state.get(f"{key}_step") or 0)
    draft: list[str] = st.session_state[DRAFT]
    wanted = columns_of.of_kind(column, st.session_state[key], step)
    st.session_state[DRAFT] = columns_of.known([*draft[:at], wanted, *draft[at + 1 :]])


def _add(column: str) -> None:
    draft: list[str] = st.session_state[DRAFT]
    st.session_state[DRAFT] = columns_of.known([*draft, _other(column, draft)])


def _other(column: str, draft: Sequence[str]) -> str:
    """Return the column, or of a metric that is there already the next of its numbers."""
    kinds = [columns_of.of_kind(column, kind) for kind in KINDS if columns_of.kind_of(column)]
    return next((each for each in kinds if each not in draft), column)


def _move(at: int, by: int) -> None:
    st.session_state[DRAFT] = columns_of.moved(st.session_state[DRAFT], at, by)


def _drop(at: int) -> None:
    st.session_state[DRAFT] = [each for n, each in enumerate(st.session_state[DRAFT]) if n != at]
