"""Ledger: what a run's processes say they sent, beside what the store holds."""

from __future__ import annotations

from typing import Final

import pandas as pd
import streamlit as st

from weir_dashboard import shield, words
from weir_store.ledger import verdict_of
from weir_store.records import Ledger, LedgerLine, Verdict

_ALERTS: Final = {
    Verdict.WHOLE: st.success,
    Verdict.PENDING: st.success,
    Verdict.UNCLAIMED: st.info,
    Verdict.LOST: st.warning,
}


def show(ledger: Ledger) -> None:
    """Draw the verdict, the lines, and the frames that are declared lost."""
    if not ledger.lines:
        st.caption("no process of this run has sent anything yet")
        return
    found = shield.verdict(ledger)
    _ALERTS.get(found, st.error)(f"**{found}** — {shield.meaning(found)}")
    table = pd.DataFrame([_row(line) for line in ledger.lines])
    st.dataframe(table, hide_index=True, height=min(38 + 31 * len(table), 420), row_height=31)
    st.caption(
        f"{words.count(ledger.rows_at_rest, 'row')} at rest, deliveries that were repeated and"
        " not merged yet included · the same in a terminal: `weir verify`"
    )
    for gap in ledger.gaps:
        st.caption(f"lost: frames {gap.first_seq} to {gap.last_seq} of producer {gap.producer}")


def _row(line: LedgerLine) -> dict[str, object]:
    return {
        "rank": line.rank,
        "what": str(line.kind),
        "sent": None if line.sent is None else line.sent.count,
        "stored": line.stored.count,
        "rejected": line.rejected.count,
        "dead letters": line.dead.count,
        "frames lost": line.gap_frames,
        "dropped by the client": line.dropped,
        "refused by log()": line.refused,
        "digest": f"{line.stored.digest:016x}",
        "verdict": str(verdict_of(line)),
    }
