"""Ranks: a run's processes held against each other: who is missing, slow, hanging, or has gone astray."""

from __future__ import annotations

import time
from typing import Final

import pyarrow as pa
import streamlit as st

from weir_dashboard import data, navigation, rank_words, selection, theme, words
from weir_dashboard.selection import Selection
from weir_dashboard.views import pick, rank_boards, rank_charts, states
from weir_store.ranks.base import StragglerQuery
from weir_store.records import Run, RunQuery, RunRef, RunState

_LISTED: Final = 500
_ALL: Final = "all roles"
_ROW_OF_WRONG: Final = 12


def render() -> None:
    """Show the run the address names, else the newest with more than one rank."""
    if not data.ask().ranks.offered:
        st.info("This dashboard was started without what compares ranks.", icon=":material/info:")
        return
    with states.failures(), states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return
    asked = pick.shown()
    wanted = asked.runs[0] if asked.runs else None
    left, right = st.columns([1, 3], vertical_alignment="center")
    with left:
        project = pick.project(projects, wanted.project if wanted else asked.project)
    with states.failures():
        with right:
            ref = _choose(project, wanted)
        if ref is None:
            states.empty(project)
            return
        run = states.value(data.ask().run(ref))
    every_s = 10 if run.state is RunState.RUNNING else None
    st.fragment(_page, run_every=every_s)(ref)


def _choose(project: str, wanted: RunRef | None) -> RunRef | None:
    """Let the user choose a run; those of many ranks come first. The address names it."""
    page = states.value(data.ask().runs(RunQuery(project, limit=_LISTED, columns=())))
    runs = {run.ref: run for run in page.runs}
    if wanted is not None and wanted.project == project and wanted not in runs:
        runs[wanted] = states.value(data.ask().run(wanted))
    refs = sorted(runs, key=lambda ref: runs[ref].ranks <= 1)
    if not refs:
        return None
    chosen: RunRef = st.selectbox(
        "Run",
        refs,
        index=refs.index(wanted) if wanted in runs else 0,
        format_func=lambda ref: _label(runs[ref]),
        label_visibility="collapsed",
        key=f"ranks-of-{project}",
    )
    if st.query_params.get_all("run") != [selection.format_ref(chosen)]:
        st.query_params["run"] = selection.format_ref(chosen)
    return chosen


def _label(run: Run) -> str:
    return f"{run.name or run.run_id} · {words.count(run.ranks, 'rank')} · {run.state}"


def _page(ref: RunRef) -> None:
    with states.failures():
        run = states.value(data.ask().run(ref))
        ranks = states.value(data.ask().ranks.ranks(ref))
        _hang(ref)
        _head(run, ranks)
        if not ranks.num_rows:
            st.info("No process of this run has been heard of yet.", icon=":material/info:")
            return
        roles = _roles(ranks)
        board = states.value(data.ask().ranks.board(StragglerQuery(ref, roles=roles)))
        rank_boards.cards(board, ranks, run)
        _wrong(states.value(data.ask().ranks.divergence(ref)))
        missing = rank_words.missing(ranks, run.world_size)
        rank_charts.show(ref, ranks, roles, board, missing)
        rank_boards.show(board)
        rank_boards.table(ranks)
        rank_boards.nodes(ref.project)


def _hang(ref: RunRef) -> None:
    """Say that the run stands still, above everything else."""
    for finding in states.value(data.ask().ranks.hangs(ref.project)):
        if finding.ref != ref:
            continue
        suspects = rank_words.spans(finding.suspects)
        who = f" Behind the others: rank {suspects}." if suspects else ""
        st.error(
            f"**{words.plain(finding.title)}** {words.plain(finding.body)}{who}",
            icon=":material/pause_circle:",
        )


def _head(run: Run, ranks: pa.Table) -> None:
    missing = rank_words.missing(ranks, run.world_size)
    silent = rank_words.silent(ranks)
    worst, steps = rank_words.behind(ranks)
    facts = {
        "ranks": f"{ranks.num_rows:,} of {run.world_size:,}"
        if run.world_size
        else f"{ranks.num_rows:,}",
        "missing": rank_words.spans(missing),
        "without a point": rank_words.spans(silent),
        "furthest behind": f"rank {worst}, {words.count(steps, 'step')}" if worst >= 0 else "",
        "last heard": words.ago(run.last_seen_unix_us, time.time()),
    }
    to = selection.build(Selection(project=run.project, run_id=run.run_id))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(theme.head(run.name or run.run_id, facts), width="content")
        st.page_link(navigation.page("run"), label="The run →", query_params=to)


def _roles(ranks: pa.Table) -> tuple[str, ...] | None:
    """Let the user choose a role, when there are several: each has steps of its own."""
    roles = sorted(set(ranks.column("role").to_pylist()))
    if len(roles) < 2:
        return None
    chosen = st.segmented_control(
        "Role",
        [_ALL, *roles],
        default=_ALL,
        required=True,
        key="role",
        bind="query-params",
        label_visibility="collapsed",
    )
    return None if chosen == _ALL else (chosen,)


def _wrong(found: pa.Table) -> None:
    """Say which ranks left the others, and where NaN came up first."""
    rows = found.to_pylist()
    if not rows:
        return
    lines = [f"- {words.plain(rank_words.wrong(row))}" for row in rows[:_ROW_OF_WRONG]]
    if len(rows) > _ROW_OF_WRONG:
        lines.append(f"- … and {len(rows) - _ROW_OF_WRONG:,} more")
    st.warning("\n".join(lines), icon=":material/call_split:")
