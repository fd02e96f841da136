"""Compare: chosen runs, of any projects, as curves and as differences."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from weir_dashboard import data, navigation, selection
from weir_dashboard.selection import Selection
from weir_dashboard.views import pick, states, wall
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
    tab = st.segmented_control(
        "Show",
        _TABS,
        default=_TABS[0],
        required=True,
        key="tab",
        bind="query-params",
        label_visibility="collapsed",
    )
    with states.failures():
        if tab == "Differences":
            _differences(runs)
        else:
            wall.show(runs, len(runs), drawn=len(runs), key="wall-compare")


def _differences(runs: Sequence[Run]) -> None:
    all_rows = st.toggle("Show equal rows too", key="all", bind="query-params")
    refs = [run.ref for run in runs]
    table = states.value(data.ask().compared(refs, only_different=not all_rows)).to_pandas()
    if table.empty:
        st.info("These runs do not differ in config, metadata or summary.", icon=":material/equal:")
        return
    names = {selection.format_ref(run.ref): run.name or run.run_id for run in runs}
    for ref in names:
        table[ref] = table[ref].map(_short, na_action="ignore")
    if len(set(names.values())) == len(names):
        table = table.rename(columns=names)
    st.dataframe(
        table.drop(columns="differs" if not all_rows else []),
        hide_index=True,
        height=min(38 + 33 * len(table), 760),
        row_height=33,
        column_config={
            "kind": st.column_config.TextColumn(pinned=True, width="small"),
            "path": st.column_config.TextColumn(pinned=True),
        },
    )
    back = Selection(runs=tuple(refs))
    st.page_link(
        navigation.page("workspace"),
        label="Open in workspace →",
        query_params=selection.build(back),
    )


def _short(text: str) -> str:
    """Leave six digits of a long fraction: enough to see the difference, and the column stays narrow."""
    try:
        return f"{float(text):.6g}" if "." in text else text
    except ValueError:
        return text
