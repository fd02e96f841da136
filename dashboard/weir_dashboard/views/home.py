"""Home: what is going on — what runs, what failed, what fires — and the projects."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import data, navigation, now_running, run_table, selection, theme, words
from weir_dashboard.selection import Selection
from weir_dashboard.views import alerts, hangs, running, states, table_of_runs
from weir_store.records import Project, RunQuery

_ACROSS: Final = 3
_AT_ONCE: Final = 60
_LATEST: Final = 15
_COUNTED: Final = 2_000
_EVERYBODY: Final = "everybody"


def render() -> None:
    """Show what goes on, or how to begin."""
    with states.failures(), states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return
    alerts.show_firing()
    hangs.show()
    typed, user = _head(projects)
    running.show(user)
    st.fragment(_projects, run_every=15)(projects, typed)
    st.fragment(_latest, run_every=10)(user)


def _head(projects: Sequence[Project]) -> tuple[list[str], str]:
    """Say how much there is; let people look for a project, and at the runs of one user."""
    runs = sum(one.runs for one in projects)
    left, middle, right = st.columns([3, 1, 1], vertical_alignment="center")
    known = f"{words.count(len(projects), 'project')} · {words.count(runs, 'run')}"
    with left.container(horizontal=True, vertical_alignment="center"):
        st.html(theme.head("Home", {" ": known}), width="content")
        if data.ask().health.offered:
            st.page_link(navigation.page("health"), label="Health →")
    with middle:
        user = _whose()
    typed = right.text_input(
        "Find a project", key="find", placeholder="Find a project", label_visibility="collapsed"
    )
    return (typed or "").lower().split(), user


def _whose() -> str:
    """Let the user choose whose runs are listed; "" = everybody's. The address says it."""
    with states.failures():
        recent = states.value(data.ask().runs(RunQuery(limit=200, columns=("meta.user",))))
    me = data.ask().me.name
    known = now_running.users(recent.runs)
    asked = st.query_params.get("who", "")
    options = list(dict.fromkeys([_EVERYBODY, *([me] if me in known else []), *known]))
    if asked and asked not in options:
        options.append(asked)
    if len(options) == 1:
        return ""
    chosen = st.selectbox(
        "Whose runs",
        options,
        index=options.index(asked) if asked else 0,
        format_func=lambda name: f"{name} (me)" if name == me else name,
        label_visibility="collapsed",
    )
    user = "" if chosen == _EVERYBODY else str(chosen)
    if user != asked:
        st.query_params["who"] = [user] if user else []
    return user


def _projects(before: Sequence[Project], typed: Sequence[str]) -> None:
    """Show a card for each project; counts are new every few seconds."""
    with states.failures():
        projects = states.value(data.ask().projects()) or before
        matching = [one for one in projects if all(word in one.name.lower() for word in typed)]
        st.html(theme.head("Projects", level=2))
        if not matching:
            st.info(
                f"No project matches. {len(projects):,} projects in all.", icon=":material/search:"
            )
        shown = matching[:_AT_ONCE]
        _cards(shown, _count(now_running.created_since(now_running.midnight_unix_s(time.time()))),
               _count(now_running.failed_since(time.time() - running.LATELY_S)))  # fmt: skip
        if len(matching) > _AT_ONCE:
            st.caption(
                f"{_AT_ONCE} of {len(matching):,} projects shown: search to reach the others."
            )


def _count(where: str) -> tuple[Counter[str], str]:
    """Count the newest matching runs by project; `≥` before numbers when there are more than were counted."""
    page = states.value(data.ask().runs(RunQuery(where=where, limit=_COUNTED, columns=())))
    return now_running.by_project(page.runs), "≥ " if page.total > len(page.runs) else ""


def _cards(
    projects: Sequence[Project], today: tuple[Counter[str], str], failed: tuple[Counter[str], str]
) -> None:
    now_unix_s = time.time()
    for start in range(0, len(projects), _ACROSS):
        row = projects[start : start + _ACROSS]
        for place, project in zip(st.columns(_ACROSS), row, strict=False):
            with place.container(border=True):
                name = project.name
                _card(
                    project,
                    f"{today[1]}{words.count(today[0][name], 'run')} today" if today[0][name] else "",
                    f"{failed[1]}{failed[0][name]:,} failed lately" if failed[0][name] else "",
                    now_unix_s,
                )  # fmt: skip


def _card(project: Project, today: str, failed: str, now_unix_s: float) -> None:
    to = selection.build(Selection(project=project.name))
    with st.container(horizontal=True, horizontal_alignment="distribute", gap="small"):
        label = words.plain(words.short(project.name))
        st.page_link(navigation.page("runs"), label=f"**{label}**", query_params=to)
        st.page_link(navigation.page("workspace"), label="Curves →", query_params=to)
    parts = [
        words.count(project.runs, "run"),
        f":green[● {project.running:,} running]" if project.running else "",
        today,
        f":red[✕ {failed}]" if failed else "",
        f"active {words.ago(project.last_activity_unix_us, now_unix_s)}",
    ]
    st.caption(" · ".join(part for part in parts if part))


def _latest(user: str) -> None:
    """Show the newest runs of all projects."""
    with states.failures():
        where = now_running.of(user, "created >= 0") if user else ""
        page = states.value(data.ask().runs(RunQuery(where=where, limit=_LATEST)))
        st.html(theme.head("Latest runs", level=2))
        table_of_runs.show(page.runs, run_table.first_columns(page.runs), with_project=True)
    if page.total > len(page.runs):
        st.caption(f"{len(page.runs)} of {page.total:,} runs shown")
