"""Media that are drawn as charts: histograms, point clouds, and whether a chart keeps to itself. Pure."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

_DRAWN_POINTS: Final = 4_000
_HEIGHT_PX: Final = 260


def histogram(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a Vega-Lite chart of a histogram's counts between its edges."""
    counts, edges = facts.get("counts") or [], facts.get("edges") or []
    rows = [
        {"from": low, "to": high, "count": count}
        for count, low, high in zip(counts, edges, edges[1:], strict=False)
    ]
    return {
        "data": {"values": rows},
        "height": _HEIGHT_PX,
        "mark": {"type": "bar", "tooltip": True},
        "encoding": {
            "x": {"field": "from", "bin": "binned", "type": "quantitative", "title": None},
            "x2": {"field": "to"},
            "y": {"field": "count", "type": "quantitative", "title": "count"},
        },
    }


def cloud(content: bytes) -> dict[str, Any]:
    """Return a point cloud seen from above and from the front, at most 4 000 of its points.

    Raises:
        ValueError: The bytes are no array of points.
    """
    points = np.load(io.BytesIO(content), allow_pickle=False)
    if points.ndim != 2 or points.shape[1] not in (3, 4, 6):
        raise ValueError(f"an array {points.shape} is no cloud")
    points = points[np.isfinite(points).all(axis=1)]
    some = points[:: max(1, -(-len(points) // _DRAWN_POINTS))]
    rows = [
        {"x": float(row[0]), "y": float(row[1]), "z": float(row[2]), "c": _color(row)}
        for row in some
    ]
    literal = points.shape[1] == 6
    return {
        "data": {"values": rows},
        "hconcat": [_seen("x", "y", literal), _seen("x", "z", literal)],
    }


def _color(row: Any) -> str | float:
    if len(row) == 6:
        red, green, blue = (int(min(max(part, 0), 255)) for part in row[3:])
        return f"#{red:02x}{green:02x}{blue:02x}"
    return float(row[3] if len(row) == 4 else row[2])


def _seen(across: str, up: str, literal: bool) -> dict[str, Any]:
    axis = {"type": "quantitative", "scale": {"zero": False}}
    color = {"field": "c", "type": "nominal", "scale": None} if literal else None
    return {
        "width": 320,
        "height": 320,
        "mark": {"type": "circle", "size": 9, "opacity": 0.8},
        "encoding": {
            "x": {"field": across, **axis},
            "y": {"field": up, **axis},
            "color": color or {"field": "c", "type": "quantitative", "legend": None},
        },
    }


def keeps_to_itself(spec: Any) -> bool:
    """Whether a chart's specification makes the browser fetch nothing from elsewhere."""
    if isinstance(spec, Mapping):
        fetches = any(key in spec for key in ("url", "href", "image"))
        return not fetches and all(map(keeps_to_itself, spec.values()))
    if isinstance(spec, list):
        return all(map(keeps_to_itself, spec))
    return True
