"""Where SQL is written, as a Streamlit component: the statement, the views, what this browser remembers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from weir_dashboard.component import loader
from weir_store.views.catalog import View

_NAME: Final = "weir_sql_desk"
FIRST: Final = (
    "SELECT run_id, name, state, user, created_at\nFROM runs\nORDER BY created_at DESC\nLIMIT 20"
)
"""What stands there for somebody who wrote nothing yet."""


def sql_desk(text: str, version: int, views: Sequence[View], *, key: str) -> str:
    """Mount the desk; returns the statement that is to be asked now, "" in every other rerun.

    Args:
        text: Put in place of what stands there when `version` is a new one.
        version: Of the text.
        views: What there is to ask.
        key: Of the element.
    """
    mount = st.components.v2.component(_NAME, js=loader("desk.js"))
    result = mount(
        key=key,
        data=spec(text, version, views),
        height="content",
        on_run_change=_nothing,
    )
    return str(getattr(result, "run", None) or "")


def spec(text: str, version: int, views: Sequence[View]) -> dict[str, Any]:
    """Describe the desk as JSON values."""
    return {
        "text": text,
        "version": version,
        "first": FIRST,
        "views": [
            {
                "name": view.name,
                "about": view.about,
                "example": view.example,
                "columns": [
                    {
                        "name": column.name,
                        "type": column.type,
                        "unit": column.unit,
                        "about": column.about,
                    }
                    for column in view.columns
                ],
            }
            for view in views
        ],
    }


def _nothing() -> None:
    """Say to Streamlit that `run` is a value that comes back."""
