"""Workspace: the curves of a project's newest runs, of a filter's, or of chosen ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import streamlit as st

from weir_dashboard import charts, data
from weir_dashboard.component.filter_hints import filter_hints
from weir_dashboard.data_groups import Whose
from weir_dashboard.selection import Selection
from weir_dashboard.views import pick, states, wall
from weir_store.errors import StoreUnavailable
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
        filter_hints(project, key="filter_hints")
    _follow(project, where)


def _chosen(asked: Selection) -> None:
    with states.failures():
        runs = wall.runs_of(asked.runs)
        wall.show(runs, len(runs), drawn=len(runs), key="wall-chosen")


@st.fragment
def _follow(project: str, where: str) -> None:
    """Draw the newest runs; new ones join, and the browser keeps zoom and selection.

    The wall has this run again while it is seen; where there is none, the page looks again by itself.
    """
    with states.failures(), _looking_again():
        page = _matching(project, where)
        if page.total == 0:
            _nothing(project, where)
            return
        runs = wall.with_named(page.runs, pick.shown().chart)
        total = page.total + len(runs) - len(page.runs)
        wall.show(
            runs,
            total,
            drawn=charts.DRAWN_AT_FIRST,
            key="wall",
            follow=True,
            whose=Whose(project, where),
        )


def _matching(project: str, where: str) -> RunPage:
    query = RunQuery(project, where, limit=charts.LISTED, columns=())
    return states.value(data.ask().runs(query))


@contextlib.contextmanager
def _looking_again() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable:
        states.look_again()
        raise


def _nothing(project: str, where: str) -> None:
    everything = states.value(data.ask().runs(RunQuery(project, limit=1, columns=())))
    if where and everything.total:
        states.no_match(where, everything.total)
        states.look_again()
    else:
        states.empty(project)
