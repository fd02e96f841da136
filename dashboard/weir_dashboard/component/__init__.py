"""The chart wall as a Streamlit component, and how its parts reach the browser.

Its files are served by our own route under an address that holds their version,
and a two-line script imports them from there: Streamlit finds a package's
component assets neither in an editable install nor without a manifest in the
wheel, and would send inline scripts again with every rerun.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from weir_dashboard import assets

_NAME = "weir_wall"


def chart_wall(spec: dict[str, Any], *, key: str) -> None:
    """Mount the wall, or hand a new spec (charts.py) to the one that is there.

    A wall whose spec says `follow` has the page around it run again every few seconds, to hear
    of new runs, while somebody sees it: a hidden tab asks nothing.
    """
    mount = st.components.v2.component(_NAME, js=loader("wall.js"))
    mount(key=key, data=spec, height="content", on_news_change=_nothing)


def _nothing() -> None:
    """Running the page again is all there is to do."""


def loader(name: str) -> str:
    """Return the script that imports one of our own files and mounts what it exports."""
    address = f"/weir-assets/{assets.version()}/{name}"
    return f"""
const part = import(new URL("{address}", window.location.origin).href);
export default async (component) => (await part).default(component);
"""
