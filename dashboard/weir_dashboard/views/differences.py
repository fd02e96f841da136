"""Differences: everything in which chosen runs differ, and how the files of two of them do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd
import streamlit as st

from weir_dashboard import data, differences, theme, words
from weir_dashboard.blobs import TooLarge
from weir_dashboard.differences import Difference
from weir_store.errors import StoreError
from weir_store.records import Json, Run

_ROW_PX: Final = 31
_TALLEST_PX: Final = 420
_LONGEST: Final = 400  # letters of a value in a cell
_MOST_FILE_BYTES: Final = 4 << 20


def show(runs: Sequence[Run]) -> None:
    """Draw the rows by group, then the files of exactly two runs side by side."""
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
        everything = st.toggle("Show equal rows too", key="all", bind="query-params")
    rows = differences.differences(runs, everything=everything, search=(search or "").strip())
    if not rows:
        st.info(_nothing(search or "", len(runs)), icon=":material/equal:")
    names = _names(runs)
    for group in differences.GROUPS:
        _group(group, [row for row in rows if row.group == group], names)
    if len(runs) == 2:
        _files(runs[0], runs[1])


def _nothing(search: str, runs: int) -> str:
    if search.strip():
        return f"Nothing that differs says “{search.strip()}”."
    return "These runs do not differ." if runs > 1 else "One run alone does not differ: pick more."


def _names(runs: Sequence[Run]) -> list[str]:
    """Heads of the columns: names, and ids as well where names are not enough."""
    names = [run.name or run.run_id for run in runs]
    if len(set(names)) == len(names):
        return names
    return [f"{run.project}/{run.run_id}" for run in runs]


def _group(group: str, rows: list[Difference], names: list[str]) -> None:
    if not rows:
        return
    differing = sum(not row.same for row in rows)
    equal = f", {len(rows) - differing:,} equal" if differing < len(rows) else ""
    st.html(theme.head(group.capitalize(), {"": f"{differing:,} differ{equal}"}, level=2))
    table = pd.DataFrame({"path": [row.path for row in rows]})
    for place, name in enumerate(names):
        table[name] = [_shown(row.values[place]) for row in rows]
    if group == "metrics" and any(row.change is not None for row in rows):
        table["change"] = ["" if r.change is None else f"{r.change:+.2%}" for r in rows]
    st.dataframe(
        table,
        hide_index=True,
        height=min(38 + _ROW_PX * len(rows), _TALLEST_PX),
        row_height=_ROW_PX,
        column_config={"path": st.column_config.TextColumn(pinned=True)},
    )


def _shown(value: differences.Value) -> str:
    """Six digits of a float are enough to see the difference; what is not there is a dash."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value.text if isinstance(value, Json) else words.value(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


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
    first, second = _names((a, b))
    lines = differences.file_diff(
        contents[0], contents[1], (f"{first}  {chosen}", f"{second}  {chosen}")
    )
    st.code("\n".join(lines) or "the same text", language="diff", height="content")
