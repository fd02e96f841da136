"""Parallel coordinates as a Streamlit component: lines over axes that can be brushed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from weir_dashboard.component import loader

_NAME: Final = "weir_parallel"


def parallel_axes(
    spec: dict[str, Any], on_brush: Callable[[str, float, float], None], *, key: str
) -> None:
    """Mount the chart, or hand a new spec (compare_parallel.py) to the one that is there.

    Args:
        spec: What to draw.
        on_brush: Called before the page is run anew, with the column, and the places between which its
            axis was brushed; both −1 when the brush was taken away.
        key: Of the element.
    """

    def brushed() -> None:
        state = st.session_state.get(key)
        told = getattr(state, "brush", None) if state is not None else None
        if isinstance(told, dict):
            on_brush(str(told["axis"]), float(told["low"]), float(told["high"]))

    mount = st.components.v2.component(_NAME, js=loader("parallel.js"))
    mount(key=key, data=spec, height="content", on_brush_change=brushed)
