"""The answer to a statement: what came, how long it took, as a table, as a chart, as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

import pyarrow as pa
import streamlit as st

from weir_dashboard import answer_chart, answer_table, statement, words
from weir_dashboard.asking import Asking
from weir_dashboard.views import pick

_ROW_PX: Final = 31
_MOST_PX: Final = 560
_NONE: Final = "—"
_TABS: Final = ("Table", "Chart")


def show(asking: Asking, *, old: bool = False) -> None:
    """Draw an answer; `old` says that it is not of the statement above."""
    if old:
        at = datetime.fromtimestamp(asking.began_unix_s, UTC).strftime("%H:%M:%S UTC")
        st.warning(f"The answer below is of {at}.", icon=":material/hourglass_empty:")
    table = answer_table.displayable(asking.table)
    with st.container(horizontal=True, vertical_alignment="center"):
        tab = pick.tab(_TABS)
        st.caption(how_much(asking))
        if asking.rows and not old:
            st.html(_links(asking))
    if not table.num_columns or not asking.rows:
        st.info("No row answers this statement.", icon=":material/search:")
    elif tab == "Chart":
        _chart(table, asking)
    else:
        height = min(38 + _ROW_PX * table.num_rows, _MOST_PX)
        st.dataframe(table, hide_index=True, height=height, row_height=_ROW_PX, key="sql_rows")


def how_much(asking: Asking) -> str:
    """Say how many rows came, how many are shown, and how long it took."""
    shown = asking.table.num_rows
    rows = words.count(asking.rows, "row")
    if asking.cut:
        rows = f"more than {rows}"
    if shown < asking.rows:
        rows = f"the first {shown:,} of {rows}"
    took = f"{asking.took_s * 1e3:.0f} ms" if asking.took_s < 1 else f"{asking.took_s:.1f} s"
    return f"{rows} · {took}"


def _links(asking: Asking) -> str:
    """Links to every row; the browser fetches them, the page does not hold them."""
    values = {name: str(value) for name, value in asking.question.parameters.items()}
    query = urlencode(statement.build(asking.question.text, values), doseq=True)
    links = " · ".join(
        f'<a href="/api/sql?format={format}&amp;{query.replace("&", "&amp;")}" download="weir.{format}">{label}</a>'
        for format, label in (("csv", "CSV"), ("parquet", "Parquet"))
    )
    return f'<div class="weir-head"><span><small>every row as</small>{links}</span></div>'


def _chart(table: pa.Table, asking: Asking) -> None:
    found = answer_chart.axes(table)
    if found is None:
        st.info("A chart needs a number, another column, and two rows.", icon=":material/search:")
        return
    first_x, first_y, first_color = found.first()
    columns = st.columns([1.4, 2, 2, 2, 3], vertical_alignment="bottom")
    kind = columns[0].selectbox("Draw", answer_chart.KINDS, key="ck", bind="query-params")
    x_at, y_at = found.x.index(first_x), found.y.index(first_y)
    colors = (_NONE, *found.color)
    color_at = colors.index(first_color or _NONE)
    x = columns[1].selectbox("x", found.x, index=x_at, key="cx", bind="query-params")
    y = columns[2].selectbox("y", found.y, index=y_at, key="cy", bind="query-params")
    color = columns[3].selectbox("colour", colors, index=color_at, key="cc", bind="query-params")
    drawn = answer_chart.draw(table, kind, x, y, "" if color == _NONE else color)
    if drawn.rows.empty:
        st.info(f"No value of {y} is a finite number.", icon=":material/search:")
        return
    st.vega_lite_chart(drawn.rows, drawn.spec, width="stretch", key="sql_chart")
    if table.num_rows < asking.rows:
        st.warning(
            f"Only the first {table.num_rows:,} of {words.count(asking.rows, 'row')} are drawn:"
            " put rows together in the statement, e.g. GROUP BY intDiv(step, 100).",
            icon=":material/content_cut:",
        )
    st.caption(_honestly(drawn, table.num_rows))


def _honestly(drawn: answer_chart.Drawn, rows: int) -> str:
    parts = [f"{words.count(rows, 'row')} drawn" if not drawn.gone else ""]
    if drawn.gone:
        parts.append(f"{drawn.gone:,} of {words.count(rows, 'row')} are null, NaN or infinite")
    if drawn.left_out:
        parts.append(f"{drawn.left_out:,} more colours are not drawn: filter in the statement")
    parts.append("drag to move, wheel to zoom, double-click to see everything · times are UTC")
    return " · ".join(part for part in parts if part)
