"""System: what the run's machines did, per node and device, on one axis of time with its curves."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from weir_dashboard import data, system_charts, units, usage
from weir_dashboard.views import states
from weir_store.records import Reduce, Run, RunState, SeriesQuery, XAxis
from weir_store.system.base import SystemQuery

_BUCKETS: Final = 240
_FEWEST_BUCKETS: Final = 48
_MOST_ROWS: Final = 16_000  # of one page; a browser draws so many at once without a pause
_WINDOWS: Final = {"whole run": 0, "last 6 h": 21_600, "last hour": 3_600, "last 10 min": 600}
_NODES_AT_FIRST: Final = 4
_NONE: Final = "—"


def show(run: Run) -> None:
    """Draw usage and panels of one group of metrics."""
    measured = states.value(data.ask().nodes.measured(run.ref))
    if not measured.num_rows:
        st.caption(
            "nothing was measured: the run is too young, or `system` was switched off in its settings"
        )
        return
    _usage(states.value(data.ask().nodes.usage(run.ref)))
    query, aligned = _controls(run, measured)
    table = states.value(data.ask().nodes.measurements(query))
    _panels(run, query, table, aligned)


def _usage(taken: pa.Table) -> None:
    """Say what the run took, in one line, and by device when asked."""
    facts = usage.in_words(taken)
    if not facts:
        return
    frame = taken.to_pandas()
    with st.expander(" · ".join(facts)):
        st.dataframe(
            frame,
            hide_index=True,
            height=min(38 + 31 * len(frame), 320),
            row_height=31,
            column_config={
                "hours": st.column_config.NumberColumn(format="%.2f"),
                "energy_wh": st.column_config.NumberColumn("energy (Wh)", format="%.0f"),
                "idle_share": st.column_config.NumberColumn("idle", format="percent"),
                "mean_utilization": st.column_config.NumberColumn("utilization (%)", format="%.0f"),
            },
        )


def _controls(run: Run, measured: pa.Table) -> tuple[SystemQuery, str]:
    """Let the user choose; returns the question, and the curve to draw above ("" = none)."""
    groups = units.groups_of(measured.column("metric").to_pylist())
    nodes = sorted(set(measured.column("node").to_pylist()))
    columns = st.columns([5, 4, 2, 3, 2], vertical_alignment="bottom")
    with columns[0]:
        group = st.segmented_control(
            "Group",
            list(groups),
            default=next(iter(groups)),
            required=True,
            key="sys_group",
            bind="query-params",
        )
    with columns[1]:
        chosen = st.multiselect(
            "Nodes",
            nodes,
            default=nodes[:_NODES_AT_FIRST],
            key="sys_nodes",
            bind="query-params",
            placeholder="all",
        )
    with columns[2]:
        window = st.selectbox("Window", list(_WINDOWS), key="sys_window", bind="query-params")
    with columns[3]:
        names = [metric.name for metric in states.value(data.ask().metrics([run.ref])).metrics]
        aligned = st.selectbox(
            "Beside the curve of", [_NONE, *names], key="sys_curve", bind="query-params"
        )
    with columns[4]:
        each = st.toggle(
            "each part",
            key="sys_each",
            bind="query-params",
            help="every core, disk and interface, not the node as a whole",
        )
    metrics = groups[group]
    series = system_charts.chosen_series(measured, metrics, chosen, each=each)
    query = SystemQuery(
        run.ref,
        metrics=tuple(metrics),
        nodes=tuple(chosen),
        devices=series.devices,
        max_points=min(_BUCKETS, max(_FEWEST_BUCKETS, _MOST_ROWS // max(series.count, 1))),
        from_unix_us=_from_unix_us(run, measured, _WINDOWS[window]),
    )
    return query, "" if aligned == _NONE else aligned


def _from_unix_us(run: Run, measured: pa.Table, window_s: int) -> int | None:
    """The window ends with the newest measurement; a whole minute, so that answers are shared."""
    if not window_s:
        return None
    newest_us: int = pc.max(measured.column("last_unix_us")).as_py()
    grain_us = 10_000_000 if run.state is RunState.RUNNING else 1
    return newest_us // grain_us * grain_us - window_s * 1_000_000


def _panels(run: Run, query: SystemQuery, table: pa.Table, aligned: str) -> None:
    drawn = system_charts.page(query.metrics, table, _curve(run, query, aligned))
    if not drawn.titles:
        st.caption("nothing was measured in this window")
        return
    with st.container(key="weir-panels"):
        st.vega_lite_chart(drawn.rows, drawn.spec(), width="stretch", key="sys_panels")
    hint = "drag to move, wheel to zoom, double-click to see everything · times are UTC"
    if drawn.left_out:
        hint = f"{drawn.left_out:,} more devices are not drawn: choose fewer nodes · {hint}"
    st.caption(hint)


def _curve(run: Run, query: SystemQuery, metric: str) -> tuple[str, pa.Table] | None:
    if not metric:
        return None
    over_time = SeriesQuery(
        (run.ref,),
        (metric,),
        max_points=_BUCKETS,
        x=XAxis.TIME,
        reduce=Reduce.RANKS,
        x_min=query.from_unix_us,
    )
    return metric, data.ask().series(over_time)
