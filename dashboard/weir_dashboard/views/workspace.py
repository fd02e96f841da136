"""Workspace: the curves of a project's newest runs, of a filter's, or of chosen ones."""

from __future__ import annotations

import streamlit as st

from weir_dashboard import charts, data
from weir_dashboard.selection import Selection
from weir_dashboard.views import pick, states, wall
from weir_store.records import RunPage, RunQuery


def render() -> None:
    """Show the wall."""
    with states.failures(), states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return
    asked = pick.shown()
    if asked.runs:
        _chosen(asked)
        return
    left, right = st.columns([1, 4], vertical_alignment="center")
    with left:
        project = pick.project(projects, asked.project)
    with right:
        where = pick.where_input()
    _follow(project, where)


def _chosen(asked: Selection) -> None:
    with states.failures():
        runs = wall.runs_of(asked.runs)
        wall.show(runs, len(runs), drawn=len(runs), key="wall-chosen")


@st.fragment(run_every=10)
def _follow(project: str, where: str) -> None:
    """Draw the newest runs; new ones join, and the browser keeps zoom and selection."""
    query = RunQuery(project, where, limit=charts.LISTED, columns=())
    with states.failures():
        page: RunPage = states.value(data.ask().runs(query))
        if page.total == 0:
            _nothing(project, where)
            return
        wall.show(list(page.runs), page.total, drawn=charts.DRAWN_AT_FIRST, key="wall")


def _nothing(project: str, where: str) -> None:
    everything = states.value(data.ask().runs(RunQuery(project, limit=1, columns=())))
    if where and everything.total:
        states.no_match(where, everything.total)
    else:
        states.empty(project)
