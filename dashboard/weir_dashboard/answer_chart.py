"""An answer in SQL as a chart, for Vega-Lite: which columns may be what, and the description. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.types as types

from weir_dashboard.colors import PALETTE

KINDS: Final = ("line", "points", "bars")
MOST_COLORS: Final = 32
"""So many values of the colour are drawn, those with most rows; the page says when there are more."""

_HEIGHT: Final = 360
_FIRST_X: Final = ("step", "bucket", "time", "at", "ts", "x")


@dataclass(frozen=True, slots=True)
class Axes:
    """Which columns an answer can be drawn over.

    Attributes:
        x: Numbers, instants, texts.
        y: Numbers.
        color: Texts and whole numbers.
    """

    x: tuple[str, ...]
    y: tuple[str, ...]
    color: tuple[str, ...]

    def first(self) -> tuple[str, str, str]:
        """Choose x, y and colour ("" = none) for somebody who chose nothing."""
        x = next((name for want in _FIRST_X for name in self.x if name.lower() == want), self.x[0])
        y = next((name for name in reversed(self.y) if name != x), self.y[-1])
        texts = [name for name in self.color if name not in (x, y)]
        return x, y, texts[0] if texts else ""


def axes(table: pa.Table) -> Axes | None:
    """Say what can be drawn; None when nothing is a number or there are fewer than two rows."""
    kinds = {field.name: field.type for field in table.schema}
    numbers = tuple(name for name, kind in kinds.items() if _is_number(kind))
    texts = tuple(name for name, kind in kinds.items() if _is_text(kind))
    whole = tuple(name for name, kind in kinds.items() if types.is_integer(kind))
    instants = tuple(name for name, kind in kinds.items() if types.is_temporal(kind))
    if not numbers or table.num_rows < 2 or len(kinds) < 2:
        return None
    return Axes((*instants, *numbers, *texts), numbers, (*texts, *whole))


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart.

    Attributes:
        rows: x, y and, when there is one, color.
        spec: The description, without rows.
        left_out: So many values of the colour are not drawn.
        gone: So many rows have no number to draw: null, NaN, infinite.
    """

    rows: pd.DataFrame
    spec: dict[str, Any]
    left_out: int
    gone: int


def draw(table: pa.Table, kind: str, x: str, y: str, color: str = "") -> Drawn:
    """Draw y over x; `color` "" draws everything in one."""
    names = {"x": x, "y": y, **({"color": color} if color else {})}
    rows = pd.DataFrame({role: table.column(name).to_pandas() for role, name in names.items()})
    rows["y"] = pd.to_numeric(rows["y"]).astype("float64")
    finite = rows["y"].abs() < float("inf")
    gone = int((~finite).sum())
    rows = rows[finite]
    left_out = 0
    values: list[str] = []
    if color:
        rows["color"] = rows["color"].astype(str)
        counted = rows["color"].value_counts()
        kept = set(counted.index[:MOST_COLORS])
        left_out = len(counted) - len(kept)
        rows = rows[rows["color"].isin(kept)]
        values = sorted(kept)
    x_type = _vega_type(table.schema.field(x).type)
    if x_type == "nominal":
        rows["x"] = rows["x"].astype(str)
    return Drawn(rows, _spec(kind, x_type, names, values), left_out, gone)


def _spec(kind: str, x_type: str, names: dict[str, str], values: Sequence[str]) -> dict[str, Any]:
    marks: dict[str, dict[str, Any]] = {
        "line": {"type": "line", "strokeWidth": 1.5},
        "points": {"type": "circle", "size": 22, "opacity": 0.75},
        "bars": {"type": "bar"},
    }
    x: dict[str, Any] = {"field": "x", "type": x_type, "title": names["x"]}
    if x_type == "temporal":
        x["scale"] = {"type": "utc"}
    if x_type == "quantitative":
        x["scale"] = {"zero": False, "nice": False}
    encoding: dict[str, Any] = {
        "x": x,
        "y": {"field": "y", "type": "quantitative", "title": names["y"], "scale": {"zero": kind == "bars"}},
        "tooltip": [
            {"field": role, "title": name, "type": "temporal" if role == "x" and x_type == "temporal" else "nominal"}
            for role, name in names.items()
        ],
    }  # fmt: skip
    if values:
        encoding["color"] = {
            "field": "color",
            "type": "nominal",
            "title": names["color"],
            "scale": {"domain": list(values), "range": [PALETTE[at % len(PALETTE)] for at in range(len(values))]},
            "legend": {"orient": "bottom", "columns": 6, "labelLimit": 220, "symbolLimit": MOST_COLORS},
        }  # fmt: skip
    else:
        encoding["color"] = {"value": PALETTE[0]}
    zoom = {"name": "zoom", "select": "interval", "bind": "scales"}
    return {
        "mark": marks[kind],
        "encoding": encoding,
        "height": _HEIGHT,
        **({} if x_type == "nominal" or kind == "bars" else {"params": [zoom]}),
        "usermeta": {"embedOptions": {"renderer": "canvas"}},
    }


def _is_number(kind: pa.DataType) -> bool:
    return bool(types.is_integer(kind) or types.is_floating(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind))


def _vega_type(kind: pa.DataType) -> str:
    if types.is_temporal(kind):
        return "temporal"
    return "quantitative" if _is_number(kind) else "nominal"
