"""Home: the projects, last active first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import data, navigation, run_table, selection, theme, words
from weir_dashboard.selection import Selection
from weir_dashboard.views import alerts, states, table_of_runs
from weir_store.records import Project, RunQuery

_ACROSS: Final = 3
_AT_ONCE: Final = 60
_LATEST: Final = 15


def render() -> None:
    """Show the projects, or how to begin."""
    with states.failures(), states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return
    alerts.show_firing()
    words_typed = _search(projects)
    matching = [one for one in projects if all(word in one.name.lower() for word in words_typed)]
    if not matching:
        st.info(f"No project matches. {len(projects):,} projects in all.", icon=":material/search:")
    _cards(matching[:_AT_ONCE])
    if len(matching) > _AT_ONCE:
        st.caption(f"{_AT_ONCE} of {len(matching):,} projects shown: search to reach the others.")
    _latest()


@st.fragment(run_every=10)
def _latest() -> None:
    """Show the newest runs of all projects."""
    with states.failures():
        page = states.value(data.ask().runs(RunQuery(limit=_LATEST)))
    st.html(theme.head("Latest runs", level=2))
    table_of_runs.show(page.runs, run_table.first_columns(page.runs), with_project=True)
    if page.total > len(page.runs):
        st.caption(f"{len(page.runs)} of {page.total:,} runs shown")


def _search(projects: Sequence[Project]) -> list[str]:
    running = sum(one.running for one in projects)
    runs = sum(one.runs for one in projects)
    left, right = st.columns([3, 1], vertical_alignment="center")
    known = f"{words.count(len(projects), 'project')} · {words.count(runs, 'run')}"
    left.html(theme.head("Projects", {" ": f"{known} · {running:,} running now"}))
    typed = right.text_input(
        "Search", key="find", placeholder="Find a project", label_visibility="collapsed"
    )
    return (typed or "").lower().split()


def _cards(projects: Sequence[Project]) -> None:
    now_unix_s = time.time()
    for start in range(0, len(projects), _ACROSS):
        for place, project in zip(
            st.columns(_ACROSS), projects[start : start + _ACROSS], strict=False
        ):
            with place.container(border=True):
                _card(project, now_unix_s)


def _card(project: Project, now_unix_s: float) -> None:
    to = selection.build(Selection(project=project.name))
    with st.container(horizontal=True, horizontal_alignment="distribute", gap="small"):
        st.page_link(navigation.page("runs"), label=f"**{project.name}**", query_params=to)
        st.page_link(navigation.page("workspace"), label="Curves →", query_params=to)
    runs = words.count(project.runs, "run")
    running = f" · :green[● {project.running:,} running]" if project.running else ""
    st.caption(f"{runs}{running} · active {words.ago(project.last_activity_unix_us, now_unix_s)}")
