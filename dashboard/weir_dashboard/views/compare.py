"""Compare: chosen runs, of any projects, as curves and as differences."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from weir_dashboard import navigation, selection
from weir_dashboard.selection import Selection
from weir_dashboard.views import differences, pick, states, wall
from weir_store.records import Run

_TABS = ("Curves", "Differences")


def render() -> None:
    """Show the runs the address names, or those picked in the table."""
    refs = pick.shown().runs or tuple(pick.picked())
    if not refs:
        st.info(
            "Pick runs in the table first; runs of several projects may be mixed.",
            icon=":material/search:",
        )
        st.page_link(navigation.page("runs"), label="Pick runs →")
        return
    if not pick.shown().runs:
        st.query_params["run"] = [selection.format_ref(ref) for ref in refs]
    with states.failures(), states.loading():
        runs = wall.runs_of(refs)
    tab = pick.tab(_TABS)
    with states.failures():
        if tab == "Differences":
            differences.show(runs)
            _link(runs)
        else:
            wall.show(runs, len(runs), drawn=len(runs), key="wall-compare")


def _link(runs: Sequence[Run]) -> None:
    st.page_link(
        navigation.page("workspace"),
        label="Open in workspace →",
        query_params=selection.build(Selection(runs=tuple(run.ref for run in runs))),
    )
