"""What Streamlit's own look lacks: dense pages and tabular figures. Colours live in .streamlit/config.toml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
.weir-head small { font-size: inherit; opacity: 0.75; margin-right: 0.35rem; }
.weir-head span { white-space: nowrap; }
.weir-head a { color: inherit; }
.weir-state { font-weight: 600; }
.weir-state.running { color: light-dark(#23782f, #52b55f); }
.weir-state.failed, .weir-state.crashed { color: light-dark(#b9301c, #f0705c); }
.weir-state.interrupted { color: light-dark(#8a5c04, #d9a03c); }
.weir-shield { cursor: help; }
.weir-shield svg { height: 1em; vertical-align: -0.12em; fill: none; stroke: currentColor; stroke-width: 1.6; }
.weir-shield.whole, .weir-shield.pending { color: light-dark(#23782f, #52b55f); }
.weir-shield.lost { color: light-dark(#8a5c04, #d9a03c); }
.weir-shield.changed, .weir-shield.missing, .weir-shield.doubled { color: light-dark(#b9301c, #f0705c); }
.st-key-filter_hints { position: absolute; width: 0; }
.st-key-weir-views { position: fixed; top: 0.3rem; right: 4.2rem; z-index: 999991; width: auto; }
body:has(.st-key-weir-account) .st-key-weir-views { right: 17rem; } /* the corner of who is signed in */
.st-key-weir-views button { min-height: 2rem; padding: 0 0.6rem; }
@media (max-width: 640px) {
  body:has(.st-key-weir-account) .st-key-weir-views { right: 10.5rem; }
  .st-key-weir-views button p { position: absolute; width: 1px; overflow: hidden; clip-path: inset(50%); }
}
/* a report reads like a page of a book, its panels as wide as it is */
.st-key-weir-report { max-width: 1160px; margin: 0 auto; }
.weir-prose { overflow-wrap: anywhere; line-height: 1.6; }
.weir-prose table { border-collapse: collapse; font-size: 0.9em; display: block; overflow-x: auto; }
.weir-prose th, .weir-prose td { padding: 0.2rem 0.7rem; text-align: left;
  border-bottom: 1px solid color-mix(in srgb, currentColor 16%, transparent); }
.weir-prose pre { overflow: auto; padding: 0.6rem 0.8rem; border-radius: 6px;
  background: color-mix(in srgb, currentColor 6%, transparent); }
.weir-prose blockquote { margin: 0; padding-left: 0.9rem;
  border-left: 3px solid color-mix(in srgb, currentColor 30%, transparent); }
.weir-prose img { max-width: 100%; }
.weir-prose dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 1.2rem;
  margin: 0; font-size: 0.9rem; }
.weir-prose dt { opacity: 0.65; }
.weir-prose dd { margin: 0; }
.weir-prose svg.chart { width: 100%; height: auto; }
.weir-prose svg.chart text { fill: currentColor; opacity: 0.65; font-size: 11px; }
.weir-prose svg.chart .grid { stroke: currentColor; opacity: 0.12; }
.weir-prose .legend span { margin-right: 0.9rem; font-size: 0.85em; }
.weir-prose .legend i { display: inline-block; width: 12px; height: 3px; margin-right: 6px;
  vertical-align: middle; }
ul.weir-views { list-style: none; margin: 0 !important; padding: 0 !important; }
.weir-views li { margin: 0 0 0.5rem !important; padding: 0; line-height: 1.35; overflow-wrap: anywhere; }
.weir-views a { font-weight: 600; }
.weir-views a, .weir-prose a { color: inherit; text-underline-offset: 0.15em; }
.weir-views small { opacity: 0.7; }
/* Streamlit gives panels the whole width and forgets the labels of their axis */
.st-key-weir-panels { padding-right: 3.4rem; overflow-x: auto; }
/* Streamlit fades captions and colours code below the contrast that text needs: 4.5 to 1 */
[data-testid="stCaptionContainer"] { opacity: 1; color: color-mix(in srgb, currentColor 78%, transparent); }
[data-testid="stCode"] .token.string { color: light-dark(#0b6b2c, #6fd694) !important; }
[data-testid="stCode"] .token:is(.keyword, .atrule, .property, .operator) {
  color: light-dark(#7a3b00, #f2a65a) !important; }
[data-testid="stCode"] .token:is(.function, .number, .boolean, .builtin) {
  color: light-dark(#1d4f91, #8ab8f0) !important; }
[data-testid="stBaseButton-primary"] { color: light-dark(#ffffff, #0b1117); }
[data-testid="stCode"] .token:is(.comment, .punctuation) { color: light-dark(#555b66, #a9b0bb) !important; }
.stApp :is(a, button, summary, input, [role="tab"], [role="option"], [tabindex="0"]):focus-visible {
  outline: 2px solid light-dark(#136b94, #4aa8d8); outline-offset: 2px; }
.st-key-weir-shell { position: absolute; height: 0; width: 0; overflow: hidden; }
.weir-keys { border: 1px solid light-dark(#c6ccd4, #3a414c); border-radius: 0.6rem; padding: 1rem 1.4rem;
  max-width: 34rem;  background: light-dark(#ffffff, #1c2027); color: inherit; font-size: 0.875rem; }
.weir-keys::backdrop { background: rgb(0 0 0 / 0.35); }
.weir-keys h2 { margin: 0 0 0.6rem; padding: 0; font-size: 1.05rem; }
.weir-keys dl { margin: 0 0 0.8rem; }
.weir-keys dl > div { display: flex; gap: 1rem; padding: 0.12rem 0; }
.weir-keys dt { min-width: 5.5rem; } .weir-keys dd { margin: 0; }
.weir-keys kbd { display: inline-block; min-width: 1.5em; padding: 0 0.35em; margin-right: 0.25em; text-align: center;
  border: 1px solid light-dark(#c6ccd4, #3a414c); border-radius: 0.25rem; font-family: inherit; }
.weir-keys button { font: inherit; padding: 0.25rem 0.9rem; border-radius: 0.4rem; cursor: pointer; color: inherit;
  border: 1px solid light-dark(#c6ccd4, #3a414c); background: transparent; }
.weir-figures { display: grid; margin: 0; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 0.6rem; }
.weir-figures > div { border: 1px solid light-dark(#dfe3e8, #2c323b); border-radius: 0.5rem; padding: 0.55rem 0.8rem; }
.weir-figures dt { font-size: 0.8rem; opacity: 0.78; }
.weir-figures dd { margin: 0; font-size: 1.35rem; line-height: 1.5; }
.weir-figures svg { display: block; width: 100%; height: 1.6rem; fill: none; stroke-width: 1.5;
  stroke: light-dark(#136b94, #4aa8d8); }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 3.1rem 0.6rem 0.25rem; }
  .weir-head { gap: 0.1rem 0.8rem; } .weir-head span { white-space: normal; overflow-wrap: anywhere; }
  .weir-figures { grid-template-columns: 1fr 1fr; }
}
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


def figures(found: Sequence[tuple[str, str, Sequence[float]]]) -> str:
    """Return cards of a name, a value and perhaps a curve, as HTML; all texts are escaped here."""
    cards = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd>{_curve(values)}</div>"
        for name, text, values in found
    )
    return f'<dl class="weir-figures">{cards}</dl>'


def _curve(values: Sequence[float]) -> str:
    """Draw values as a line; nothing when there are fewer than two. What it says stands above it in words."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    across, up = 100 / (len(values) - 1), 22 / ((high - low) or 1)
    points = " ".join(f"{i * across:.1f},{23 - (v - low) * up:.1f}" for i, v in enumerate(values))
    return (
        '<svg viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{points}" vector-effect="non-scaling-stroke"/></svg>'
    )
