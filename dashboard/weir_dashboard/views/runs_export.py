"""Links that take the table away: every matching row, with the columns that are shown."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from weir_store.records import RunQuery


def offer(query: RunQuery) -> None:
    """Draw the links; the browser fetches them, the page does not hold the rows."""
    asked = {
        "project": query.project,
        "q": query.where,
        "sort": query.order_by,
        "col": query.columns or (),
    }
    address = escape(f"/api/runs?{urlencode(asked, doseq=True)}")
    links = " · ".join(
        f'<a href="{address}&amp;format={format}" download="runs.{format}">{label}</a>'
        for format, label in (("csv", "CSV"), ("parquet", "Parquet"))
    )
    st.html(
        f'<div class="weir-head"><span><small>every row as</small>{links}</span></div>',
        width="content",
    )
