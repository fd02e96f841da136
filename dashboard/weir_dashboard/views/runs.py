"""Runs: the table of a project, filtered, sorted and paged by the store."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import streamlit as st

from weir_dashboard import data, navigation, run_table, words
from weir_dashboard.selection import PER_PAGE, Selection
from weir_dashboard.views import pick, states, table_of_runs
from weir_store.records import Run, RunQuery, RunRef

_FIELDS = ("created", "name", "state", "duration", "user", "group")


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
    with bar[1]:
        where = pick.where_input()
    with bar[2]:
        order_by = _order(asked)
    with states.failures(), states.loading():
        query = RunQuery(project, where, order_by, PER_PAGE, (asked.page - 1) * PER_PAGE)
        page = states.value(data.ask().runs(query))
    if page.total == 0:
        _nothing(project, where)
        return
    with bar[3]:
        columns = _columns(page.runs, asked.columns)
    above = st.container(horizontal=True, vertical_alignment="center")
    chosen = _table(page.runs, columns, query)
    with above:
        _actions(project, where, page.total, chosen)


def _nothing(project: str, where: str) -> None:
    with states.failures():
        everything = states.value(data.ask().runs(RunQuery(project, limit=1, columns=())))
    if where and everything.total:
        states.no_match(where, everything.total)
    else:
        states.empty(project)


def _order(asked: Selection) -> str:
    options = [sign + field for field in _FIELDS for sign in ("-", "")]
    options += [sign + column for column in asked.columns for sign in ("-", "")]
    if asked.order_by not in options:
        options.append(asked.order_by)
    chosen: str = st.selectbox(
        "Sort",
        options,
        format_func=lambda field: f"{field.lstrip('-')} {'↓' if field[0] == '-' else '↑'}",
        index=options.index(asked.order_by),
        label_visibility="collapsed",
    )
    _remember("sort", [] if chosen == options[0] else [chosen])
    return chosen


def _columns(runs: Sequence[Run], asked: Sequence[str]) -> list[str]:
    with st.popover("Columns", width="stretch"):
        chosen = st.multiselect(
            "Columns from config and summary",
            list(dict.fromkeys([*run_table.available_columns(runs), *asked])),
            default=list(asked),
            placeholder="chosen for you: what differs, and results",
        )
    _remember("col", chosen)
    return list(chosen) or run_table.first_columns(runs)


def _table(runs: Sequence[Run], columns: Sequence[str], query: RunQuery) -> list[RunRef]:
    refs = [run.ref for run in runs]
    picked = set(pick.picked())
    # Streamlit remembers row positions: the key changes with the question, the rows come from ids
    question = blake2b(
        repr((query, columns, pick.times_dropped())).encode(), digest_size=8
    ).hexdigest()
    rows = table_of_runs.show(
        runs,
        columns,
        key=f"runs-{question}",
        picked_rows=[row for row, ref in enumerate(refs) if ref in picked],
    )
    return pick.repick(refs, [refs[row] for row in rows])


def _actions(project: str, where: str, total: int, chosen: Sequence[RunRef]) -> None:
    """Fill the line above the table: what is picked, where to go with it, which page."""
    pages = -(-total // PER_PAGE)
    if chosen:
        if st.button(f"Compare {len(chosen)}", type="primary", key="compare"):
            navigation.go("compare", Selection(project=project, runs=tuple(chosen)))
        if st.button("Open in workspace", key="workspace"):
            navigation.go("workspace", Selection(project=project, runs=tuple(chosen)))
        st.button("Clear", key="unpick", on_click=pick.drop_picks, type="tertiary")
    elif st.button("Open all in workspace", key="workspace"):
        navigation.go("workspace", Selection(project=project, where=where))
    st.caption(_counted(total, chosen))
    if pages > 1:
        st.pagination(pages, key="p", bind="query-params")


def _counted(total: int, chosen: Sequence[RunRef]) -> str:
    runs = words.count(total, "run")
    return f"{len(chosen):,} of {runs} picked" if chosen else runs


def _remember(key: str, texts: Sequence[str]) -> None:
    if list(texts) != st.query_params.get_all(key):
        st.query_params[key] = list(texts)
