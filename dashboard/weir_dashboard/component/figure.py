"""Charts without a wall, as a Streamlit component: those of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from weir_dashboard.component import loader

_NAME: Final = "weir_figure"


def figure(spec: Mapping[str, Any], *, key: str) -> None:
    """Mount the charts that report_panels.py describes, or hand them a new description."""
    mount = st.components.v2.component(_NAME, js=loader("figure.js"))
    mount(key=key, data=dict(spec), height="content")
