"""Which runs are compared: those the address names, those picked in the table, or a filter's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from weir_dashboard import data, navigation, selection, words
from weir_dashboard.selection import Selection
from weir_dashboard.views import pick, states
from weir_store.compared.base import MOST_RUNS
from weir_store.records import Project, Run, RunQuery, RunRef

EVERY_PROJECT: Final = "*"
_NAMED: Final = 5  # runs of an old link that are gone are named, up to so many


@dataclass(frozen=True, slots=True)
class Compared:
    """Runs to compare, how many there are in all, and whether they were chosen one by one."""

    runs: list[Run]
    total: int
    chosen: bool


def read(*, whole: bool) -> Compared | None:
    """Return the runs to compare; None when there is none and the page has said why.

    Args:
        whole: With config and results.
    """
    asked = pick.shown()
    refs = asked.runs or (() if asked.where or asked.project else tuple(pick.picked()))
    if refs:
        return _chosen(refs, asked, whole=whole)
    with states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return None
    return _matching(projects, asked, whole=whole)


def workspace() -> st.Page:
    """Return the page that shows curves of the same runs."""
    return navigation.page("workspace")


def address(refs: Sequence[RunRef]) -> dict[str, list[str]]:
    """Return the address of a page that shows these runs."""
    return selection.build(Selection(runs=tuple(refs)))


def _chosen(refs: Sequence[RunRef], asked: Selection, *, whole: bool) -> Compared | None:
    if not asked.runs:
        st.query_params["run"] = [selection.format_ref(ref) for ref in refs]
    with states.loading():
        runs = states.value(data.ask().compare.chosen(refs, whole=whole))
    there = {run.ref for run in runs}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(words.count(len(runs), "chosen run"))
        st.button("Compare by a filter instead", key="cmp_filter", type="tertiary", on_click=_drop)
    _say_gone([ref for ref in refs[:MOST_RUNS] if ref not in there], len(refs))
    if len(refs) > MOST_RUNS:
        _say_more(f"{MOST_RUNS:,} of {len(refs):,} chosen runs are compared, the first.")
    return Compared(runs, len(runs), True) if runs else None


def _say_gone(gone: Sequence[RunRef], asked: int) -> None:
    """Name the runs of a link that were deleted, moved, or never were; the others go on."""
    if not gone:
        return
    named = ", ".join(words.plain(selection.format_ref(ref)[:120]) for ref in gone[:_NAMED])
    more = f" and {len(gone) - _NAMED:,} more" if len(gone) > _NAMED else ""
    st.warning(
        f"{len(gone):,} of {words.count(asked, 'run')} of this link cannot be found: {named}{more}."
        " They were deleted, moved or renamed.",
        icon=":material/search_off:",
    )


def _matching(projects: Sequence[Project], asked: Selection, *, whole: bool) -> Compared | None:
    left, right = st.columns([1, 4], vertical_alignment="center")
    with left:
        project = _project(projects, asked.project)
    with right:
        where = pick.where_input()
    with states.failures(), states.loading():
        page = states.value(data.ask().compare.matching(project, where, whole=whole))
    if page.total == 0:
        with states.failures():
            query = RunQuery(project, limit=1, columns=())
            everything = states.value(data.ask().runs(query)).total
        states.no_match(where, everything) if where and everything else states.empty(project)
        return None
    if page.total > len(page.runs):
        _say_more(f"The newest {len(page.runs):,} of {page.total:,} matching runs are compared.")
    else:
        st.caption(
            f"{words.count(page.total, 'run')} · pick some in the table of runs to compare these alone"
        )
    return Compared(list(page.runs), page.total, False)


def _project(projects: Sequence[Project], wanted: str) -> str:
    """Let the user choose a project or all of them; the address names it."""
    names = [*(one.name for one in projects), EVERY_PROJECT]
    wanted = wanted or st.session_state.get("last_project", "")
    if wanted and wanted not in names:
        names.insert(0, wanted)
    chosen: str = st.selectbox(
        "Project",
        names,
        index=names.index(wanted) if wanted else 0,
        format_func=lambda name: "all projects" if name == EVERY_PROJECT else name,
        label_visibility="collapsed",
    )
    if chosen != EVERY_PROJECT:
        st.session_state["last_project"] = chosen
    if st.query_params.get("project") != chosen:
        st.query_params["project"] = chosen
    return "" if chosen == EVERY_PROJECT else chosen


def _say_more(told: str) -> None:
    st.warning(f"{told} Write a filter to compare others.", icon=":material/content_cut:")


def _drop() -> None:
    """Forget what was chosen: the filter decides from now on."""
    pick.drop_picks()
    if "run" in st.query_params:
        del st.query_params["run"]
