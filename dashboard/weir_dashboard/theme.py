"""What Streamlit's own look lacks: dense pages and tabular figures. Colours live in .streamlit/config.toml."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Final

CSS: Final = """
<style>
[data-testid="stMainBlockContainer"] { padding: 3.1rem 1rem 0.25rem; max-width: none; }
[data-testid="stHeader"], [data-testid="stHeader"] > div { height: 2.6rem; min-height: 2.6rem; }
[data-testid="stMainMenuDivider"] { display: none; }
[data-testid="stVerticalBlock"] { gap: 0.6rem; }
[data-testid="stMain"] { font-variant-numeric: tabular-nums; }
[data-testid="stVerticalBlock"] [data-testid="stVerticalBlock"] { gap: 0.35rem; }
[data-testid="stPageLink"] { margin-left: -0.5rem; }
.weir-head { display: flex; flex-wrap: wrap; gap: 0.1rem 1.3rem; align-items: baseline; font-size: 0.875rem; }
.weir-head h1, .weir-head h2 { margin: 0; padding: 0; font-size: 1.2rem; font-weight: 650; line-height: 1.5; }
.weir-head h2 { font-size: 1rem; margin-top: 0.5rem; }
.weir-head small { font-size: inherit; opacity: 0.62; margin-right: 0.35rem; }
.weir-head span { white-space: nowrap; }
.weir-head a { color: inherit; }
.weir-state { font-weight: 600; }
.weir-state.running { color: #31983d; }
.weir-state.failed, .weir-state.crashed { color: #d0402b; }
.weir-state.interrupted { color: #b0780c; }
.weir-shield { cursor: help; }
.weir-shield svg { height: 1em; vertical-align: -0.12em; fill: none; stroke: currentColor; stroke-width: 1.6; }
.weir-shield.whole, .weir-shield.pending { color: #31983d; }
.weir-shield.lost { color: #b0780c; }
.weir-shield.changed, .weir-shield.missing, .weir-shield.doubled { color: #d0402b; }
/* Streamlit gives panels the whole width and forgets the labels of their axis */
.st-key-weir-panels { padding-right: 3.4rem; overflow-x: auto; }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
</style>
"""


def head(
    title: str, facts: Mapping[str, str] = MappingProxyType({}), *, badge: str = "", level: int = 1
) -> str:
    """Return a heading with small facts beside it, as HTML; all texts are escaped here, `badge` is not.

    Args:
        title: The heading.
        facts: Name → text; those without text are left out; an empty name shows the text alone.
        badge: HTML right after the title.
        level: 1 for the page, 2 for a part of it.
    """
    rows = "".join(
        f"<span><small>{escape(name)}</small>{escape(text)}</span>"
        for name, text in facts.items()
        if text
    )
    return f'<div class="weir-head"><h{level}>{escape(title)}</h{level}>{badge}{rows}</div>'
