"""Panels of system telemetry over one axis of time, for Vega-Lite. Pure.

All panels of a page share the axis: drag over one and all are moved, so that a dip of a curve can
be held against what the machines did in that second. The description of a page does not hold its
points: while new ones come the browser changes those alone, and zoom and cursor stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import altair as alt
import pandas as pd
import pyarrow as pa

from weir_dashboard import units
from weir_dashboard.colors import PALETTE

MOST_SERIES: Final = 64
"""A page draws at most so many series; it says when there are more."""

_PANEL_HEIGHT: Final = 118
_BANDED: Final = 8  # bands of more series than this hide each other
_LEGEND_COLUMNS: Final = 8
_NUMBERS: Final = re.compile(r"(\d+)")
_VALUES: Final = ("mean", "min", "max")


@dataclass(frozen=True, slots=True)
class Panels:
    """A page of panels, ready to be drawn.

    Attributes:
        titles: Of the panels, from above.
        rows: What they draw: panel, series, time, mean, min, max.
        series: Names of the devices, in the order of their colours.
        left_out: So many series are not drawn.
        has_curve: The first panel is of a training metric, which no device has.
    """

    titles: tuple[str, ...]
    rows: pd.DataFrame
    series: tuple[str, ...]
    left_out: int
    has_curve: bool = False

    def spec(self) -> dict[str, Any]:
        """Return the Vega-Lite description, without points."""
        return {**_spec(self.titles, self.series, has_curve=self.has_curve)}


@lru_cache(maxsize=64)  # altair takes a third of a second for it, and a page is drawn often
def _spec(titles: tuple[str, ...], series: tuple[str, ...], *, has_curve: bool) -> dict[str, Any]:
    names = [f"panel_{at}" for at in range(len(titles))]
    panels = [
        _panel(name, title, () if has_curve and at == 0 else series, axis=at == len(titles) - 1)
        for at, (name, title) in enumerate(zip(names, titles, strict=True))
    ]
    stack = alt.vconcat(*panels, spacing=4).resolve_scale(x="shared", color="shared")
    drawn: dict[str, Any] = stack.configure_view(strokeOpacity=0.15).to_dict()
    interval = {"type": "interval", "encodings": ["x"]}
    zoom = {"name": "zoom", "select": interval, "bind": "scales", "views": names}
    return {**drawn, "params": [zoom]}


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which series a page reads.

    Attributes:
        devices: By name; empty = all.
        count: How many series that is.
    """

    devices: tuple[str, ...]
    count: int


def chosen_series(
    measured: pa.Table, metrics: Sequence[str], nodes: Sequence[str], *, each: bool
) -> Chosen:
    """Choose series: of a metric that the node has as a whole, the parts come only when asked for.

    Args:
        measured: As `SystemReader.list_system` returns it.
        metrics: Of the page.
        nodes: Empty = all.
        each: With the parts: every core, disk, interface.
    """
    frame = measured.select(["metric", "node", "device"]).to_pandas()
    frame = frame[frame["metric"].isin(metrics) & (frame["node"].isin(nodes) | (not nodes))]
    if each:
        return Chosen((), len(frame))
    whole = set(frame.loc[frame["device"] == "", "metric"])
    frame = frame[(frame["device"] == "") | ~frame["metric"].isin(whole)]
    return Chosen(tuple(sorted(frame["device"].unique())), len(frame))


