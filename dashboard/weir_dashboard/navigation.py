"""Which pages there are, and moving between them."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

from weir_dashboard import selection, theme
from weir_dashboard.selection import Selection

_ICON: Final = Path(__file__).parent / "component" / "assets" / "weir.svg"

# url path → (title, module with a `render()`, in the menu)
_PAGES: Final = {
    "home": ("Home", "weir_dashboard.views.home", True),
    "runs": ("Runs", "weir_dashboard.views.runs", True),
    "workspace": ("Workspace", "weir_dashboard.views.workspace", True),
    "compare": ("Compare", "weir_dashboard.views.compare", True),
    "ranks": ("Ranks", "weir_dashboard.views.ranks", True),
    "sql": ("SQL", "weir_dashboard.views.sql", True),
    "rules": ("Rules", "weir_dashboard.views.rules", True),
    "artifacts": ("Artifacts", "weir_dashboard.views.artifacts", True),
    "run": ("Run", "weir_dashboard.views.run", False),
}


def show() -> None:
    """Run the page the address names."""
    st.set_page_config(page_title="Weir", page_icon=str(_ICON), layout="wide")
    st.html(theme.CSS)
    st.logo(str(_ICON))
    st.navigation([page(name) for name in _PAGES], position="top").run()


def names() -> tuple[str, ...]:
    """List the addresses of all pages."""
    return tuple(_PAGES)


def page(name: str) -> st.Page:
    """Return the page of that address, for navigation and links."""
    title, module, listed = _PAGES[name]
    return st.Page(
        importlib.import_module(module).render,
        title=title,
        url_path="" if name == "home" else name,
        default=name == "home",
        visibility="visible" if listed else "hidden",
    )


def go(name: str, to: Selection) -> None:
    """Leave for another page that shows this selection."""
    st.switch_page(page(name), query_params=selection.build(to))


@cache
def warm() -> None:
    """Import all pages before the first visitor comes."""
    for _, module, _ in _PAGES.values():
        importlib.import_module(module)
