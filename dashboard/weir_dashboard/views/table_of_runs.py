"""The table of runs as Streamlit draws it, with rows to pick or without."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import data, run_table
from weir_dashboard.views import states
from weir_store.records import Run

_ROW_PX: Final = 33
_TALLEST_PX: Final = 760
LOOK: Final = {
    "color": st.column_config.ImageColumn("", width=32),
    "name": st.column_config.LinkColumn("name", display_text=r"#(.*)$", width="medium"),
    "project": st.column_config.TextColumn("project", width="small"),
    "state": st.column_config.TextColumn("state", width=110),
    "created": st.column_config.DatetimeColumn("created", format="YYYY-MM-DD HH:mm", width=125),
    "took": st.column_config.TextColumn("took", width=95),
    "ranks": st.column_config.NumberColumn("ranks", width=55),
    "tags": st.column_config.ListColumn("tags", width=110),
}
"""How the columns of `run_table.frame` are drawn, on whichever page."""


def show(
    runs: Sequence[Run],
    columns: Sequence[str],
    *,
    with_project: bool = False,
    key: str | None = None,
    picked_rows: Sequence[int] = (),
) -> list[int]:
    """Draw the table; returns the rows picked, none when it has no `key`.

    Args:
        runs: One row each.
        columns: Extra columns, `config.…` or `summary.…`.
        with_project: Show whose run it is.
        key: Names this table; rows can be picked when it is given.
        picked_rows: Rows picked at first.
    """
    with states.failures():
        ordinals = data.ask().ordinals([run.ref for run in runs])
    table = run_table.frame(runs, columns, ordinals, time.time(), with_project=with_project)
    height = min(38 + _ROW_PX * len(runs), _TALLEST_PX)
    if key is None:
        st.dataframe(table, height=height, row_height=_ROW_PX, hide_index=True, column_config=LOOK)
        return []
    event = st.dataframe(
        table,
        key=key,
        height=height,
        row_height=_ROW_PX,
        hide_index=True,
        column_config=LOOK,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": list(picked_rows)}},
    )
    return list(event.selection.rows)
