"""Parallel coordinates: every run a line over axes of config and results, ready to be drawn. Pure.

Places on an axis go from 0 (below) to 1 (above); component/assets/parallel.js draws them, and tells which
stretch of an axis was brushed. ECharts draws such a chart as well, but what is brushed on its axes does not
come back to Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import numpy as np

from weir_dashboard import selection, words
from weir_dashboard.compare_columns import Column, Numbers, label
from weir_dashboard.compare_ranges import Range, is_span, of_places
from weir_dashboard.selection import Selection
from weir_store.records import Run

COLORS: Final = ("#5b5bd6", "#2b86c9", "#1f9a86", "#7c961e", "#d07a0c")
"""From the lowest to the highest value, blue to orange: 3:1 or more on white and on the dark background."""
NO_COLOR: Final = "#8a8f98"
MOST_AXES: Final = 12

_ALIKE: Final = 1e-9  # values nearer than this part of themselves stand in the middle of their axis
_SMALLEST: Final = 1e-300
_MOST_TICKS: Final = 7
_CATEGORY_CHARS: Final = 40
_NAME_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class Scale:
    """Where the values of a column stand on its axis."""

    low: float
    high: float
    log: bool
    categories: int = 0

    @classmethod
    def of(cls, column: Column) -> Scale:
        """Return the scale that holds all values of a column."""
        if column.categories:
            return cls(0.0, max(1.0, len(column.categories) - 1.0), False, len(column.categories))
        values = column.numbers[np.isfinite(column.numbers)]
        low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
        if high - low <= _ALIKE * max(abs(low), abs(high)):
            half = max(abs(low), abs(high), _SMALLEST) / 2 if high else 0.5
            low, high = low - half, high + half
        return cls(low, high, column.log)

    def places(self, values: Numbers) -> Numbers:
        """Return where values stand; NaN stays NaN."""
        low, high = self._bend(np.array([self.low, self.high]))
        places: Numbers = (self._bend(values) - low) / (high - low)
        return places

    def value_at(self, place: float) -> float:
        """Return the value that stands at a place."""
        low, high = (float(end) for end in self._bend(np.array([self.low, self.high])))
        value = low + (high - low) * place
        return 10.0**value if self.log else value

    def ticks(self, column: Column) -> list[tuple[float, str]]:
        """Return places and texts: all values where they are few, else round ones."""
        if column.categories:
            return [
                (float(self.places(np.array([float(at)]))[0]), _cut(text, _CATEGORY_CHARS))
                for at, text in enumerate(column.categories)
            ]
        values = np.unique(column.numbers[np.isfinite(column.numbers)])
        places = self.places(values)
        if len(values) > _MOST_TICKS or (len(values) > 1 and np.diff(places).min() < 0.06):
            values = _round_ticks(self)
            places = self.places(values)
        return [(float(p), words.number(float(v))) for p, v in zip(places, values, strict=True)]

    def _bend(self, values: Numbers) -> Numbers:
        bent: Numbers = np.log10(values) if self.log else values
        return bent


def spec(
    columns: Sequence[Column],
    metric: Column | None,
    runs: Sequence[Run],
    ranges: Mapping[str, Range],
    kept: Sequence[bool],
) -> dict[str, Any]:
    """Describe the chart as JSON values; the metric is the last axis and gives the colours.

    Args:
        columns: Axes, from left to right.
        metric: Another axis; None = no colours.
        runs: One line each.
        ranges: What is brushed, by column.
        kept: For each run, whether it lies inside of what is brushed.
    """
    axes = [*columns, *([metric] if metric else [])]
    return {
        "axes": [_axis(column, ranges.get(column.name)) for column in axes],
        "lines": [
            {
                "name": _cut(run.name or run.run_id, _NAME_CHARS),
                "href": _address(run),
                "kept": bool(inside),
            }
            for run, inside in zip(runs, kept, strict=True)
        ],
        "colors": colors(metric, len(runs)),
        "noColor": NO_COLOR,
        "legend": _legend(metric),
    }


def colors(column: Column | None, runs: int) -> list[str]:
    """Return a colour for each run by its place between the lowest and the highest value."""
    if column is None or not column.placed:
        return [NO_COLOR] * runs
    places = Scale.of(column).places(column.numbers)
    return [NO_COLOR if math.isnan(place) else mixed(place) for place in places]


def mixed(place: float) -> str:
    """Return the colour of a place from 0 to 1."""
    at = min(max(place, 0.0), 1.0) * (len(COLORS) - 1)
    first = min(int(at), len(COLORS) - 2)
    left, right = (_rgb(COLORS[each]) for each in (first, first + 1))
    part = at - first
    return "#" + "".join(
        f"{round(a + (b - a) * part):02x}" for a, b in zip(left, right, strict=True)
    )


def brushed(column: Column, low: float, high: float) -> Range:
    """Return the range between two places of a column's axis."""
    scale = Scale.of(column)
    return of_places(column, scale.value_at(min(low, high)), scale.value_at(max(low, high)))


def _axis(column: Column, range_: Range | None) -> dict[str, Any]:
    scale = Scale.of(column)
    places = scale.places(column.numbers)
    return {
        "name": column.name,
        "label": _cut(label(column.name), _NAME_CHARS),
        "log": column.log,
        "ticks": scale.ticks(column),
        "places": [None if math.isnan(place) else round(float(place), 5) for place in places],
        "texts": [_cut(text, _NAME_CHARS) for text in column.texts],
        "without": len(places) - column.placed,
        "range": _places_of(column, scale, range_),
    }


def _places_of(column: Column, scale: Scale, range_: Range | None) -> list[float] | None:
    """Return the stretch of an axis that a range covers; None where it is none of this axis."""
    if range_ is None:
        return None
    if is_span(range_):
        if column.categories:
            return None
        ends = np.clip(np.array([float(end) for end in range_]), scale.low, scale.high)
        low, high = scale.places(ends)
        return [float(low), float(high)]
    at = [place for place, text in enumerate(column.categories) if text in set(range_)]
    if not at:
        return None
    ends = scale.places(np.array([min(at) - 0.3, max(at) + 0.3]))
    return [float(np.clip(end, -0.04, 1.04)) for end in ends]


def _round_ticks(scale: Scale) -> Numbers:
    if not scale.log:
        step = 10.0 ** math.floor(math.log10((scale.high - scale.low) / 4))
        step *= next(
            each for each in (1, 2, 5, 10) if (scale.high - scale.low) / (step * each) <= 6
        )
        first, last = math.ceil(scale.low / step - 1e-9), math.floor(scale.high / step + 1e-9)
        return np.array([round(at * step, 12) for at in range(first, last + 1)], np.float64)
    first, last = math.floor(math.log10(scale.low)), math.ceil(math.log10(scale.high))
    digits = (1, 2, 5) if last - first <= 2 else (1,)
    every = [digit * 10.0**at for at in range(first, last + 1) for digit in digits]
    inside = [value for value in every if scale.low * 0.999 <= value <= scale.high * 1.001]
    stride = max(1, -(-len(inside) // _MOST_TICKS))
    return np.array(inside[::stride], np.float64)


def _legend(metric: Column | None) -> dict[str, Any] | None:
    if metric is None or not metric.placed or metric.categories:
        return None
    scale = Scale.of(metric)
    return {
        "label": _cut(label(metric.name), _NAME_CHARS),
        "low": words.number(scale.low),
        "high": words.number(scale.high),
        "colors": list(COLORS),
    }


def _address(run: Run) -> str:
    address = selection.build(Selection(project=run.project, run_id=run.run_id))
    return f"/run?{urlencode(address, doseq=True)}"


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
