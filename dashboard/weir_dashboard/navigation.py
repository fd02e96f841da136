"""Which pages there are, and moving between them."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st

from weir_dashboard import selection, theme
from weir_dashboard.component.shell import shell
from weir_dashboard.selection import Selection
from weir_dashboard.views import account, saved_views

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
    "reports": ("Reports", "weir_dashboard.views.reports", True),
    "run": ("Run", "weir_dashboard.views.run", False),
    "report": ("Report", "weir_dashboard.views.report", False),
    "links": ("Shared links", "weir_dashboard.views.links", False),
    "health": ("Health", "weir_dashboard.views.health", False),
}


def show() -> None:
    """Run the page the address names."""
    st.set_page_config(page_title="Weir", page_icon=str(_ICON), layout="wide")
    st.html(theme.CSS)
    st.logo(str(_ICON))
    shown = st.navigation([page(name) for name in _PAGES], position=account.menu())
    shell(destinations())
    account.show(shown.title, shown.url_path)
    saved_views.open_address(shown.url_path)
    shown.run()
    saved_views.offer(shown.url_path)


def destinations() -> dict[str, str]:
    """Return address → title of the pages that a key leads to: those that need nothing in their address."""
    to_all = {
        name: title for name, (title, _, listed) in _PAGES.items() if listed or name == "health"
    }
    return {"" if name == "home" else name: title for name, title in to_all.items()}


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
