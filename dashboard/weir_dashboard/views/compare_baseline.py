"""The run that the others are held against; the address names it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from weir_dashboard import compare_table, selection, words
from weir_store.records import Run

_NONE: Final = "none"


def choose(runs: Sequence[Run], place: DeltaGenerator) -> int | None:
    """Let the user choose at `place`; returns its place among the runs. Of two runs, the first is the default."""
    if len(runs) < 2:
        return None
    names = dict(
        zip((selection.format_ref(run.ref) for run in runs), compare_table.heads(runs), strict=True)
    )
    first = next(iter(names)) if len(runs) == 2 else _NONE
    asked = st.query_params.get("base", "") or first
    if asked not in names and asked != _NONE:
        st.caption(f"The baseline of this link is not among these runs: {words.plain(asked[:120])}")
        asked = first
    options = [_NONE, *names]
    chosen: str = place.selectbox(
        "Baseline",
        options,
        index=options.index(asked),
        format_func=lambda ref: "Baseline: none" if ref == _NONE else f"Baseline: {names[ref]}",
        label_visibility="collapsed",
    )
    if chosen != first:
        st.query_params["base"] = chosen
    elif "base" in st.query_params:
        del st.query_params["base"]
    return None if chosen == _NONE else options.index(chosen) - 1