def page(
    metrics: Sequence[str], table: pa.Table, curve: tuple[str, pa.Table] | None = None
) -> Panels:
    """Put together what a page draws: a line through the mean of each bucket, a band from low to high.

    Args:
        metrics: In the order of the page; those without rows are left out.
        table: Thinned rows, as `SystemReader.read_system` returns them.
        curve: A training metric for the top, and its rows over time, reduced over ranks, as
            `Reader.read_series` returns them.
    """
    frame = table.to_pandas()
    frame["series"] = frame["node"].where(
        frame["device"] == "", frame["node"] + " · " + frame["device"]
    )
    every = sorted(frame["series"].unique(), key=_natural)
    kept = every[:MOST_SERIES]
    frame = frame[frame["series"].isin(kept)]
    parts = {} if curve is None or not curve[1].num_rows else {curve[0]: _of_curve(*curve)}
    for metric in metrics:
        rows = frame[frame["metric"] == metric]
        if len(rows):
            title, shown = _of_metric(metric, rows)
            parts[title] = shown
    drawn = [part.assign(panel=title) for title, part in parts.items()]
    rows = pd.concat(drawn, ignore_index=True) if drawn else pd.DataFrame()
    has_curve = bool(curve and curve[0] in parts)
    return Panels(tuple(parts), rows, tuple(kept), len(every) - len(kept), has_curve)


def _of_metric(metric: str, rows: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    divisor, unit = units.scale_of(metric, float(rows["max"].abs().max() or 0.0))
    shown = _drawable(rows["time_unix_us"], rows["series"], rows[[*_VALUES]] / divisor)
    return f"{metric}  [{unit}]" if unit else metric, shown


def _of_curve(metric: str, table: pa.Table) -> pd.DataFrame:
    frame = table.to_pandas()
    return _drawable(frame["x"], pd.Series(metric, index=frame.index), frame[[*_VALUES]])


def _drawable(
    time_us: pd.Series[Any], series: pd.Series[str], values: pd.DataFrame
) -> pd.DataFrame:
    time = pd.to_datetime(time_us, unit="us", utc=True)
    return pd.DataFrame({"time": time, "series": series, **{n: values[n] for n in _VALUES}})


def _panel(name: str, title: str, series: Sequence[str], *, axis: bool) -> alt.LayerChart:
    x = alt.X(
        "time:T",
        title=None,
        scale=alt.Scale(type="utc"),  # as everything else here, so that lines of the log are found
        axis=alt.Axis(format="%H:%M:%S", tickCount=10, labels=axis, ticks=axis, grid=True),
    )
    base = alt.Chart(height=_PANEL_HEIGHT, title=_titled(title)).transform_filter(
        alt.FieldEqualPredicate(field="panel", equal=title)
    )
    color = _color(series) if series else alt.value(PALETTE[0])
    line = (
        base.properties(name=name)
        .mark_line(strokeWidth=1.2)
        .encode(
            x=x,
            y=alt.Y(
                "mean:Q",
                title=None,
                scale=alt.Scale(zero=False),
                # the same room for labels everywhere, so that moments stand below each other
                axis=alt.Axis(minExtent=44, maxExtent=44, tickCount=4, format="~s"),
            ),
            color=color,
            tooltip=[
                alt.Tooltip(
                    "utcyearmonthdatehoursminutesseconds(time):T",
                    title="UTC",
                    format="%Y-%m-%d %H:%M:%S",
                ),
                "series:N",
                *(alt.Tooltip(f"{name}:Q", format=".4~g") for name in _VALUES),
            ],
        )
    )
    bands = [base.mark_area(opacity=0.15).encode(x=x, y="min:Q", y2="max:Q", color=color)]
    layered: alt.LayerChart = alt.layer(*(bands if len(series) <= _BANDED else []), line)  # type: ignore[assignment]
    return layered


def _color(series: Sequence[str]) -> alt.Color:
    """One colour for a device in all panels."""
    colors = [PALETTE[at % len(PALETTE)] for at in range(len(series))]
    legend = (
        alt.Legend(
            title=None,
            orient="bottom",
            columns=_LEGEND_COLUMNS,
            labelLimit=150,
            symbolType="stroke",
            symbolOpacity=1,
        )
        if len(series) > 1
        else None
    )
    return alt.Color("series:N", scale=alt.Scale(domain=[*series], range=colors), legend=legend)


def _titled(title: str) -> alt.TitleParams:
    return alt.TitleParams(title, anchor="start", fontSize=12, fontWeight="normal", offset=3)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort `gpu2` before `gpu10`."""
    return [(int(word), "") if word.isdigit() else (-1, word) for word in _NUMBERS.split(name)]
