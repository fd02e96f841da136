"""A statement's answer as a picture that needs no script: lines, points or bars, for a file. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any, Final

import pandas as pd

from weir_dashboard import words
from weir_dashboard.colors import PALETTE

_WIDTH, _HEIGHT = 860, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 12, 10, 26
_TICKS: Final = 5
_LONGEST: Final = 24


def draw(rows: pd.DataFrame, kind: str, names: tuple[str, str, str]) -> str:
    """Draw rows as SVG.

    Args:
        rows: x, y (finite) and perhaps color, as answer_chart.draw returns them.
        kind: line, points or bars.
        names: Of x, y and colour.
    """
    places, labels = _places(rows["x"], kind)
    y = [float(value) for value in rows["y"]]
    low, high = min(y), max(y)
    low, high = (min(0.0, low), max(0.0, high)) if kind == "bars" else (low, high)
    high = high if high > low else low + (abs(low) or 1.0)
    first, last = min(places), max(places)
    if kind == "bars":
        first, last = first - 0.5, last + 0.5
    last = last if last > first else first + 1.0
    wide, tall = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(place: float, value: float) -> tuple[float, float]:
        across = (place - first) / (last - first)
        up = (value - low) / (high - low)
        return round(_LEFT + across * wide, 1), round(_TOP + (1 - up) * tall, 1)

    colors = sorted(set(rows["color"])) if "color" in rows else [""]
    of = list(rows["color"]) if "color" in rows else [""] * len(rows)
    marks = []
    for number, color in enumerate(colors):
        own = [(p, v) for p, v, c in zip(places, y, of, strict=True) if c == color]
        ink = PALETTE[number % len(PALETTE)]
        apart = wide / max(1, len(set(places)))
        marks.append(_MARKS[kind]([at(p, v) for p, v in own], ink, at(first, 0.0)[1], apart))
    said = f"{kind} of {names[1]} over {names[0]}"
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(said)}" class="chart">'
        f"{_grid(low, high, at, first)}{_below(labels, places, at, low)}{''.join(marks)}</svg>"
        f"{_legend(colors, names)}"
    )


def _places(x: Any, kind: str) -> tuple[list[float], dict[float, str]]:
    """Return where each row lies along x, and what stands below some of these places."""
    if pd.api.types.is_datetime64_any_dtype(x):
        instants = pd.to_datetime(x, utc=True)
        numbers = [float(one.timestamp()) for one in instants]
        named = {n: one.strftime("%m-%d %H:%M") for n, one in zip(numbers, instants, strict=True)}
        return numbers, named
    if kind != "bars" and pd.api.types.is_numeric_dtype(x):
        numbers = [float(value) for value in x]
        return numbers, {number: words.number(number) for number in numbers}
    order = {value: float(place) for place, value in enumerate(dict.fromkeys(x))}
    return [order[value] for value in x], {
        place: _short(str(value)) for value, place in order.items()
    }


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _grid(low: float, high: float, at: Any, first: float) -> str:
    parts = []
    for step in range(_TICKS):
        value = low + (high - low) * step / (_TICKS - 1)
        _, y = at(first, value)
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}" class="grid"/>'
            f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(words.number(value))}</text>'
        )
    return "".join(parts)


def _below(labels: dict[float, str], places: Sequence[float], at: Any, low: float) -> str:
    ordered = sorted(set(places))
    every = max(1, math.ceil(len(ordered) / 7))
    return "".join(
        f'<text x="{at(place, low)[0]}" y="{_HEIGHT - 8}" text-anchor="middle">'
        f"{escape(labels.get(place, ''))}</text>"
        for place in ordered[::every]
    )


def _line(points: Sequence[tuple[float, float]], ink: str, zero: float, wide: float) -> str:
    path = " ".join(f"{x},{y}" for x, y in sorted(points))
    return f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="1.6"/>'


def _points(points: Sequence[tuple[float, float]], ink: str, zero: float, wide: float) -> str:
    return "".join(
        f'<circle cx="{x}" cy="{y}" r="2.4" fill="{ink}" fill-opacity="0.75"/>' for x, y in points
    )


def _bars(points: Sequence[tuple[float, float]], ink: str, zero: float, wide: float) -> str:
    width = max(1.0, wide * 0.7)
    return "".join(
        f'<rect x="{x - width / 2:.1f}" y="{min(y, zero):.1f}" width="{width:.1f}"'
        f' height="{max(0.5, abs(y - zero)):.1f}" fill="{ink}" fill-opacity="0.85"/>'
        for x, y in points
    )


_MARKS: Final = {"line": _line, "points": _points, "bars": _bars}


def _legend(colors: Sequence[str], names: tuple[str, str, str]) -> str:
    if colors == [""]:
        return ""
    entries = "".join(
        f'<span><i style="background:{PALETTE[place % len(PALETTE)]}"></i>{escape(color)}</span>'
        for place, color in enumerate(colors)
    )
    return f'<p class="legend"><b>{escape(names[2])}</b> {entries}</p>'
