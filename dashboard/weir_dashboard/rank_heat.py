"""A metric as a picture, rank by step, for ECharts: which cells, in which order, what is said of them. Pure.

A cell is one bucket of one rank, or of one node: its highest, lowest or last value there. Buckets are
the store's. What has no value is left blank, what is not finite is marked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa

from weir_dashboard.packing import bucket_width
from weir_store.records import XAxis

SHOWS: Final = {"highest": "max", "lowest": "min", "last": "last"}
ORDERS: Final = ("by rank", "by node", "by value")
MOST_MARKS: Final = 4_000
"""Cells that are not finite are marked up to so many; the page says when there are more."""

_ROW_PX: Final = 16
_LEAST_PX, _MOST_PX = 220, 640
_AROUND_PX: Final = 96
_COLORS: Final = ["#22427c", "#2a788e", "#22a884", "#7ad151", "#fde725"]
_MARK: Final = "#e5258c"
_CROWDED: Final = 40  # more lines than this are hard to tell apart: a slider shows some of them
_SLIDER: Final = {
    "type": "slider",
    "yAxisIndex": 0,
    "right": 4,
    "top": 8,
    "bottom": 78,
    "width": 14,
    "showDetail": False,
    "brushSelect": False,
    "filterMode": "none",
}
_STEPS: Final = {
    "name": "step",
    "nameLocation": "middle",
    "nameGap": 22,
    "axisLabel": {"fontSize": 10},
}
_LABEL: Final = {"fontSize": 10, "width": 100, "overflow": "truncate"}
_LEGEND: Final = {
    "type": "continuous",
    "dimension": 2,
    "seriesIndex": 0,
    "calculable": True,
    "orient": "horizontal",
    "left": 110,
    "bottom": 0,
    "itemWidth": 12,
    "itemHeight": 220,
    "precision": 4,
    "inRange": {"color": _COLORS},
}
_MARKS: Final = {
    "type": "scatter",
    "progressive": 0,
    "symbol": "diamond",
    "symbolSize": 7,
    "itemStyle": {"color": _MARK},
    "tooltip": {"formatter": "not finite"},
}
_MIDDLE: Final = (1, 99)  # percentiles that the colours span


@dataclass(frozen=True, slots=True)
class Heat:
    """A picture, ready to be drawn.

    Attributes:
        rows: x, y (places on the axes), value, step, who.
        spec: For ECharts; its dataset is `rows`.
        height_px: Of the picture.
        width: Steps that one cell stands for; 0 = every logged step is there.
        columns: Buckets.
        lines: Ranks or nodes.
        blank: Cells without a point.
        marked: Cells that are not finite.
        clipped: Values outside of the colours.
    """

    rows: pd.DataFrame
    spec: dict[str, Any]
    height_px: int
    width: int
    columns: int
    lines: int
    blank: int
    marked: int
    clipped: int


def picture(
    cells: pa.Table,
    nodes: Mapping[int, str],
    show: str,
    order: str,
    *,
    by_node: bool,
    missing: Sequence[int] = (),
) -> Heat | None:
    """Draw cells as `Reader.read_series` returns them, unreduced; None when there is none.

    Args:
        cells: Of one run and one metric.
        nodes: rank → node, as far as known.
        show: One of `SHOWS`.
        order: One of `ORDERS`, from above.
        by_node: A line for each node: the highest, lowest or newest of its ranks.
        missing: Ranks that nobody has heard of: a blank line each.
    """
    if not cells.num_rows:
        return None
    frame, width = _bucketed(cells, show)
    frame["node"] = frame["rank"].map(lambda rank: nodes.get(rank, ""))
    frame["line"] = frame["node"] if by_node else frame["rank"]
    frame = _one_each(frame, show)
    lines = _ordered(frame, nodes, order, by_node=by_node, missing=missing)
    places = {line: len(lines) - 1 - at for at, line in enumerate(lines)}
    frame["y"] = frame["line"].map(places)
    lost = frozenset(missing)
    names = [_name(line, nodes, lost, by_node=by_node) for line in reversed(lines)]
    frame["who"] = [names[place] for place in frame["y"]]
    columns = int(frame["x"].max()) + 1
    steps = _steps(frame, columns, width)
    finite = frame[np.isfinite(frame["value"])]
    marks = frame.loc[frame["bad"] > 0, ["x", "y"]]
    low, high, clipped = _range(finite["value"].to_numpy())
    height_px = int(np.clip(len(lines) * _ROW_PX, _LEAST_PX, _MOST_PX)) + _AROUND_PX
    spec = _spec(steps, names, low, high, marks.to_numpy()[:MOST_MARKS].tolist())
    rows = finite[["x", "y", "value", "step", "who"]].reset_index(drop=True)
    blank = columns * len(lines) - len(frame)
    return Heat(rows, spec, height_px, width, columns, len(lines), blank, len(marks), clipped)


def _bucketed(cells: pa.Table, show: str) -> tuple[pd.DataFrame, int]:
    """Give every row the place of its bucket."""
    low, high = (cells.column(name).to_numpy() for name in ("x_min", "x_max"))
    width = int(bucket_width(low, high, XAxis.STEP))
    steps = cells.column("step").to_numpy()
    if width:
        places = steps // width
        places = places - places.min()
    else:
        places = np.unique(steps, return_inverse=True)[1]
    frame = pd.DataFrame(
        {
            "rank": cells.column("rank").to_numpy().astype(np.int64),
            "x": places.astype(np.int64),
            "step": steps,
            "value": cells.column(SHOWS[show]).to_numpy().astype(np.float64),
            "bad": cells.column("nonfinite").to_numpy(),
        }
    )
    return frame, width


def _one_each(frame: pd.DataFrame, show: str) -> pd.DataFrame:
    """Leave one row for each line and bucket."""
    how = {"highest": "max", "lowest": "min", "last": "last"}[show]
    grouped = frame.sort_values(["line", "x", "step"]).groupby(["line", "x"], sort=False)
    return grouped.agg({"step": "max", "value": how, "bad": "max"}).reset_index()


def _ordered(
    frame: pd.DataFrame,
    nodes: Mapping[int, str],
    order: str,
    *,
    by_node: bool,
    missing: Sequence[int],
) -> list[Any]:
    every = [*frame["line"].unique(), *missing]
    if order == "by value":
        means = frame.groupby("line")["value"].mean().to_dict()
        return sorted(every, key=lambda line: (-_or_low(means.get(line, -np.inf)), line))
    if order == "by node" and not by_node:
        return sorted(every, key=lambda rank: (nodes.get(rank, ""), rank))
    return sorted(every)


def _or_low(value: float) -> float:
    return value if np.isfinite(value) else -np.inf


def _name(line: Any, nodes: Mapping[int, str], lost: frozenset[int], *, by_node: bool) -> str:
    if line in lost:
        return f"{line} · missing"
    if by_node:
        return str(line) or "node unknown"
    node = nodes.get(line, "")
    return f"{line} · {node}" if node else str(line)


def _steps(frame: pd.DataFrame, columns: int, width: int) -> list[str]:
    """Name the buckets: by their first step, or by the step itself."""
    known = frame.groupby("x")["step"].max()
    if not width:
        return [f"{known[at]:,}" for at in range(columns)]
    first = int(known.iloc[0]) // width * width - int(known.index[0]) * width
    return [f"{first + at * width:,}" for at in range(columns)]


def _range(values: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float, int]:
    """Return what the colours span: the middle of the values, and how many lie outside."""
    if not len(values):
        return 0.0, 1.0, 0
    low, high = (float(np.percentile(values, part)) for part in _MIDDLE)
    if low == high:
        low, high = float(values.min()), float(values.max())
    if low == high:
        return low - 0.5, high + 0.5, 0
    return low, high, int(((values < low) | (values > high)).sum())


def _spec(
    steps: Sequence[str], names: Sequence[str], low: float, high: float, marks: list[list[int]]
) -> dict[str, Any]:
    crowded = len(names) > _CROWDED
    axis = {
        "type": "category",
        "splitLine": {"show": False},
        "axisTick": {"show": False},
    }
    return {
        "animation": False,
        # not bit by bit: ECharts would go on painting after the page was left, and complain
        "progressive": 0,
        "dataZoom": [_SLIDER] if crowded else [],
        "grid": {"left": 110, "right": 30 if crowded else 16, "top": 8, "bottom": 78},
        "tooltip": {"trigger": "item", "formatter": "{@who}<br>step {@step}: <b>{@value}</b>"},
        "xAxis": {**axis, **_STEPS, "data": [*steps]},
        "yAxis": {**axis, "data": [*names], "axisLabel": _LABEL},
        "visualMap": {**_LEGEND, "min": low, "max": high},
        "series": [
            {"type": "heatmap", "encode": {"x": 0, "y": 1, "value": 2}, "progressive": 0},
            {**_MARKS, "data": marks},
        ],
    }
