"""Colours of a terminal as HTML. Pure; everything else in a line is escaped.

Understands the SGR sequences of ECMA-48 (8.3.117) that programs use: bold, dim, italic, underline,
the sixteen colours, and of the 256 and 24-bit ones the foreground. Other sequences are left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html import escape
from typing import Final

_SEQUENCE: Final = re.compile(r"\x1b(?:\[([0-9;:]*)([@-~])|[@-Z\\-_])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
# Readable on a light and on a dark ground.
_COLORS: Final = (
    *("#6b7280", "#d0402b", "#31983d", "#b0780c", "#3b78d8", "#a855a8", "#1f97a6", "#8b93a1"),
    *("#8b93a1", "#e5604c", "#4db35a", "#c9962c", "#5f96ea", "#c077c0", "#3fb3c1", "#b4bac4"),
)


@dataclass(frozen=True, slots=True)
class _Style:
    color: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False

    def css(self) -> str:
        parts = (
            f"color:{self.color}" if self.color else "",
            "font-weight:650" if self.bold else "",
            "opacity:.65" if self.dim else "",
            "font-style:italic" if self.italic else "",
            "text-decoration:underline" if self.underline else "",
        )
        return ";".join(part for part in parts if part)


def to_html(line: str) -> str:
    """Return a line as HTML, its colours as spans."""
    style, start, parts = _Style(), 0, []
    for found in _SEQUENCE.finditer(line):
        parts.append(_piece(line[start : found.start()], style))
        start = found.end()
        if found[2] == "m":
            style = _changed(style, found[1] or "")
    parts.append(_piece(line[start:], style))
    return "".join(parts)


def _piece(text: str, style: _Style) -> str:
    if not text:
        return ""
    shown = escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))
    css = style.css()
    return f'<span style="{css}">{shown}</span>' if css else shown


def _changed(style: _Style, parameters: str) -> _Style:
    codes = [int(code) if code.isdigit() else 0 for code in re.split("[;:]", parameters)]
    while codes:
        code = codes.pop(0)
        if code == 0:
            style = _Style()
        elif code in (38, 48):
            color = _extended(codes)
            style = replace(style, color=color) if code == 38 and color else style
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = replace(style, color=_COLORS[code - 30 if code < 90 else code - 82])
        else:
            style = _flagged(style, code)
    return style


def _flagged(style: _Style, code: int) -> _Style:
    match code:
        case 1:
            return replace(style, bold=True)
        case 2:
            return replace(style, dim=True)
        case 3:
            return replace(style, italic=True)
        case 4:
            return replace(style, underline=True)
        case 22:
            return replace(style, bold=False, dim=False)
        case 23:
            return replace(style, italic=False)
        case 24:
            return replace(style, underline=False)
        case 39:
            return replace(style, color="")
    return style


def _extended(codes: list[int]) -> str:
    """Take the rest of a 256-colour or 24-bit sequence; returns its colour, "" when it is none."""
    kind = codes.pop(0) if codes else 0
    if kind == 5 and codes:
        return _of_palette(codes.pop(0))
    if kind == 2 and len(codes) >= 3:
        red, green, blue = (min(codes.pop(0), 255) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    return ""


def _of_palette(index: int) -> str:
    if index < 16:
        return _COLORS[index]
    if index > 231:
        grey = min(8 + 10 * (index - 232), 255)
        return f"#{grey:02x}{grey:02x}{grey:02x}"
    cube = index - 16
    levels = (0, 95, 135, 175, 215, 255)
    red, green, blue = levels[cube // 36], levels[cube // 6 % 6], levels[cube % 6]
    return f"#{red:02x}{green:02x}{blue:02x}"
