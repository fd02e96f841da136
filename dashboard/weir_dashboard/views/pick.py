"""Controls that several pages share: the project, and runs picked by id."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from weir_dashboard import data, documents, selection
from weir_dashboard.selection import Selection
from weir_store.errors import StoreError
from weir_store.records import Project, RunRef

_PICKED = "picked"
_DROPPED = "picks_dropped"
MOST = 10_000
"""So many runs are picked at once."""


def shown() -> Selection:
    """Read what the address asks for."""
    return selection.parse(query())


def query() -> dict[str, list[str]]:
    """Return the keys of the address, with those that its `v` stands for."""
    said = {key: st.query_params.get_all(key) for key in st.query_params if key != documents.KEY}
    return held() | said


def held() -> dict[str, list[str]]:
    """Return the keys that the `v` of the address stands for; none where it has none."""
    wanted = st.query_params.get(documents.KEY, "")
    try:
        found = data.ask().documents.short(wanted) if wanted else None
    except StoreError:  # the page says so itself as soon as it asks
        found = None
    view = documents.read_view(found.body) if found is not None else None
    return {} if view is None else view.keys


def project(projects: Sequence[Project], wanted: str) -> str:
    """Let the user choose a project; the address always names it, so that links keep their meaning."""
    names = [one.name for one in projects]
    wanted = wanted or st.session_state.get("last_project", "")
    if wanted and wanted not in names:
        names.append(wanted)
    chosen: str = st.selectbox(
        "Project", names, index=names.index(wanted) if wanted else 0, label_visibility="collapsed"
    )
    st.session_state["last_project"] = chosen
    if st.query_params.get("project") != chosen:
        st.query_params["project"] = chosen
    return chosen


def tab(tabs: Sequence[str]) -> str:
    """Let the user choose a tab; it lives in the address, the first one leaves no trace there."""
    return st.segmented_control(
        "Show",
        tabs,
        default=tabs[0],
        required=True,
        key="tab",
        bind="query-params",
        label_visibility="collapsed",
    )


def where_input() -> str:
    """Let the user write a filter; it lives in the address."""
    typed = st.text_input(
        "Filter",
        key="q",
        bind="query-params",
        placeholder="Filter: words, or config.lr < 1e-3 and state = 'running'",
        label_visibility="collapsed",
        icon=":material/search:",
    )
    return (typed or "").strip()


def has_just_come() -> bool:
    """Whether the page was not shown in the rerun before: its filter is not known yet."""
    return "q" not in st.session_state


def remember(key: str, texts: Sequence[str]) -> None:
    """Put values into the address; none takes the key away."""
    if list(texts) != st.query_params.get_all(key):
        st.query_params[key] = list(texts)


def picked() -> list[RunRef]:
    """Return the runs picked so far, in order of picking; they survive filters and pages."""
    return list(st.session_state.get(_PICKED, ()))


def repick(on_page: Sequence[RunRef], chosen: Sequence[RunRef]) -> list[RunRef]:
    """Replace what is picked on this page; picks that a filter hides stay."""
    hidden = [ref for ref in picked() if ref not in set(on_page)]
    kept = [ref for ref in picked() if ref in set(chosen)]
    now = list(dict.fromkeys([*hidden, *kept, *chosen]))
    st.session_state[_PICKED] = now
    return now


def add_picks(refs: Sequence[RunRef], picked: Sequence[RunRef]) -> None:
    """Pick more runs, and let the table take them over."""
    st.session_state[_PICKED] = list(dict.fromkeys([*picked, *refs]))
    st.session_state[_DROPPED] = times_dropped() + 1


def forget_picks(refs: Sequence[RunRef]) -> None:
    """Forget some picks: these runs are gone."""
    st.session_state[_PICKED] = [ref for ref in picked() if ref not in set(refs)]
    st.session_state[_DROPPED] = times_dropped() + 1


def drop_picks() -> None:
    """Forget all picks, and let the table forget its own."""
    st.session_state[_PICKED] = []
    st.session_state[_DROPPED] = times_dropped() + 1


def times_dropped() -> int:
    """Count how often picks were changed by others than the table: part of its key."""
    return int(st.session_state.get(_DROPPED, 0))
