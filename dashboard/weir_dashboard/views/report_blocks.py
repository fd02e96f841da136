"""A report's blocks on a page: the same for reading and for the preview beside the editor."""

from __future__ import annotations

import time
from html import escape
from typing import Final

import pyarrow as pa
import streamlit as st

from weir_dashboard import report_panels, theme, words
from weir_dashboard.component.figure import figure
from weir_dashboard.report_markdown import Panel, Prose, Wrong, blocks
from weir_dashboard.report_panels import Filled, fill
from weir_dashboard.views import media_view, table_of_runs
from weir_dashboard.views.media_view import Look

_ANSWERS: Final = "report_answers"  # (statement, options) → when, what
_FRESH_S: Final = 60.0
_KEPT: Final = 40


def show(text: str, *, key: str) -> None:
    """Draw a report's text; `key` names the place."""
    found = blocks(text)
    if not found:
        st.caption("This report says nothing yet.")
    for number, block in enumerate(found):
        if isinstance(block, Prose):
            st.html(f'<div class="weir-prose">{block.html}</div>')
        elif isinstance(block, Wrong):
            st.warning(f"Line {block.line}: {words.plain(block.message)}", icon=":material/edit:")
        else:
            with st.container(key=f"{key}-panel-{number}"):
                _panel(block, f"{key}-{number}")


def _panel(panel: Panel, key: str) -> None:
    filled = _filled(panel)
    _head(filled)
    if filled.error:
        st.info(words.plain(filled.error), icon=":material/search:")
    else:
        _inside(filled, key)
    if filled.notes:
        st.caption(" · ".join(words.plain(note) for note in filled.notes))


def _filled(panel: Panel) -> Filled:
    """Fill a panel; an answer in SQL is good for a minute, however often the page is drawn meanwhile."""
    if panel.kind != "sql":
        return fill(panel)
    known: dict[object, tuple[float, Filled]] = st.session_state.setdefault(_ANSWERS, {})
    key = (panel.value, repr(sorted(panel.options.items())))
    at, filled = known.get(key, (0.0, None))
    if filled is None or filled.error or time.monotonic() - at > _FRESH_S:
        filled = fill(panel)
        known[key] = (time.monotonic(), filled)
        while len(known) > _KEPT:
            known.pop(next(iter(known)))
    return filled


def _head(filled: Filled) -> None:
    if not filled.title and not filled.address:
        return
    link = (
        f'<a href="{escape(filled.address)}" target="_self" aria-label="open this panel\'s page">open ↗</a>'
        if filled.address
        else ""
    )
    st.html(theme.head(filled.title, badge=f"<span>{link}</span>", level=2))


def _inside(filled: Filled, key: str) -> None:
    if filled.figure is not None:
        figure(filled.figure, key=f"figure-{key}")
    elif filled.answer is not None and filled.drawn is not None:
        _drawn(filled.answer, filled.drawn, key)
    elif filled.rows is not None:
        st.dataframe(
            filled.rows,
            hide_index=True,
            key=f"rows-{key}",
            column_config=table_of_runs.LOOK if "color" in filled.rows else None,
        )
    elif filled.media:
        for number, one in enumerate(filled.media):
            media_view.show(filled.project, one, f"{key}-{number}", Look())
    else:
        st.html(facts(filled))


def _drawn(answer: pa.Table, wanted: tuple[str, str, str, str], key: str) -> None:
    made = report_panels.draw(answer, wanted)
    if isinstance(made, str):
        st.info(words.plain(made), icon=":material/search:")
        return
    drawn, _, _ = made
    st.vega_lite_chart(drawn.rows, drawn.spec, width="stretch", key=f"drawn-{key}")
    notes = report_panels.notes_of(drawn)
    if notes:
        st.caption(" · ".join(notes))


def facts(filled: Filled) -> str:
    """Write what a run card says as HTML."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in filled.facts.items()
    )
    return f'<div class="weir-prose"><dl>{rows}</dl></div>'
