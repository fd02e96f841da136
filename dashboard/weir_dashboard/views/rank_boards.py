"""Whom the others wait for: cards, the board of ranks and nodes, and nodes over all runs."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from weir_dashboard import data, rank_words, words
from weir_dashboard.views import states
from weir_store.ranks.base import StragglerBoard
from weir_store.records import Run

_LISTED: Final = 100
_ROW_PX: Final = 31
_MOST_PX: Final = 420
_COLUMNS: Final = {
    "steps": None,
    "mean_s": st.column_config.NumberColumn("mean (s)", format="%.4g"),
    "slowdown": st.column_config.NumberColumn("slowdown", format="%.3f×"),
    "slowest": st.column_config.NumberColumn("slowest at steps"),
    "slowest_share": st.column_config.ProgressColumn("… of its steps", format="percent", min_value=0, max_value=1),
    "lost_s": st.column_config.NumberColumn("time lost (s)", format="%.3g"),
    "persistence": st.column_config.ProgressColumn("lately", format="percent", min_value=0, max_value=1),
    "data_s": st.column_config.NumberColumn("data (s)", format="%.3g"),
    "compute_s": st.column_config.NumberColumn("compute (s)", format="%.3g"),
    "comm_s": st.column_config.NumberColumn("communication (s)", format="%.3g"),
}  # fmt: skip


def cards(board: StragglerBoard, ranks: pa.Table, run: Run) -> None:
    """Draw what is known at a glance."""
    columns = st.columns(4)
    lacking = len(rank_words.missing(ranks, run.world_size))
    nodes = words.count(len(set(ranks.column("node").to_pylist())), "node")
    there = f"{lacking:,} missing · {nodes}" if lacking else f"on {nodes}"
    _card(columns[0], "Ranks", f"{ranks.num_rows:,}", there)
    step = words.number(board.median_s) + " s" if board.steps else "—"
    _card(columns[1], "Usual step", step, f"over {words.count(board.steps, 'step')}")
    slowest = rank_words.slowest(board)
    who = f"rank {slowest['rank']}" if slowest else "none"
    how = (
        f"slowest at {slowest['slowest_share']:.0%} of its steps"
        if slowest
        else "no rank is slower"
    )
    _card(columns[2], "Waited for most", who, how)
    lost = words.span(board.lost_s) if board.steps else "—"
    _card(columns[3], "Lost by waiting", lost, f"{rank_words.lost_share(board):.0%} of the time")
    st.caption(rank_words.source(board))


def _card(place: DeltaGenerator, label: str, value: str, more: str) -> None:
    place.metric(label, value, more, delta_color="off", delta_arrow="off", border=True)


def show(board: StragglerBoard) -> None:
    """Draw the board: ranks, and nodes when there are several."""
    if not board.steps:
        return
    counted = words.count(board.ranks.num_rows, "rank")
    listed = f"the first {_LISTED} of {counted}" if board.ranks.num_rows > _LISTED else counted
    st.markdown("**Stragglers**")
    st.caption(
        f"{listed}, most time lost first · over {words.count(board.steps, 'step')}"
        f" · lately: a step {board.half_life_steps:g} steps ago counts half"
    )
    _table(board.ranks.slice(0, _LISTED), "ranks_board")
    if board.nodes.num_rows > 1:
        st.markdown("**Their nodes**")
        _table(board.nodes.slice(0, _LISTED), "ranks_board_nodes")


def table(ranks: pa.Table) -> None:
    """List every rank: where it is, how far it came."""
    with st.expander(f"All {words.count(ranks.num_rows, 'rank')}"):
        drop = ("started_unix_us", "last_seen_unix_us", "last_point_unix_us")
        shown = ranks.drop_columns(list(drop))
        for name in drop[1:]:
            seen = [words.instant(at) for at in ranks.column(name).to_pylist()]
            label = "last heard" if name == "last_seen_unix_us" else "last point"
            shown = shown.append_column(label, pa.array(seen, pa.string()))
        _table(shown, "ranks_table")


def nodes(project: str) -> None:
    """Compare nodes over the runs of the project, when asked: it reads all of them."""
    if not st.toggle("Nodes over all runs of the project", key="all_nodes", bind="query-params"):
        return
    found = states.value(data.ask().ranks.nodes(project))
    if not found.num_rows:
        st.info("No run of the project logs the time of a step.", icon=":material/search:")
        return
    st.caption(f"{words.count(found.num_rows, 'node')}, the most slowed down first")
    _table(found, "ranks_nodes")


def _table(rows: pa.Table, key: str) -> None:
    known = {
        name: column for name, column in _COLUMNS.items() if name in rows.column_names and column
    }
    height = min(38 + _ROW_PX * rows.num_rows, _MOST_PX)
    st.dataframe(
        rows, hide_index=True, height=height, row_height=_ROW_PX, key=key, column_config=known
    )
