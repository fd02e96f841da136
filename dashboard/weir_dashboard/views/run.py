"""Run: one run's facts, curves, settings and processes."""

from __future__ import annotations

import time
from html import escape

import pandas as pd
import streamlit as st

from weir_dashboard import data, navigation, sections, selection, shield, theme, words
from weir_dashboard.selection import Selection
from weir_dashboard.views import (
    artifacts,
    events,
    ledger,
    logs,
    media,
    overview,
    pick,
    states,
    system,
    wall,
)
from weir_store.errors import StoreError
from weir_store.records import Run, RunRef, RunState, Session

_TABS = ("Charts", "Overview", "Media", "System", "Logs", "Artifacts", "Ranks", "Events", "Ledger")


def render() -> None:
    """Show the run the address names."""
    asked = pick.shown()
    if not (asked.project and asked.run_id):
        st.info("The address names no run.", icon=":material/search:")
        st.page_link(navigation.page("runs"), label="Choose one →")
        return
    _run(RunRef(asked.project, asked.run_id))


@st.fragment(run_every=10)
def _run(ref: RunRef) -> None:
    """Draw the page, and again every ten seconds, so that state and facts are live."""
    with states.failures():
        run = states.value(data.ask().run(ref))
        _head(run)
        tab = pick.tab(_TABS)
        if tab == "Overview":
            overview.show(run)
        elif tab == "Media":
            media.show(run)
        elif tab == "System":
            system.show(run)
        elif tab == "Logs":
            logs.show(run)
        elif tab == "Artifacts":
            artifacts.show(run)
        elif tab == "Ranks":
            _to_ranks(run)
            _sessions(states.value(data.ask().sessions(ref)))
        elif tab == "Events":
            events.show(states.value(data.ask().events(ref)))
        elif tab == "Ledger":
            ledger.show(states.value(data.ask().ledger(run)))
        else:
            wall.show([run], 1, drawn=1, key="wall-run", rail=False)


def _head(run: Run) -> None:
    now_unix_s = time.time()
    facts = {
        "project": run.project,
        "id": run.run_id,
        "started": words.instant(run.created_unix_us),
        "took" if run.state is not RunState.RUNNING else "running for": words.span(
            words.run_span_s(run, now_unix_s)
        ),
        "last heard": words.ago(run.last_seen_unix_us, now_unix_s),
        "ranks": f"{run.ranks} of {run.world_size}" if run.world_size > 1 else "",
        "user": run.user,
        "group": run.group,
        "job type": run.job_type,
        "tags": ", ".join(run.tags),
        "commit": sections.commit(run.meta),
        "forked from": f"{run.parent_run_id} at step {run.fork_step:,}"
        if run.parent_run_id
        else "",
        "rewound to step": ", ".join(f"{step:,}" for step in run.rewinds),
    }
    state = f'<span class="weir-state {run.state}">{escape(words.state(run, now_unix_s))}</span>'
    st.html(theme.head(run.name or run.run_id, facts, badge=state + _shield(run)))


def _shield(run: Run) -> str:
    """The verify shield of a run that has ended; a running one is verified on its own tab."""
    if run.state is RunState.RUNNING:
        return ""
    try:
        return shield.badge(data.ask().ledger(run).value)
    except StoreError:  # the page is worth more than its badge
        return ""


def _to_ranks(run: Run) -> None:
    if run.ranks > 1 and data.ask().ranks.offered:
        to = selection.build(Selection(runs=(run.ref,)))
        st.page_link(
            navigation.page("ranks"), label="Hold them against each other →", query_params=to
        )


def _sessions(sessions: list[Session]) -> None:
    if not sessions:
        st.info("No process of this run has been heard of yet.", icon=":material/hourglass_empty:")
        return
    now_unix_s = time.time()
    table = pd.DataFrame(
        {
            "rank": [one.rank for one in sessions],
            "role": [one.role for one in sessions],
            "node": [one.node for one in sessions],
            "state": [str(one.state) for one in sessions],
            "pid": [one.pid for one in sessions],
            "attempt": [one.attempt for one in sessions],
            "launcher": [one.launcher for one in sessions],
            "started": [words.instant(one.started_unix_us) for one in sessions],
            "last heard": [words.ago(one.last_seen_unix_us, now_unix_s) for one in sessions],
            "exit": [
                one.exit_code if one.state is not RunState.RUNNING else None for one in sessions
            ],
            "reason": [one.reason for one in sessions],
            "committed frames": [one.committed_seq for one in sessions],
        }
    )
    st.caption(
        f"{words.count(len(sessions), 'process', 'processes')}"
        f" on {words.count(table['node'].nunique(), 'node')}"
    )
    st.dataframe(table, hide_index=True, height=min(38 + 31 * len(table), 680), row_height=31)
