"""Completion under the filter field, as a Streamlit component: the field itself stays Streamlit's own."""

from __future__ import annotations

from typing import Final

import streamlit as st

from weir_dashboard.component import loader
from weir_store.conditions import RUN_FIELDS
from weir_store.metric_field import STATS
from weir_store.records import RunState

_NAME: Final = "weir_filter_hints"
LABEL: Final = "Filter"
"""The label of the field that is completed."""


def filter_hints(project: str, *, key: str) -> None:
    """Complete names, operators and values of the filter language while somebody types into the field.

    Args:
        project: Whose names are found.
        key: Of the element.
    """
    mount = st.components.v2.component(_NAME, js=loader("filter-hints.js"))
    mount(key=key, data=spec(project), height="content")


def spec(project: str) -> dict[str, object]:
    """Describe what the browser cannot ask for as JSON values."""
    return {
        "label": LABEL,
        "project": project,
        "fields": {name: str(kind) for name, kind in RUN_FIELDS.items()},
        "states": [str(state) for state in RunState],
        "stats": list(STATS),
    }
