"""What ranks come to, put together: a line through them, a band from the lowest to the highest. Pure."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
import pyarrow as pa

from weir_dashboard.colors import PALETTE

_HEIGHT: Final = 240


def rows(reduced: pa.Table) -> pd.DataFrame:
    """Return what is drawn, from `RankReader.read_reduced`: one row per line and bucket of steps."""
    names = ("line", "step", "mean", "min", "max", "min_rank", "max_rank", "count", "nans", "infs")
    frame = pd.DataFrame({name: reduced.column(name).to_pandas() for name in names})
    return frame[frame["count"] > 0].reset_index(drop=True)


def spec(metric: str, lines: list[str]) -> dict[str, Any]:
    """Describe the chart for Vega-Lite; its rows are those of `rows`."""
    color: dict[str, Any] = {"value": PALETTE[0]}
    if len(lines) > 1:
        palette = [PALETTE[at % len(PALETTE)] for at in range(len(lines))]
        color = {"field": "line", "type": "nominal", "title": None,
                 "scale": {"domain": lines, "range": palette}, "legend": {"orient": "bottom"}}  # fmt: skip
    x = {
        "field": "step",
        "type": "quantitative",
        "title": "step",
        "scale": {"nice": False, "zero": False},
    }
    tooltip = [
        {"field": "line", "title": "of"},
        {"field": "step", "format": ","},
        {"field": "mean", "format": ".5~g"},
        {"field": "max", "title": "highest", "format": ".5~g"},
        {"field": "max_rank", "title": "… of rank"},
        {"field": "min", "title": "lowest", "format": ".5~g"},
        {"field": "min_rank", "title": "… of rank"},
        {"field": "count", "title": "ranks with a number"},
        {"field": "nans", "title": "NaN"},
        {"field": "infs", "title": "infinite"},
    ]
    numbers = [{**one, "type": "quantitative"} for one in tooltip[1:]]
    band = {"mark": {"type": "area", "opacity": 0.22}, "encoding": {
        "x": x, "y": {"field": "min", "type": "quantitative", "title": metric, "scale": {"zero": False}},
        "y2": {"field": "max"}, "color": color}}  # fmt: skip
    line = {"mark": {"type": "line", "strokeWidth": 1.4}, "encoding": {
        "x": x, "y": {"field": "mean", "type": "quantitative"}, "color": color}}  # fmt: skip
    hover = {"mark": {"type": "rule", "strokeWidth": 6, "opacity": 0.001}, "encoding": {
        "x": x, "y": {"field": "min", "type": "quantitative"}, "y2": {"field": "max"},
        "tooltip": [{**tooltip[0], "type": "nominal"}, *numbers]},
        "params": [{"name": "zoom", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}]}  # fmt: skip
    return {
        "layer": [band, line, hover],
        "height": _HEIGHT,
        "usermeta": {"embedOptions": {"renderer": "canvas"}},
    }
