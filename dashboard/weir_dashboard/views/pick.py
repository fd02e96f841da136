"""Controls that several pages share: the project, and runs picked by id."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from weir_dashboard import selection
from weir_dashboard.selection import Selection
from weir_store.records import Project, RunRef

_PICKED = "picked"
_DROPPED = "picks_dropped"


def shown() -> Selection:
    """Read what the address asks for."""
    return selection.parse({key: st.query_params.get_all(key) for key in st.query_params})


def project(projects: Sequence[Project], wanted: str) -> str:
    """Let the user choose a project; the address always names it, so that links keep their meaning."""
    names = [one.name for one in projects]
    wanted = wanted or st.session_state.get("last_project", "")
    if wanted and wanted not in names:
        names.append(wanted)
    chosen: str = st.selectbox(
        "Project", names, index=names.index(wanted) if wanted else 0, label_visibility="collapsed"
    )
    st.session_state["last_project"] = chosen
    if st.query_params.get("project") != chosen:
        st.query_params["project"] = chosen
    return chosen


def tab(tabs: Sequence[str]) -> str:
    """Let the user choose a tab; it lives in the address, the first one leaves no trace there."""
    return st.segmented_control(
        "Show",
        tabs,
        default=tabs[0],
        required=True,
        key="tab",
        bind="query-params",
        label_visibility="collapsed",
    )


def where_input() -> str:
    """Let the user write a filter; it lives in the address."""
    typed = st.text_input(
        "Filter",
        key="q",
        bind="query-params",
        placeholder="Filter: words, or config.lr < 1e-3 and state = 'running'",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    return (typed or "").strip()


def picked() -> list[RunRef]:
    """Return the runs picked so far, in order of picking; they survive filters and pages."""
    return list(st.session_state.get(_PICKED, ()))


def repick(on_page: Sequence[RunRef], chosen: Sequence[RunRef]) -> list[RunRef]:
    """Replace what is picked on this page; picks that a filter hides stay."""
    hidden = [ref for ref in picked() if ref not in set(on_page)]
    kept = [ref for ref in picked() if ref in set(chosen)]
    now = list(dict.fromkeys([*hidden, *kept, *chosen]))
    st.session_state[_PICKED] = now
    return now


def drop_picks() -> None:
    """Forget all picks, and let the table forget its own."""
    st.session_state[_PICKED] = []
    st.session_state[_DROPPED] = times_dropped() + 1


def times_dropped() -> int:
    """Count how often all picks were forgotten: part of the table's key."""
    return int(st.session_state.get(_DROPPED, 0))
