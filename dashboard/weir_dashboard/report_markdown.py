"""A report's text: Markdown into safe HTML, and its fenced `weir` blocks into panels. Pure.

Nothing a report says is ever run or fetched: raw HTML is shown as text, links lead where they say in
a tab of their own, pictures of other addresses are links (a page of Weir asks nobody else), and only
pictures that are in the text itself (`data:image/png…`) are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Final, TypeAlias

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

KINDS: Final = ("chart", "table", "sql", "run", "media")
FENCE: Final = "weir"

_MOST_PANELS: Final = 40
_LINE: Final = re.compile(r"^([A-Za-z][\w.]*):(?: (.*)|)$")
_PICTURE: Final = re.compile(r"^data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+$")
# What leads somewhere without running anything; a bare path stays within this dashboard.
_LINK: Final = re.compile(r"^(https?://|mailto:|#|/(?!/)|[\w.-]+(?:[/?#]|$))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Prose:
    """Text between panels.

    Attributes:
        html: Safe to show: every text of the author is escaped in it.
    """

    html: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A fenced block.

    Attributes:
        kind: One of `KINDS`.
        value: What its first line says: a query string, a statement, a run.
        options: The other lines, each key with its values in order.
        line: Where it begins in the text, from 1.
    """

    kind: str
    value: str
    options: Mapping[str, Sequence[str]]
    line: int

    def one(self, key: str, default: str = "") -> str:
        """Return the last value of an option."""
        texts = self.options.get(key, ())
        return texts[-1] if texts else default


@dataclass(frozen=True, slots=True)
class Wrong:
    """A block that is none: what is wrong with it, and in which line it begins."""

    message: str
    line: int


Block: TypeAlias = Prose | Panel | Wrong


def blocks(text: str) -> list[Block]:
    """Read a report from top to bottom. Never raises: what is wrong is said where it stands."""
    found: list[Block] = []
    prose: list[Token] = []
    env: dict[str, Any] = {}
    for token in _MARKDOWN.parse(text, env):
        if not (token.type == "fence" and token.level == 0 and token.info.strip() == FENCE):
            prose.append(token)
            continue
        found += _prose(prose, env)
        prose = []
        found.append(panel(token.content, line=(token.map or [0])[0] + 1))
    return _few([*found, *_prose(prose, env)])


def panel(content: str, line: int = 1) -> Panel | Wrong:
    """Read the inside of a block: `key: value` lines, of which the first says what it is."""
    pairs: list[tuple[str, str]] = []
    for key, value in _pairs(content):
        if not key:
            return Wrong(f"not `key: value`: {value}", line)
        pairs.append((key, value))
    if not pairs:
        return Wrong(f"an empty panel: begin with one of {', '.join(KINDS)}", line)
    (kind, value), *others = pairs
    if kind not in KINDS:
        return Wrong(f"no panel {kind!r}: begin with one of {', '.join(KINDS)}", line)
    if not value.strip():
        return Wrong(f"the panel {kind!r} says nothing", line)
    options: dict[str, list[str]] = {}
    for key, text in others:
        options.setdefault(key, []).append(text.strip())
    return Panel(kind, value.strip(), options, line)


def write_panel(kind: str, value: str, **options: str | Sequence[str]) -> str:
    """Write a block as `blocks` reads it."""
    lines = [_line(kind, value)]
    for key, texts in options.items():
        lines += [_line(key, text) for text in ([texts] if isinstance(texts, str) else texts)]
    inside = "\n".join(lines)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", inside)), default=0))
    return f"{fence}{FENCE}\n{inside}\n{fence}\n"


def _line(key: str, value: str) -> str:
    if "\n" not in value and value != "|":
        return f"{key}: {value}"
    return f"{key}: |\n" + "\n".join(f"  {line}" for line in value.split("\n"))


def _pairs(content: str) -> Iterator[tuple[str, str]]:
    """Yield key and value of each line; after `|` the lines that are indented are the value."""
    lines = content.split("\n")
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.strip():
            continue
        matched = _LINE.match(line)
        if matched is None:
            yield "", line[:80]
            continue
        key, value = matched[1], (matched[2] or "").strip()
        if value == "|":
            inside = []
            while at < len(lines) and (lines[at].startswith(" ") or not lines[at].strip()):
                inside.append(lines[at][2:] if lines[at].startswith("  ") else lines[at].strip())
                at += 1
            value = "\n".join(inside).strip("\n")
        yield key, value


def _prose(tokens: Sequence[Token], env: MutableMapping[str, Any]) -> list[Block]:
    if not tokens:
        return []
    return [Prose(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, env))]


def _few(found: list[Block]) -> list[Block]:
    """Panels beyond the most a page can fill are named, not drawn."""
    panels = 0
    kept: list[Block] = []
    for block in found:
        panels += isinstance(block, Panel)
        if isinstance(block, Panel) and panels > _MOST_PANELS:
            kept.append(
                Wrong(f"more than {_MOST_PANELS} panels: this one is not drawn", block.line)
            )
        else:
            kept.append(block)
    return kept


def _image(
    self: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: Any,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[at]
    source = str(token.attrGet("src") or "")
    said = self.renderInlineAsText(token.children, options, env) if token.children else ""
    if _PICTURE.match(source):
        return f'<img src="{escape(source)}" alt="{escape(said)}">'
    if not _LINK.match(source):
        return escape(said)
    words = escape(said or source)
    return f'<a href="{escape(source)}" target="_blank" rel="noopener noreferrer">{words} ↗</a>'


def _link_open(
    self: RendererHTML,
    tokens: Sequence[Token],
    at: int,
    options: Any,
    env: MutableMapping[str, Any],
) -> str:
    token = tokens[at]
    if not _LINK.match(str(token.attrGet("href") or "")):
        token.attrSet("href", "#")
    token.attrSet("target", "_blank")
    token.attrSet("rel", "noopener noreferrer")
    return self.renderToken(tokens, at, options, env)


def _reader() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(
        ["table", "strikethrough"]
    )
    made.add_render_rule("image", _image)
    made.add_render_rule("link_open", _link_open)
    return made


_MARKDOWN: Final = _reader()
