"""A metric rank by rank: the picture of all of them, and the band they make together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st

from weir_dashboard import data, rank_band, rank_heat, words
from weir_dashboard.views import states
from weir_store.ranks.base import ReduceQuery, StragglerBoard
from weir_store.records import RunRef

_BUCKETS: Final = 400


def show(
    ref: RunRef,
    ranks: pa.Table,
    roles: tuple[str, ...] | None,
    board: StragglerBoard,
    missing: Sequence[int],
) -> None:
    """Draw the metric that the user chooses, at first the time of a step."""
    names = [one.name for one in states.value(data.ask().metrics([ref])).metrics]
    if not names:
        st.info("No metric was logged yet.", icon=":material/info:")
        return
    columns = st.columns([4, 2, 2, 3, 2], vertical_alignment="bottom")
    first = board.metric if board.metric in names and not board.from_times else _first(names)
    with columns[0]:
        metric: str = st.selectbox(
            "Metric", names, index=names.index(first), key="metric", bind="query-params"
        )
    with columns[1]:
        shows = st.selectbox(
            "A cell is its", list(rank_heat.SHOWS), key="cell", bind="query-params"
        )
    with columns[2]:
        order = st.selectbox("Rows", rank_heat.ORDERS, key="rows", bind="query-params")
    with columns[3]:
        every = sorted(set(ranks.column("node").to_pylist()))
        chosen = st.multiselect("Nodes", every, key="nodes", bind="query-params", placeholder="all")
    with columns[4]:
        by_node = st.toggle("a row per node", key="by_node", bind="query-params")
    shown = _of(ranks, roles, chosen)
    cells = states.value(data.ask().ranks.cells(ref, metric, ranks.num_rows))
    kept = cells.filter(pc.is_in(cells.column("rank"), shown.column("rank").unique()))
    blank = () if by_node or chosen or roles else missing
    _picture(kept, shown, metric, (shows, order), blank, by_node=by_node)
    _band(ref, metric, shown, roles, every=not chosen)


def _first(names: list[str]) -> str:
    return next((name for name in names if name.endswith(("step_time_s", "step_time"))), names[0])


def _of(ranks: pa.Table, roles: tuple[str, ...] | None, nodes: list[str]) -> pa.Table:
    """Keep the ranks of these roles and nodes; none chosen = all."""
    if roles is not None:
        ranks = ranks.filter(pc.is_in(ranks.column("role"), pa.array(roles)))
    if nodes:
        ranks = ranks.filter(pc.is_in(ranks.column("node"), pa.array(nodes)))
    return ranks


def _picture(
    cells: pa.Table,
    ranks: pa.Table,
    metric: str,
    how: tuple[str, str],
    missing: Sequence[int],
    *,
    by_node: bool,
) -> None:
    nodes = {row["rank"]: row["node"] for row in ranks.select(["rank", "node"]).to_pylist()}
    shows, order = how
    heat = rank_heat.picture(cells, nodes, shows, order, by_node=by_node, missing=missing)
    if heat is None:
        st.info(f"No rank that is shown has a point of {metric}.", icon=":material/search:")
        return
    spec = {**heat.spec, "dataset": {"source": heat.rows}}
    what = f"{metric} of {heat.lines} {'nodes' if by_node else 'ranks'} over steps"
    st.echarts_chart(spec, height=heat.height_px, key="ranks_heat", alt=what)
    st.caption(_honestly(heat, shows))


def _honestly(heat: rank_heat.Heat, shows: str) -> str:
    cell = (
        f"a cell is the {shows} of {heat.width:,} steps" if heat.width else "every point is there"
    )
    parts = [f"{heat.lines:,} × {heat.columns:,}", cell]
    if heat.blank:
        parts.append(f"{words.count(heat.blank, 'cell')} without a point")
    if heat.marked:
        shown = min(heat.marked, rank_heat.MOST_MARKS)
        most = f"{shown:,} of {heat.marked:,}" if shown < heat.marked else f"{heat.marked:,}"
        parts.append(f"◆ {most} not finite")
    if heat.clipped:
        parts.append(f"colours span the middle 98 %, {heat.clipped:,} lie outside")
    return " · ".join(parts)


def _band(
    ref: RunRef, metric: str, shown: pa.Table, roles: tuple[str, ...] | None, *, every: bool
) -> None:
    several = len(set(shown.column("role").to_pylist())) > 1
    query = ReduceQuery(
        (ref,),
        (metric,),
        by=("role",) if several else None,
        max_points=_BUCKETS,
        ranks=None if every else tuple(sorted(set(shown.column("rank").to_pylist()))),
        roles=roles,
    )
    rows = rank_band.rows(states.value(data.ask().ranks.reduced(query)))
    if rows.empty:
        return
    lines = sorted(rows["line"].unique())
    st.vega_lite_chart(rows, rank_band.spec(metric, lines), width="stretch", key="ranks_band")
    st.caption(
        "the line is the mean of the ranks, the band their lowest to highest; point at it to see whose"
    )
