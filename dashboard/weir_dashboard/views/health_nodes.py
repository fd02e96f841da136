"""Nodes on the health page: who is silent, whose spool is behind, and where to look for slow ones."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import data, health_tables, navigation, selection, theme, words
from weir_dashboard.selection import Selection
from weir_dashboard.views import states
from weir_store.errors import StoreError
from weir_store.health.base import NodeHeard
from weir_store.records import RunQuery

SLOWED: Final = 1.1
"""A node whose steps take this many times the median of its runs is named."""

_ROW_PX: Final = 31
_MOST_PX: Final = 330
_PROJECTS: Final = 5
_NAMED: Final = 3
_RUNNING: Final = 200


def show(nodes: Sequence[NodeHeard]) -> None:
    """List the nodes, and name those that slow their runs down."""
    st.html(theme.head("Nodes", {"": words.count(len(nodes), "node")}, level=2))
    if not nodes:
        st.caption("No process runs just now.")
        return
    table = health_tables.nodes(nodes, time.time())
    height = min(38 + _ROW_PX * len(table), _MOST_PX)
    st.dataframe(table, hide_index=True, height=height, row_height=_ROW_PX, key="health_nodes")
    st.caption(
        "*behind*: how old the newest sample of the node's agent was when it came. Agents sample every few seconds, so"
        " more than a minute means that its spool is behind, or that its clock is."
    )
    if data.ask().ranks.offered and st.toggle("Find slow nodes", key="h_slow", bind="query-params"):
        _slow()


def _slow() -> None:
    """Compare nodes over the runs of each project that runs on several ranks; asked for, because it reads them."""
    with states.failures():
        page = states.value(
            data.ask().runs(RunQuery(where="state = 'running'", limit=_RUNNING, columns=()))
        )
        projects = list(dict.fromkeys(run.project for run in page.runs if run.ranks > 1))
    named = [each for project in projects[:_PROJECTS] for each in _of(project)]
    for project, node, slowdown, lost_s in named:
        to = selection.build(Selection(project=project)) | {"all_nodes": ["true"]}
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(
                f":orange[**▲**] {words.plain(node)}: steps take {slowdown:.2f} × the median of its runs in"
                f" {words.plain(words.short(project))}; {words.span(lost_s)} lost",
                width="content",
            )
            st.page_link(navigation.page("ranks"), label="Ranks →", query_params=to)
    if not named:
        st.caption("No node slows the projects that run on several ranks now.")
    if len(projects) > _PROJECTS:
        st.caption(f"{_PROJECTS} of {len(projects):,} projects were looked at, the newest")


def _of(project: str) -> list[tuple[str, str, float, float]]:
    try:
        rows = data.ask().ranks.nodes(project).value.to_pylist()
    except StoreError as error:
        st.caption(f"{words.plain(project)}: {words.plain(str(error))}")
        return []
    slow = [row for row in rows if (row["slowdown"] or 0) >= SLOWED]
    return [(project, row["node"], row["slowdown"], row["lost_s"] or 0.0) for row in slow[:_NAMED]]
