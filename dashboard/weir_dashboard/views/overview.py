"""Overview: what a run was asked to do, what it came to, and everything needed to do it again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd
import streamlit as st

from weir_dashboard import data, sections, theme, units, usage, words
from weir_dashboard.views import preview, run_edits
from weir_store.errors import StoreError
from weir_store.records import Json, Run, Scalar

_HIGHEST: Final = 620


def show(run: Run) -> None:
    """Draw notes, config, results, the sections of metadata, and the run's files."""
    run_edits.labels(run)
    _cost(run)
    left, right = st.columns(2)
    with left:
        _part("Config", run.config, "no config was given")
    with right:
        _part("Summary", run.summary, "nothing was logged")
    found = sections.sections(run.meta)
    columns = st.columns(2)
    for index, (title, facts) in enumerate(found.items()):
        with columns[index % 2]:
            _part(title, facts, "")
    _files(run)
    st.caption(
        f"The same in a terminal, ready to run again: `weir reproduce {run.project}/{run.run_id}`"
    )


def _part(title: str, values: Mapping[str, Scalar | Json], nothing: str) -> None:
    st.html(theme.head(title, level=2))
    if not values:
        st.caption(nothing)
        return
    table = pd.DataFrame(
        {"path": list(values), "value": [_value(path, v) for path, v in values.items()]}
    )
    st.dataframe(table, hide_index=True, height=min(38 + 31 * len(table), _HIGHEST), row_height=31)


def _value(path: str, value: Scalar | Json) -> str:
    text = words.value(value)
    if isinstance(value, int) and path.endswith("_bytes") and value >= 1_024:
        return f"{units.size(value)} ({text})"
    return text


def _files(run: Run) -> None:
    """List the run's files; the one that is chosen is shown."""
    if not run.files:
        return
    st.html(theme.head("Files", {"": words.count(len(run.files), "file")}, level=2))
    rows = [(path, _told(text)) for path, text in sorted(run.files.items())]
    table = pd.DataFrame(
        {
            "path": [path for path, _ in rows],
            "size": [units.size(int(told.get("size", 0))) for _, told in rows],
            "type": [told.get("mime", "") for _, told in rows],
            "sha-256": [str(told.get("sha256", ""))[:16] for _, told in rows],
        }
    )
    event = st.dataframe(
        table,
        hide_index=True,
        height=min(38 + 31 * len(table), 320),
        row_height=31,
        on_select="rerun",
        selection_mode="single-row",
        key="run_files",
    )
    for row in event["selection"]["rows"]:
        path, told = rows[row]
        preview.show(run.project, path, str(told.get("sha256", "")), int(told.get("size", 0)))


def _told(text: str) -> dict[str, Any]:
    """Read what is known of a file; nothing when it was written by somebody else."""
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _cost(run: Run) -> None:
    """Say what the run took; the page is worth more than this line."""
    try:
        facts = usage.in_words(data.ask().nodes.usage(run.ref).value)
    except StoreError:
        return
    if facts:
        st.markdown(" · ".join(facts))
