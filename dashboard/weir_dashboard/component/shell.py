"""What every page has around it, as a Streamlit component that is not seen: keys that lead anywhere, and their list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from weir_dashboard.component import loader

_NAME: Final = "weir_shell"
KEY: Final = "weir-shell"


def shell(pages: Mapping[str, str]) -> None:
    """Mount it; the page goes on whether it loads or not.

    Args:
        pages: Address → title of every page one may go to.
    """
    mount = st.components.v2.component(_NAME, js=loader("shell.js"))
    with st.container(key=KEY):
        mount(key="shell", data=spec(pages), height="content")


def spec(pages: Mapping[str, str]) -> dict[str, Any]:
    """Describe the shell as JSON values."""
    letters = letters_of(list(pages.values()))
    return {
        "pages": [
            {"key": letter, "title": title, "path": f"/{path}"}
            for (path, title), letter in zip(pages.items(), letters, strict=True)
            if letter
        ]
    }


def letters_of(titles: list[str]) -> list[str]:
    """Give each title a letter of its own: the first that is not taken, "" when all are."""
    taken: list[str] = []
    for title in titles:
        free = (one for one in title.lower() if one.isalpha() and one not in taken)
        taken.append(next(free, ""))
    return taken
