"""Differences: everything in which runs differ, against a baseline, and how the files of two of them do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from weir_dashboard import compare_change, compare_table, data, differences, theme, words
from weir_dashboard.blobs import TooLarge
from weir_dashboard.data_compare import FILES_UP_TO
from weir_dashboard.differences import Difference
from weir_store.errors import StoreError
from weir_store.records import Run

MOST_COLUMNS: Final = 30
"""So many runs stand side by side; more are on the next pages."""

_ROW_PX: Final = 31
_TALLEST_PX: Final = 420
_MOST_FILE_BYTES: Final = 4 << 20


def show(runs: Sequence[Run], base: int | None) -> None:
    """Draw the rows by group, then the files of exactly two runs side by side.

    Args:
        runs: Any number of them.
        base: Place of the run that the others are held against.
    """
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        search = st.text_input(
            "Find",
            key="find",
            bind="query-params",
            placeholder="Find a path or a value",
            label_visibility="collapsed",
            icon=":material/search:",
        )
    with right:
        everything = st.toggle("Show equal rows too", key="cmp_all", bind="query-params")
    rows = differences.differences(runs, everything=everything, search=(search or "").strip())
    if not rows:
        st.info(_nothing(search or "", len(runs)), icon=":material/equal:")
    else:
        shown = _columns(runs, rows)
        if base is not None:
            st.caption(compare_change.LEGEND)
        goals = compare_change.goals_of(
            (row.path for row in rows if row.group == "metrics"), _first(runs, base)
        )
        for group in differences.GROUPS:
            _group(group, [row for row in rows if row.group == group], runs, shown, base, goals)
    if len(runs) == 2:
        _files(runs[0], runs[1])


def _first(runs: Sequence[Run], base: int | None) -> list[Run]:
    """Put the baseline first: what it says of a metric's goal counts."""
    return [*runs[base : base + 1], *runs] if base is not None else [*runs]


def _nothing(search: str, runs: int) -> str:
    if search.strip():
        return f"Nothing that differs says “{search.strip()}”."
    return "These runs do not differ." if runs > 1 else "One run alone does not differ: pick more."


def _columns(runs: Sequence[Run], rows: Sequence[Difference]) -> range:
    """Let the user page through the runs, and take everything away as a file."""
    pages = -(-len(runs) // MOST_COLUMNS)
    with st.container(horizontal=True, vertical_alignment="center"):
        at = 0
        if pages > 1:
            at = st.pagination(pages, key="cmp_p", bind="query-params") - 1
            first, last = at * MOST_COLUMNS + 1, min(len(runs), (at + 1) * MOST_COLUMNS)
            st.caption(
                f"runs {first:,}–{last:,} of {len(runs):,} are shown side by side;"
                " what differs is decided over all of them"
            )
        st.download_button(
            "CSV",
            lambda: compare_table.csv_of_differences(rows, runs),
            "differences.csv",
            "text/csv",
            key="cmp_csv",
            on_click="ignore",
            help="every row and every run, values in full",
        )
        if len(runs) > FILES_UP_TO:
            st.caption(f"files are compared among up to {FILES_UP_TO} chosen runs")
    return range(at * MOST_COLUMNS, min(len(runs), (at + 1) * MOST_COLUMNS))


def _group(
    group: str,
    rows: list[Difference],
    runs: Sequence[Run],
    shown: Sequence[int],
    base: int | None,
    goals: dict[str, str],
) -> None:
    if not rows:
        return
    differing = sum(not row.same for row in rows)
    equal = f", {len(rows) - differing:,} equal" if differing < len(rows) else ""
    st.html(theme.head(group.capitalize(), {"": f"{differing:,} differ{equal}"}, level=2))
    of_metrics = goals if group == "metrics" else {}
    table = compare_table.of_differences(rows, runs, shown, base, of_metrics)
    st.dataframe(
        painted(table),
        hide_index=True,
        height=min(38 + _ROW_PX * len(rows), _TALLEST_PX),
        row_height=_ROW_PX,
        column_config={"path": st.column_config.TextColumn(pinned=True)},
        alt=f"{group}: {words.count(len(rows), 'row')} of {words.count(len(shown), 'run')}",
    )


def painted(table: compare_table.Table) -> object:
    """Return what `st.dataframe` draws: with colours where there are any, they cost time."""
    if not table.looks.to_numpy(dtype=bool).any():
        return table.cells
    return table.cells.style.apply(lambda _: table.looks, axis=None)


def _files(a: Run, b: Run) -> None:
    paths = differences.shared_files(a, b)
    if not paths:
        return
    st.html(theme.head("Inside files", {"": f"{len(paths):,} of both differ"}, level=2))
    chosen = st.selectbox(
        "File", paths, key="file", bind="query-params", label_visibility="collapsed"
    )
    if chosen not in paths:
        return
    try:
        contents = [
            data.ask().files.blobs.read(
                run.project, differences.digest_of(run, chosen), most_bytes=_MOST_FILE_BYTES
            )
            for run in (a, b)
        ]
    except TooLarge:
        st.caption("too large to compare here: see `weir diff`")
        return
    except StoreError as silent:
        st.caption(str(silent))
        return
    first, second = compare_table.heads((a, b))
    lines = differences.file_diff(
        contents[0], contents[1], (f"{first}  {chosen}", f"{second}  {chosen}")
    )
    st.code("\n".join(lines) or "the same text", language="diff", height="content")
