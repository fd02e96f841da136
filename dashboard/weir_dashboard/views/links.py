"""Shared links: what was given out, until when, and taking it back."""

from __future__ import annotations

import time
from typing import Final

import pandas as pd
import streamlit as st

from weir_dashboard import data, theme, words
from weir_dashboard.access.records import Link
from weir_dashboard.selection import format_ref
from weir_store.errors import InvalidQuery

_ROW_PX: Final = 31


def render() -> None:
    """List the links that one made, and those into projects that one administers."""
    links, me = data.ask().share, data.ask().me
    if links is None:
        st.html(theme.head("Shared links"))
        st.info(
            "There are no share links here: nobody is asked who they are, or dashboard.link_days is 0.",
            icon=":material/link_off:",
        )
        return
    listed = links.listed(me)
    st.html(theme.head("Shared links", {"": words.count(len(listed), "link")}))
    if not listed:
        st.info("Nothing is shared. Open a run, then your name above: “Make a share link”.")
        return
    now_unix_s = time.time()
    table = pd.DataFrame([_row(link, now_unix_s, works=links.works(link)) for link in listed])
    event = st.dataframe(
        table,
        hide_index=True,
        row_height=_ROW_PX,
        height=min(38 + _ROW_PX * len(table), 640),
        on_select="rerun",
        selection_mode="multi-row",
        key=f"links-{len(listed)}",
    )
    chosen = [listed[row] for row in event["selection"]["rows"]]
    st.caption(
        "The addresses themselves are kept nowhere. A link ends with the rights of whoever made it."
    )
    label = f"Revoke {words.count(len(chosen), 'link')}" if chosen else "Revoke"
    if st.button(label, disabled=not chosen, key="links_revoke", type="primary"):
        try:
            for link in chosen:
                links.revoke(me, link.link_id)
        except InvalidQuery:  # somebody else was faster
            pass
        st.rerun()


def _row(link: Link, now_unix_s: float, *, works: bool) -> dict[str, object]:
    runs = sorted(format_ref(ref) for ref in link.runs)
    return {
        "what": link.title,
        "lets read": ", ".join(runs) or f"everything in {', '.join(link.projects)}",
        "by": link.by.name,
        "made": words.ago(int(link.made_unix_s * 1e6), now_unix_s),
        "good until": words.instant(int(link.expires_unix_s * 1e6)),
        "state": "works" if works else "ended: its maker may not see this any more",
        "id": link.link_id,
    }
