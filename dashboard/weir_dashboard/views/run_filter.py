"""The filter above a table of runs: completed as it is typed, explained when it is wrong, the last good one kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from weir_dashboard import data
from weir_dashboard.component.filter_hints import filter_hints
from weir_dashboard.views import pick, states
from weir_store.errors import InvalidQuery
from weir_store.records import RunPage, RunQuery

_GOOD = "good_question"


@dataclass(frozen=True, slots=True)
class Found:
    """A page of runs, and the question it answers, which may be an older one than was typed."""

    query: RunQuery
    page: RunPage


def ask(project: str) -> str:
    """Let the user write a filter over the runs of a project."""
    where = pick.where_input()
    filter_hints(project, key="filter_hints")
    return where


def answer(query: RunQuery) -> Found | None:
    """Return the runs that match; of a wrong question the error is said, and the last good one answered.

    None when there was no good one yet. Raises as the store does when it is silent.
    """
    try:
        page = states.value(data.ask().runs(query))
    except InvalidQuery as wrong:
        st.error(str(wrong), icon=":material/error:")
        return _last_good(query)
    st.session_state[_GOOD] = query
    return Found(query, page)


def _last_good(query: RunQuery) -> Found | None:
    good: RunQuery | None = st.session_state.get(_GOOD)
    if good is None or good.project != query.project:
        return None
    st.caption(
        f"Showing the runs of `{good.where}`." if good.where else "Showing runs without a filter."
    )
    good = replace(good, columns=query.columns, offset=0)
    return Found(good, states.value(data.ask().runs(good)))
