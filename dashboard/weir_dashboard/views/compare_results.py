"""Results: what metrics came to, run by run or seeds together, against a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import compare_change, compare_seeds, compare_table, data, words
from weir_dashboard.compare_columns import HOW
from weir_dashboard.views import states
from weir_dashboard.views.differences import painted
from weir_store.records import Run

_AT_FIRST: Final = 4
_SYSTEM: Final = ("system/", "sys/", "gpu/", "cpu/")
_ROW_PX: Final = 31
_TALLEST_PX: Final = 640
_MOST_STYLED: Final = 20_000  # cells: colours cost about 10 µs each


def show(runs: Sequence[Run], base: int | None) -> None:
    """Draw the table of results.

    Args:
        runs: Any number of them.
        base: Place of the run that the others are held against.
    """
    refs = [run.ref for run in runs]
    columns = st.columns([2, 4, 3, 2], vertical_alignment="bottom")
    with columns[0]:
        search = st.text_input(
            "Find metrics", key="cmp_find", bind="query-params", placeholder="words"
        )
    page = states.value(data.ask().metrics(refs, (search or "").strip()))
    names = [metric.name for metric in page.metrics]
    goals = compare_change.goals_of(names, _first(runs, base))
    with columns[1]:
        asked = st.query_params.get_all("cmp_m")
        chosen = st.multiselect(
            "Metrics",
            list(dict.fromkeys([*asked, *names])),
            key="cmp_m",
            bind="query-params",
            placeholder="chosen for you: those with a goal, loss, validation",
        )
    with columns[2]:
        offered = HOW if data.ask().compare.has_means else HOW[:-1]
        hows = st.multiselect(
            "Of each", offered, key="cmp_how", bind="query-params", placeholder="last"
        )
    with columns[3]:
        seeds = st.toggle("Seeds together", key="cmp_seeds", bind="query-params")
    if page.total > len(names):
        st.caption(f"{len(names):,} of {page.total:,} metrics can be chosen: find others by words")
    shown = chosen or first_metrics(names, goals)
    if not shown:
        st.info("These runs have no metric of numbers.", icon=":material/search:")
        return
    pairs = [(metric, how) for metric in shown for how in (hows or HOW[:1])]
    with states.loading():
        answer = data.ask().compare.results(refs, shown, mean="mean" in hows)
    results = states.value(answer)
    if seeds:
        groups = compare_seeds.groups(runs)
        table = compare_table.of_groups(runs, groups, pairs, results, base, goals)
    else:
        table = compare_table.of_results(runs, pairs, results, base, goals)
    _draw(table, len(runs), base, seeds=seeds)


def first_metrics(names: Sequence[str], goals: dict[str, str]) -> list[str]:
    """Choose metrics for somebody who chose none: with a goal, then loss and validation, none of the system."""
    own = [name for name in names if not name.startswith(_SYSTEM)]
    own.sort(
        key=lambda name: (name not in goals, "loss" not in name, not name.startswith("val"), name)
    )
    return own[:_AT_FIRST]


def _first(runs: Sequence[Run], base: int | None) -> list[Run]:
    return [*runs[base : base + 1], *runs] if base is not None else [*runs]


def _draw(table: compare_table.Table, runs: int, base: int | None, *, seeds: bool) -> None:
    rows = len(table.cells)
    with st.container(horizontal=True, vertical_alignment="center"):
        told = (
            words.count(rows, "group") + f" of {words.count(runs, 'run')}"
            if seeds
            else words.count(runs, "run")
        )
        if seeds:
            told += " · mean ± half of the 95 % interval (Student's t) over the n runs that have a finite value"
        st.caption(told)
        st.download_button(
            "CSV",
            lambda: table.cells.to_csv(index=False),
            "results.csv",
            "text/csv",
            key="cmp_csv",
            on_click="ignore",
        )
    if base is not None:
        st.caption(compare_change.LEGEND)
    styled = table.cells.size <= _MOST_STYLED
    numbers = {
        name: st.column_config.NumberColumn(format="%.5g")
        for name in table.cells.columns
        if table.cells[name].dtype.kind == "f"
    }
    st.dataframe(
        painted(table) if styled else table.cells,
        hide_index=True,
        height=min(38 + _ROW_PX * rows, _TALLEST_PX),
        row_height=_ROW_PX,
        column_config={table.cells.columns[0]: st.column_config.TextColumn(pinned=True), **numbers},
        alt=f"results of {words.count(runs, 'run')}",
    )
