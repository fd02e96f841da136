"""Events: what happened to a run, newest first."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from weir_dashboard import words
from weir_store.records import EventPage

_MARKS: Final = {"debug": "·", "info": "ℹ", "warn": "▲", "error": "✕", "critical": "✕✕"}


def show(page: EventPage) -> None:
    """Draw the events as a table; says so when there are none, or more than are shown."""
    if not page.events:
        st.caption("nothing was reported: no alert, no refusal, no loss")
        return
    st.caption(_how_many(page))
    table = pd.DataFrame(
        {
            "when": [words.instant(event.time_unix_us) for event in page.events],
            "severity": [
                f"{_MARKS.get(event.severity, '')} {event.severity}" for event in page.events
            ],
            "kind": [event.kind for event in page.events],
            "rank": [event.rank for event in page.events],
            "step": ["" if event.step is None else f"{event.step:,}" for event in page.events],
            "what": [event.title for event in page.events],
            "more": [event.body for event in page.events],
        }
    )
    st.dataframe(table, hide_index=True, height=min(38 + 31 * len(table), 520), row_height=31)


def _how_many(page: EventPage) -> str:
    shown = len(page.events)
    if shown == page.total:
        return words.count(shown, "event")
    return f"the newest {shown:,} of {words.count(page.total, 'event')}"
