"""Compare: chosen runs or those of a filter, of any projects: curves, differences, results, parameters."""

from __future__ import annotations

from typing import Final

import streamlit as st

from weir_dashboard import charts
from weir_dashboard.views import (
    compare_baseline,
    compare_parameters,
    compare_results,
    compare_runs,
    compare_scatter,
    differences,
    pick,
    states,
    wall,
)

_TABS: Final = ("Curves", "Differences", "Results", "Hyper-parameters", "Scatter")
_ALL_DRAWN: Final = 30
"""So many chosen runs are all drawn at first; of more, as many as of a filter's."""


def render() -> None:
    """Show the runs the address names, those picked in the table, or those of a filter."""
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        tab = pick.tab(_TABS)
    with states.failures():
        found = compare_runs.read(whole=tab != _TABS[0])
        if found is None:
            return
        runs = found.runs
        if tab == "Curves":
            drawn = len(runs) if len(runs) <= _ALL_DRAWN else charts.DRAWN_AT_FIRST
            key = "wall-compare" if found.chosen else "wall-compare-filter"
            wall.show(
                runs, found.total, drawn=drawn if found.chosen else charts.DRAWN_AT_FIRST, key=key
            )
        elif tab == "Differences":
            differences.show(runs, compare_baseline.choose(runs, right))
        elif tab == "Results":
            compare_results.show(runs, compare_baseline.choose(runs, right))
        elif tab == "Hyper-parameters":
            compare_parameters.show(runs)
        else:
            compare_scatter.show(runs)
    if found.chosen:
        st.page_link(
            compare_runs.workspace(),
            label="Open in workspace →",
            query_params=compare_runs.address([run.ref for run in runs]),
        )
