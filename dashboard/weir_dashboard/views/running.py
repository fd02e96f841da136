"""What runs now, and what went wrong lately: two tables of Home that are new every few seconds."""

from __future__ import annotations

import time
from typing import Final

import streamlit as st

from weir_dashboard import data, navigation, now_running, selection, theme, words
from weir_dashboard.selection import Selection
from weir_dashboard.views import states
from weir_store.errors import StoreError
from weir_store.health.base import Nonfinite
from weir_store.records import RunQuery

LATELY_S: Final = 7 * 86_400
_SHOWN: Final = 25
_FAILED: Final = 8
_NAMED: Final = 4
_ROW_PX: Final = 33
_TALLEST_PX: Final = 460
_COLUMNS: Final = {
    "color": st.column_config.ImageColumn("", width=32),
    "name": st.column_config.LinkColumn("name", display_text=r"#(.*)$", width="medium"),
    "project": st.column_config.TextColumn("project", width="small"),
    "state": st.column_config.TextColumn("state", width=120),
    "curve": st.column_config.LineChartColumn("curve", width=150),
    "metric": st.column_config.TextColumn("of", width=110),
    "value": st.column_config.TextColumn("now", width=80),
    "step": st.column_config.NumberColumn("step", format="localized", width=80),
    "progress": st.column_config.ProgressColumn("done", format="percent", width=110),
    "running for": st.column_config.TextColumn("running for", width=95),
    "left": st.column_config.TextColumn("left", width=90),
    "ranks": st.column_config.NumberColumn("ranks", width=55),
}


def show(user: str) -> None:
    """Draw both tables, of one user's runs or of everybody's."""
    st.fragment(_running, run_every=5)(user)
    st.fragment(_failed, run_every=15)(user)


def _running(user: str) -> None:
    with states.failures():
        where = now_running.of(user, now_running.RUNNING)
        page = states.value(data.ask().runs(RunQuery(where=where, limit=_SHOWN)))
        st.html(theme.head("Running now", {"": f"{page.total:,}"}, level=2))
        if not page.total:
            st.caption("Nothing runs." if not user else f"Nothing of {words.plain(user)} runs.")
            return
        metrics = {run.ref: now_running.main_metric(run) for run in page.runs}
        known = {ref: metric for ref, metric in metrics.items() if metric}
        sparks = states.value(data.ask().home.sparks(known))
        ordinals = data.ask().ordinals(list(metrics))
        table = now_running.running_frame(page.runs, sparks, ordinals, time.time())
    st.dataframe(
        table,
        height=min(38 + _ROW_PX * len(table), _TALLEST_PX),
        row_height=_ROW_PX,
        hide_index=True,
        column_config=_COLUMNS,
    )
    if page.total > len(page.runs):
        st.caption(f"{len(page.runs)} of {page.total:,} running runs shown, the newest")


def _failed(user: str) -> None:
    since = int(time.time() - LATELY_S) // 3_600 * 3_600
    where = now_running.of(user, now_running.failed_since(since))
    with states.failures():
        page = states.value(
            data.ask().runs(RunQuery(where=where, order_by="-finished", limit=_FAILED))
        )
        _nonfinite(user)
        if not page.total:
            return
        st.html(theme.head("Failed lately", {"": f"{page.total:,} in 7 days"}, level=2))
        ordinals = data.ask().ordinals([run.ref for run in page.runs])
        table = now_running.failed_frame(page.runs, ordinals, time.time())
    st.dataframe(
        table, row_height=_ROW_PX, hide_index=True, column_config=_COLUMNS,
        height=38 + _ROW_PX * len(table),
    )  # fmt: skip
    if page.total > len(page.runs):
        st.caption(f"{len(page.runs)} of {page.total:,} shown, the newest")


def _nonfinite(user: str) -> None:
    """Name the runs of the last day with NaN or ±Inf; says nothing when there is none."""
    if user or not data.ask().health.offered:
        return
    try:
        found = data.ask().health.nonfinite().value
    except StoreError:  # the page says it itself
        return
    if not found:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="weir-nonfinite"):
        runs = words.count(len(found), "run")
        st.markdown(f":orange[**◆ NaN or ±∞**] in {runs} of the last day:")
        for one in found[:_NAMED]:
            _link(one)
        if len(found) > _NAMED:
            st.caption(f"and {len(found) - _NAMED:,} more")


def _link(one: Nonfinite) -> None:
    ref = one.ref
    to = selection.build(Selection(project=ref.project, run_id=ref.run_id))
    told = f"{words.short(ref.project)}/{words.short(ref.run_id)} · {words.short(one.metric)}"
    more = f" and {one.metrics - 1:,} more" if one.metrics > 1 else ""
    st.page_link(navigation.page("run"), label=words.plain(told) + more, query_params=to)
