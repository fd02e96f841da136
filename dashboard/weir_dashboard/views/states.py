"""What a page says when there is nothing to show: empty, no match, error, stale, loading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

import streamlit as st

from weir_dashboard import data, theme
from weir_dashboard.last_good import Answer
from weir_store.errors import InvalidQuery, StoreError

T = TypeVar("T")


@contextmanager
def loading(height_px: int = 240) -> Iterator[None]:
    """Hold the place with a skeleton until the block is through."""
    place = st.skeleton(height=height_px)
    try:
        yield
    finally:
        place.empty()


@contextmanager
def failures() -> Iterator[None]:
    """Turn what the store refuses into words and a retry; the rest of the page is not drawn."""
    try:
        yield
    except InvalidQuery as wrong:
        st.error(str(wrong), icon=":material/error:")
        st.stop()
    except StoreError as silent:
        st.error("The store does not answer. Training goes on and keeps its points until it does.")
        st.button("Retry", key="retry", type="primary")
        st.caption(str(silent))
        st.stop()


def value(answer: Answer[T]) -> T:
    """Return what was read; say so when it is old because the store is silent."""
    if answer.stale is not None:
        at = datetime.fromtimestamp(answer.read_unix_s, UTC).strftime("%H:%M:%S UTC")
        st.warning(f"The store does not answer, showing {at}.", icon=":material/hourglass_empty:")
    return answer.value


def empty(project: str = "my-project") -> None:
    """Show how the first run gets here; the page looks again by itself."""
    st.html(theme.head("No runs yet", {" ": "Log the first one. It appears here by itself."}))
    st.code(quick_start(project, data.ask().gateway), language="python", width=720)
    st.caption(
        "Or keep the address out of the script: "
        f"`WEIR_SERVER={data.ask().gateway}` in its environment, and `weir.init({project!r})`."
    )
    look_again()


def quick_start(project: str, gateway: str) -> str:
    """Write a program that logs a first run to this server."""
    return (
        "import weir\n"
        f"with weir.init({json.dumps(project)}, settings={json.dumps({'server': gateway})}) as run:\n"
        "    for step in range(100):\n"
        '        run.log({"train/loss": 1 / (1 + step)})'
    )


@st.fragment(run_every=5)
def look_again() -> None:
    """Rerun the page every few seconds, though not in the rerun that put this here."""
    if st.session_state.get("looked"):
        st.session_state["looked"] = False
        st.rerun()
    st.session_state["looked"] = True


def no_match(where: str, total: int) -> None:
    """Say that the filter, not the project, is empty; offer to clear it."""
    st.info(f"No run matches `{where}`. {total:,} runs in the project.", icon=":material/search:")
    if st.button("Clear the filter", key="clear", on_click=_clear_filter):
        st.rerun()


def _clear_filter() -> None:
    st.session_state["q"] = ""
