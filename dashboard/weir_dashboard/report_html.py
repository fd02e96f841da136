"""A report as one HTML file: everything in it, nothing asked of anybody, no script but our own.

The file carries its charts' points, packed as the wall gets them, and the code that draws them. Its
own Content-Security-Policy lets that one script run, named by its hash, and forbids every request.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from html import escape
from typing import Any, Final
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa

from weir_dashboard import assets, report_bundle, report_panels, report_svg, words
from weir_dashboard.media_points import Shown
from weir_dashboard.report_markdown import Panel, Prose, Wrong, blocks
from weir_dashboard.report_panels import Filled
from weir_store.documents.records import Document
from weir_store.errors import StoreError

_SHEETS: Final = ("uPlot.css", "wall.css", "figure.css")
_LONGEST_CELL: Final = 300
_ENDS: Final = re.compile(r"<(/?script|!--)", re.IGNORECASE)
_NARROW: Final = 60  # characters that stay in one line

SeriesBytes = Callable[[dict[str, Any], str], bytes]
"""Packed points of a figure's metric. May raise `StoreError`."""

PictureBytes = Callable[[str, Shown], "tuple[str, bytes] | None"]
"""Media type and bytes of a picture; None = it is none, or too large to put into a file."""


@dataclass(frozen=True, slots=True)
class Page:
    """The file, and what it could not take along."""

    html: bytes
    left_out: tuple[str, ...]


def page(
    report: Document,
    fill: Callable[[Panel], Filled],
    series: SeriesBytes,
    picture: PictureBytes,
    now_unix_s: float,
) -> Page:
    """Write a report as a file.

    Args:
        report: With its body.
        fill: Fills a panel.
        series: Reads the points of a chart.
        picture: Reads a picture.
        now_unix_s: When.
    """
    writer = _Writer(fill, series, picture)
    inside = "".join(writer.block(block) for block in blocks(report.body))
    at = datetime.fromtimestamp(now_unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    head = (
        f"<header><h1>{escape(report.name)}</h1><p>{escape(report.project)} · version"
        f" {report.version} by {escape(report.by)}, {words.instant(report.at_unix_us)} · taken {at}"
        "</p></header>"
    )
    script = _script()
    held = "".join(writer.held)
    html = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="generator" content="Weir">'
        f"<title>{escape(report.name)}</title><style>{_style()}</style></head>"
        f"<body><main>{head}{inside}</main>{held}<script>{script}</script></body></html>\n"
    )
    return Page(html.encode(), tuple(writer.left_out))


class _Writer:
    """Writes blocks, and gathers what the figures need."""

    def __init__(
        self, fill: Callable[[Panel], Filled], series: SeriesBytes, picture: PictureBytes
    ) -> None:
        self._fill = fill
        self._series = series
        self._picture = picture
        self.held: list[str] = []
        self.left_out: list[str] = []

    def block(self, block: Prose | Panel | Wrong) -> str:
        """Write one block."""
        if isinstance(block, Prose):
            return block.html
        if isinstance(block, Wrong):
            return f'<p class="wrong">{escape(block.message)} (line {block.line})</p>'
        filled = self._fill(block)
        title = f"<h3>{escape(filled.title)}</h3>" if filled.title else ""
        inside = self._inside(filled) if not filled.error else _wrong(filled.error)
        notes = "".join(f"<p class=note>{escape(note)}</p>" for note in filled.notes)
        return f'<section class="weir {block.kind}">{title}{inside}{notes}</section>'

    def _inside(self, filled: Filled) -> str:
        if filled.figure is not None:
            return self._figure(dict(filled.figure))
        if filled.answer is not None and filled.drawn is not None:
            return _drawn(filled.answer, filled.drawn)
        if filled.rows is not None:
            return _table(filled.rows)
        if filled.media:
            return "".join(self._medium(filled.project, one) for one in filled.media)
        facts = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in filled.facts.items()
        )
        return f"<dl>{facts}</dl>"

    def _figure(self, figure: dict[str, Any]) -> str:
        packed: dict[str, str] = {}
        for metric in figure["metrics"]:
            try:
                packed[metric["name"]] = b64encode(self._series(figure, metric["name"])).decode()
            except StoreError as error:
                self.left_out.append(f"{metric['name']}: {error}")
        told = {**figure, "links": [], "runs": [{**run, "href": ""} for run in figure["runs"]]}
        name = f"figure-{len(self.held)}"
        text = _json({"spec": told, "packed": packed})
        self.held.append(f'<script type="application/json" id="{name}">{text}</script>')
        return f'<div data-figure="{name}"></div>'

    def _medium(self, project: str, one: Shown) -> str:
        text = one.facts.get("text")
        if one.type == "text" and isinstance(text, str):
            return f"<pre>{escape(text)}</pre>"
        try:
            found = self._picture(project, one)
        except StoreError:
            found = None
        if found is None:
            said = f"{one.type} {one.title}".strip()
            self.left_out.append(said)
            return f"<p class=note>{escape(said)}: not in this file</p>"
        kind, content = found
        address = f"data:{kind};base64,{b64encode(content).decode()}"
        said = escape(one.title)
        return f'<figure><img src="{address}" alt="{said}"><figcaption>{said}</figcaption></figure>'


