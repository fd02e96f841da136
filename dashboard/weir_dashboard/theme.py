"""What Streamlit's own look lacks: dense pages and tabular figures. Colours live in .streamlit/config.toml."""

from __future__ import annotations

from typing import Final

CSS: Final = """
<style>
[data-testid="stMainBlockContainer"] { padding: 3.1rem 1rem 0.25rem; max-width: none; }
[data-testid="stHeader"], [data-testid="stHeader"] > div { height: 2.6rem; min-height: 2.6rem; }
[data-testid="stMainMenuDivider"] { display: none; }
[data-testid="stVerticalBlock"] { gap: 0.6rem; }
[data-testid="stMain"] { font-variant-numeric: tabular-nums; }
[data-testid="stHeading"] h1 { font-size: 1.35rem; padding: 0; }
[data-testid="stHeading"] h3 { font-size: 1rem; padding: 0.2rem 0; }
.weir-facts { display: flex; flex-wrap: wrap; gap: 0.2rem 1.4rem; font-size: 0.86rem; align-items: baseline; }
.weir-facts dt { display: inline; opacity: 0.62; margin-right: 0.35rem; }
.weir-facts dd { display: inline; margin: 0; }
.weir-facts div { white-space: nowrap; }
.weir-state { font-weight: 600; }
.weir-state.running { color: #31983d; }
.weir-state.failed, .weir-state.crashed { color: #d0402b; }
.weir-state.interrupted { color: #b0780c; }
.weir-number { font-size: 0.86rem; opacity: 0.72; }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
</style>
"""
