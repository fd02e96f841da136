"""Scatter: a dot for each run over any two columns; a box or a lasso chooses runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from html import escape
from typing import Any, Final

import streamlit as st

from weir_dashboard import compare_columns, compare_parallel, compare_scatter, words
from weir_dashboard.compare_columns import Column, label
from weir_dashboard.compare_importance import spearman
from weir_dashboard.compare_parallel import Scale
from weir_dashboard.compare_scatter import Scatter
from weir_dashboard.views import compare_chosen, compare_parameters
from weir_store.records import Run

_NONE: Final = "—"
_SCALES: Final = ("auto", "linear", "log")
_KEY: Final = "cmp_dots"


def show(runs: Sequence[Run]) -> None:
    """Draw the dots, say what is not drawn, and lead on with the runs that were chosen."""
    metrics = compare_parameters.offered_metrics(runs)
    every = [*metrics, *compare_columns.offered(runs, ())]
    config = compare_columns.telling_config(runs)
    names = list(dict.fromkeys([*config, *every]))
    first_x = (config or every)[0]
    first_y = metrics[0] if metrics else every[-1]
    fields = st.columns([3, 3, 3, 3, 1.4, 1.4], vertical_alignment="bottom")
    x = _choose(fields[0], "x", "cmp_x", [first_x, *names])
    y = _choose(fields[1], "y", "cmp_yy", [first_y, *every])
    color = _choose(fields[2], "Colour", "cmp_color", [_NONE, *names])
    size = _choose(fields[3], "Size", "cmp_size", [_NONE, *names])
    x_scale = fields[4].selectbox("x axis", _SCALES, key="cmp_lx", bind="query-params")
    y_scale = fields[5].selectbox("y axis", _SCALES, key="cmp_ly", bind="query-params")
    found = compare_chosen.columns_of([name for name in (x, y, color, size) if name != _NONE], runs)
    along, up = _scaled(found[x], x_scale), _scaled(found[y], y_scale)
    inside = compare_chosen.kept([*found.values()], runs)
    drawn = compare_scatter.scatter(runs, along, up, found.get(color), found.get(size), inside)
    if not drawn.places:
        st.info(
            f"No run has both {words.plain(label(x))} and {words.plain(label(y))}.",
            icon=":material/search:",
        )
    else:
        _chart(runs, along, up, drawn)
        _legend(found.get(color), drawn)
    told = [f"{len(drawn.places):,} of {words.count(len(runs), 'run')} drawn", *drawn.gone]
    if correlation := _correlation(along, up):
        told.append(correlation)
    st.caption(words.plain(" · ".join(told)))
    compare_chosen.show(runs, inside, found)


def _choose(field: Any, title: str, key: str, options: Sequence[str]) -> str:
    asked = st.query_params.get(key, "")
    every = list(dict.fromkeys([*options, *([asked] if asked else [])]))
    chosen: str = field.selectbox(title, every, key=key, bind="query-params")
    return chosen


def _scaled(column: Column, scale: str) -> Column:
    """Take the axis that was asked for; a logarithm needs values above 0."""
    if scale == "linear" or column.categories:
        return replace(column, log=False)
    if scale == "log":
        if Scale.of(column).low > 0:
            return replace(column, log=True)
        st.caption(
            f"{words.plain(label(column.name))} has values of 0 or below: its axis stays linear"
        )
    return column


def _chart(runs: Sequence[Run], x: Column, y: Column, drawn: Scatter) -> None:
    # What was brushed belongs to these axes: others begin without
    question = blake2b(
        repr((x.name, y.name, x.log, y.log, compare_chosen.times_cleared())).encode(), digest_size=6
    ).hexdigest()
    key = f"{_KEY}_{question}"
    st.echarts_chart(
        drawn.spec,
        height=compare_scatter.HEIGHT_PX,
        key=key,
        on_select=lambda: _brushed(runs, x, y, drawn, st.session_state[key]),
        alt=f"{label(y.name)} over {label(x.name)} of {words.count(len(drawn.places), 'run')}",
    )


def _brushed(
    runs: Sequence[Run], x: Column, y: Column, drawn: Scatter, event: Mapping[str, Any]
) -> None:
    areas = event["selection"]["areas"]
    box = next((area for area in areas if area["brush_type"] == "rect"), None)
    if box is not None:
        compare_chosen.keep(dict(compare_scatter.boxed(x, y, box["coord_range"])))
        return
    caught = [
        runs[drawn.places[at]].ref
        for group in event["selection"]["selected"]
        for at in group["data_indices"]
        if at < len(drawn.places)
    ]
    compare_chosen.keep({x.name: None, y.name: None}, caught if areas else ())


def _legend(color: Column | None, drawn: Scatter) -> None:
    if color is None:
        return
    if drawn.legend:
        dots = "".join(
            f'<span><b style="color:{tint}">●</b> {escape(text)}</span>'
            for text, tint in drawn.legend
        )
        st.html(
            f'<div class="weir-head"><span><small>{escape(label(color.name))}</small></span>{dots}</div>'
        )
    elif color.placed:
        scale = Scale.of(color)
        bar = f"linear-gradient(90deg, {', '.join(compare_parallel.COLORS)})"
        st.html(
            f'<div class="weir-head"><span><small>{escape(label(color.name))}</small>'
            f"{words.number(scale.low)} "
            f'<i style="display: inline-block; width: 160px; height: 9px; background: {bar}"></i>'
            f" {words.number(scale.high)}</span></div>"
        )


def _correlation(x: Column, y: Column) -> str:
    found = spearman(x, y)
    return "" if found != found else f"rank correlation {found:+.2f}"