def _drawn(answer: pa.Table, wanted: tuple[str, str, str, str]) -> str:
    """Draw a statement's answer, as far as it can be drawn."""
    made = report_panels.draw(answer, wanted)
    if isinstance(made, str):
        return _wrong(made)
    drawn, kind, names = made
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in report_panels.notes_of(drawn))
    return report_svg.draw(drawn.rows, kind, names) + notes


def _wrong(message: str) -> str:
    return f'<p class="wrong">{escape(message)}</p>'


def _table(rows: pd.DataFrame) -> str:
    """Write a table; pictures of Weir's own (colours of runs) stay, links become their text."""
    head = "".join(f"<th>{escape(str(name)) if name != 'color' else ''}</th>" for name in rows)
    body = "".join(
        "<tr>" + "".join(_cell(name, value) for name, value in row.items()) + "</tr>"
        for row in rows.to_dict("records")
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(name: object, value: Any) -> str:
    if name == "color" and isinstance(value, str) and value.startswith("data:image/svg+xml"):
        return f'<td><img src="{escape(value)}" alt="" width="14" height="14"></td>'
    if name == "name" and isinstance(value, str) and value.startswith("/run?") and "#" in value:
        value = unquote(value.partition("#")[2])
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if isinstance(value, float):
        text = "" if pd.isna(value) else words.number(value)
        return f'<td class="n">{escape(text)}</td>'
    if value is None or value is pd.NaT:
        return "<td></td>"
    if isinstance(value, pd.Timestamp):
        value = value.strftime("%Y-%m-%d %H:%M")
    text = str(value)
    text = text if len(text) <= _LONGEST_CELL else text[:_LONGEST_CELL] + "…"
    return f"<td{' class=long' * (len(text) > _NARROW)}>{escape(text)}</td>"


def _json(said: object) -> str:
    """Write JSON that cannot end the element it stands in."""
    text = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def _script() -> str:
    """Return the one script of the file."""
    sources = {
        name: asset.body.decode()
        for name, asset in assets.every().items()
        if asset.media_type == "text/javascript"
    }
    styles = [asset.body.decode() for name in _SHEETS if (asset := assets.read(name)) is not None]
    sources["menu.js"] = sources["no-menu.js"]
    code = report_bundle.bundle("offline.js", sources)
    started = f'{code}weirModules["offline.js"].start({json.dumps(styles)});'
    if _ENDS.search(started):  # it would end the element it stands in
        raise ValueError("the script of a report names an HTML element of scripts")
    return started


def _style() -> str:
    """Return the look of the page around the figures."""
    found = assets.read("report.css")
    return found.body.decode() if found is not None else ""


def _policy(script: str) -> str:
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
