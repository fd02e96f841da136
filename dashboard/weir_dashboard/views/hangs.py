"""Runs that live and make no step, above everything else."""

from __future__ import annotations

from typing import Final

import streamlit as st

from weir_dashboard import data, navigation, rank_words, selection, words
from weir_dashboard.selection import Selection
from weir_store.errors import StoreError

_NAMED: Final = 3


@st.fragment(run_every=20)
def show() -> None:
    """Name the runs of all projects that stand still, and lead to their ranks; silent when none does."""
    if not data.ask().ranks.offered:
        return
    try:
        found = data.ask().ranks.all_hangs().value
    except StoreError:  # the page says it itself
        return
    for one in found[:_NAMED]:
        with st.container(horizontal=True, vertical_alignment="center"):
            behind = rank_words.spans(one.suspects)
            who = f" Behind the others: rank {behind}." if behind else ""
            name = words.plain(f"{words.short(one.ref.project)}/{words.short(one.ref.run_id)}")
            st.error(f"**{name}**: {words.plain(one.title)}.{who}", icon=":material/pause_circle:")
            to = selection.build(Selection(runs=(one.ref,)))
            st.page_link(navigation.page("ranks"), label="Its ranks →", query_params=to)
    if len(found) > _NAMED:
        st.caption(f"and {words.count(len(found) - _NAMED, 'more run')} that make no step")
