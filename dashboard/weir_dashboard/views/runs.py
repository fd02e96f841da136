"""Runs: the table of a project, filtered, sorted and paged by the store."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import streamlit as st

from weir_dashboard import bulk, columns_of, data, navigation, words
from weir_dashboard.selection import NEWEST_FIRST, PER_PAGE, Selection
from weir_dashboard.views import (
    bulk_changes,
    column_picker,
    pick,
    run_edits,
    run_filter,
    runs_export,
    states,
    table_of_runs,
)
from weir_store.records import Run, RunPage, RunQuery, RunRef


def render() -> None:
    """Show the runs, let some be picked, and lead on to their curves."""
    with states.failures(), states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return
    asked = pick.shown()
    bar = st.columns([1.2, 3.4, 1.2, 0.8], vertical_alignment="center")
    with bar[0]:
        project = pick.project(projects, asked.project)
    with states.failures(), states.loading(60):
        columns = column_picker.chosen(project, asked)
    with bar[1]:
        where = run_filter.ask(project)
    with bar[2]:
        order_by = _order(asked, columns)
    with bar[3]:
        column_picker.offer(project, columns, is_chosen=bool(asked.columns))
    query = RunQuery(
        project, where, order_by, PER_PAGE, (asked.page - 1) * PER_PAGE, tuple(columns)
    )
    with bar[1], states.failures(), states.loading():
        found = run_filter.answer(query)
    if found is None:
        return
    if found.page.total == 0:
        _nothing(found.query)
        return
    bulk_changes.show_report()
    above = st.container(horizontal=True, vertical_alignment="center")
    edits = run_edits.is_on(project)
    if edits:
        run_edits.table(found.page.runs)
        picked = bulk.Picked((), 0)
    else:
        picked = _table(found.page.runs, columns, found.query)
    with above:
        _actions(found.query, found.page, picked)


def _nothing(query: RunQuery) -> None:
    with states.failures():
        everything = states.value(data.ask().runs(RunQuery(query.project, limit=1, columns=())))
    if query.where and everything.total:
        states.no_match(query.where, everything.total)
    else:
        states.empty(query.project)


def _order(asked: Selection, columns: Sequence[str]) -> str:
    options = columns_of.orders(columns, asked.order_by)
    chosen: str = st.selectbox(
        "Sort",
        options,
        format_func=columns_of.order_label,
        index=options.index(asked.order_by),
        label_visibility="collapsed",
    )
    pick.remember("sort", [] if chosen == NEWEST_FIRST else [chosen])
    return chosen


def _table(runs: Sequence[Run], columns: Sequence[str], query: RunQuery) -> bulk.Picked:
    refs = [run.ref for run in runs]
    picked = set(pick.picked())
    # Streamlit remembers row positions: the key changes with the question and with its rows, picks come from ids
    question = blake2b(
        repr((query, refs, columns, pick.times_dropped())).encode(), digest_size=8
    ).hexdigest()
    rows = table_of_runs.show(
        runs,
        columns,
        key=f"runs-{question}",
        picked_rows=[row for row, ref in enumerate(refs) if ref in picked],
    )
    chosen = pick.repick(refs, [refs[row] for row in rows])
    return bulk.Picked(tuple(chosen), len(set(chosen) - set(refs)))


def _actions(query: RunQuery, page: RunPage, picked: bulk.Picked) -> None:
    """Fill the line above the table: what is picked, where to go with it, which page."""
    pages = -(-page.total // PER_PAGE)
    if picked.refs:
        _with_picked(query.project, picked.refs)
    elif st.button("Open all in workspace", key="workspace"):
        navigation.go("workspace", Selection(project=query.project, where=query.where))
    if page.total > len(page.runs) or picked.refs:
        _pick_all(query, page.total, picked.refs)
    runs_export.offer(query)
    run_edits.switch(query.project)
    told = f"{words.count(page.total, 'run')}{f' · {picked}' if picked.refs else ''}"
    st.caption(
        told, width="content"
    )  # pages next to it: at the right end the table's own buttons come up
    if pages > 1:
        st.pagination(pages, key="p", bind="query-params")


def _with_picked(project: str, refs: Sequence[RunRef]) -> None:
    if st.button(f"Compare {len(refs)}", type="primary", key="compare"):
        navigation.go("compare", Selection(project=project, runs=tuple(refs)))
    if st.button("Open in workspace", key="workspace"):
        navigation.go("workspace", Selection(project=project, runs=tuple(refs)))
    bulk_changes.offer(refs)
    st.button("Clear", key="unpick", on_click=pick.drop_picks, type="tertiary")


def _pick_all(query: RunQuery, total: int, picked: Sequence[RunRef]) -> None:
    """Offer to pick what the filter matches, on all pages."""
    if total <= pick.MOST and st.button(f"Pick all {total:,}", key="pick_all", type="tertiary"):
        with states.failures():
            matching = data.ask().matching(query)
        pick.add_picks(matching, picked)
        st.rerun()
