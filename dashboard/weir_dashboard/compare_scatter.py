"""One dot for each run over any two columns, coloured and sized by others, for ECharts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from weir_dashboard import words
from weir_dashboard.colors import PALETTE
from weir_dashboard.compare_columns import Column, label
from weir_dashboard.compare_parallel import NO_COLOR, Scale, colors
from weir_dashboard.compare_ranges import Range, of_places
from weir_store.records import Run

HEIGHT_PX: Final = 460
MOST_CATEGORIES: Final = len(PALETTE)
"""So many categories have a colour of their own, those of most runs; the others are grey, and said."""

_NAME_CHARS: Final = 80
_SIZES_PX: Final = (5.0, 22.0)
_SIZE_PX: Final = 9.0
_PALE: Final = 0.2  # of dots outside of a selection
_TOOLBOX: Final = {
    "show": True,
    "right": 8,
    "top": 0,
    "feature": {
        "brush": {
            "type": ["rect", "polygon", "clear"],
            "title": {"rect": "choose in a box", "polygon": "choose in a lasso", "clear": "choose none"},
        }
    },
}  # fmt: skip
_BRUSH: Final = {
    "xAxisIndex": 0,
    "yAxisIndex": 0,
    "brushMode": "single",
    "throttleType": "debounce",
    "throttleDelay": 250,
    "outOfBrush": {"colorAlpha": 0.6},  # until the page has answered
}
_TOOLTIP: Final = {
    "trigger": "item",
    "confine": True,
    "formatter": "{b}",  # ECharts escapes it
    "extraCssText": "white-space: pre-line; max-width: 360px; overflow: hidden",
}
_TICKS: Final = {"showMinLabel": False, "showMaxLabel": False}


@dataclass(frozen=True, slots=True)
class Scatter:
    """A chart, ready to be drawn.

    Attributes:
        spec: For ECharts.
        places: Which run each dot is, by its place in the list given.
        legend: Category and colour; empty when colours are no categories.
        gone: What is not drawn, or has no colour or size, in words.
    """

    spec: dict[str, Any]
    places: tuple[int, ...]
    legend: tuple[tuple[str, str], ...]
    gone: tuple[str, ...]


def scatter(
    runs: Sequence[Run],
    x: Column,
    y: Column,
    color: Column | None,
    size: Column | None,
    kept: Sequence[bool],
) -> Scatter:
    """Draw runs over x and y; those outside of a selection (`kept`) are pale.

    Args:
        runs: Whose columns these are.
        x: Along; a column of categories takes their places.
        y: Up.
        color: What the colours say; None = all alike.
        size: What the sizes say, by area; None, or categories = all alike.
        kept: For each run, whether it is selected; all of them when nothing is.
    """
    drawn = [int(at) for at in np.flatnonzero(np.isfinite(x.numbers) & np.isfinite(y.numbers))]
    tints, legend = _tints(color, drawn, len(runs))
    sizes = _sizes(size, drawn)
    shown = list(dict.fromkeys(each.name for each in (x, y, color, size) if each))
    by_name = {each.name: each for each in (x, y, color, size) if each}
    items = [
        {
            "value": [float(x.numbers[at]), float(y.numbers[at])],
            "name": _told(runs[at], [by_name[name] for name in shown], at),
            "symbolSize": diameter,
            "itemStyle": {"color": tint, "opacity": 0.8 if kept[at] else _PALE},
        }
        for at, tint, diameter in zip(drawn, tints, sizes, strict=True)
    ]
    spec = {
        "animation": False,
        "grid": {"left": 34, "right": 24, "top": 42, "bottom": 30},
        "xAxis": _axis(x, 30),
        "yAxis": _axis(y, 52),
        "tooltip": _TOOLTIP,
        "toolbox": _TOOLBOX,
        "brush": _BRUSH,
        "series": [{"type": "scatter", "name": _cut(label(y.name)), "data": items}],
    }
    return Scatter(spec, tuple(drawn), tuple(legend), tuple(_gone(x, y, color, size, drawn)))


def boxed(x: Column, y: Column, area: Sequence[Sequence[float]]) -> dict[str, Range]:
    """Return the ranges of a box: ((x from, to), (y from, to)), in values or places of categories."""
    (x_low, x_high), (y_low, y_high) = area
    return {x.name: of_places(x, x_low, x_high), y.name: of_places(y, y_low, y_high)}


def _told(run: Run, columns: Sequence[Column], at: int) -> str:
    """Say what a dot is, a line for each column."""
    lines = [f"{label(each.name)}: {each.texts[at] or '–'}" for each in columns]
    return "\n".join(map(_cut, (run.name or run.run_id, *lines)))


def _tints(
    color: Column | None, drawn: Sequence[int], runs: int
) -> tuple[list[str], list[tuple[str, str]]]:
    if color is None:
        return [PALETTE[0]] * len(drawn), []
    if not color.categories:
        every = colors(color, runs)
        return [every[at] for at in drawn], []
    counted = Counter(color.texts[at] for at in drawn if np.isfinite(color.numbers[at]))
    most = sorted(text for text, _ in counted.most_common(MOST_CATEGORIES))
    known = dict(zip(most, PALETTE, strict=False))
    texts = [color.texts[at] if np.isfinite(color.numbers[at]) else None for at in drawn]
    return [known.get(text, NO_COLOR) if text is not None else NO_COLOR for text in texts], [
        (_cut(text), tint) for text, tint in known.items()
    ]


def _sizes(size: Column | None, drawn: Sequence[int]) -> list[float]:
    if size is None or size.categories or not size.placed:
        return [_SIZE_PX] * len(drawn)
    places = np.nan_to_num(Scale.of(size).places(size.numbers), nan=0.0)
    low, high = _SIZES_PX
    diameters = np.sqrt(low**2 + places * (high**2 - low**2))
    return [round(float(diameters[at]), 1) for at in drawn]


def _axis(column: Column, gap: int) -> dict[str, Any]:
    named = {"name": _cut(label(column.name)), "nameLocation": "middle", "nameGap": gap}
    if column.categories:
        return {**named, "type": "category", "data": [_cut(text) for text in column.categories]}
    scale = Scale.of(column)
    if column.log:
        ends = {"min": scale.low / 1.15, "max": scale.high * 1.15}
        return {
            **named,
            "name": f"{named['name']} · log",
            "type": "log",
            **ends,
            "axisLabel": _TICKS,
        }
    margin = (scale.high - scale.low) * 0.04
    ends = {"min": scale.low - margin, "max": scale.high + margin}
    return {**named, "type": "value", **ends, "axisLabel": _TICKS}


def _gone(
    x: Column, y: Column, color: Column | None, size: Column | None, drawn: Sequence[int]
) -> list[str]:
    said = [
        f"not drawn for {label(name)}: {without}"
        for name, column in {x.name: x, y.name: y}.items()
        if (without := lacking(column))
    ]
    for what, other in (("colour", color), ("size", size)):
        blank = sum(not np.isfinite(other.numbers[at]) for at in drawn) if other else 0
        said += [f"{words.count(blank, 'dot')} without a {what}"] if blank else []
    if color and len(color.categories) > MOST_CATEGORIES:
        said.append(f"{len(color.categories) - MOST_CATEGORIES:,} more categories are grey")
    if size and size.categories:
        said.append(f"{label(size.name)} is no number: all dots are of one size")
    return said


def lacking(column: Column) -> str:
    """Say how many runs have no value that can be drawn, and why; "" when all have one."""
    parts = (
        f"{column.missing:,} without a value" if column.missing else "",
        f"{column.nonfinite:,} NaN or infinite" if column.nonfinite else "",
    )
    return ", ".join(part for part in parts if part)


def _cut(text: str) -> str:
    return text if len(text) <= _NAME_CHARS else f"{text[: _NAME_CHARS - 1]}…"
