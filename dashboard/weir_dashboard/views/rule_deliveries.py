"""Deliveries: what rules told, to whom, and what did not arrive."""

from __future__ import annotations

from typing import Final

import streamlit as st

from weir_dashboard import data, rule_words, words
from weir_dashboard.data_rules import LISTED
from weir_dashboard.views import states
from weir_store.rules.records import Delivery, DeliveryState

_ROW_PX: Final = 31
_LINK: Final = {"run": st.column_config.LinkColumn("run", display_text=r"#(.*)$")}


def show(project: str) -> None:
    """List the newest deliveries, dead ones first, and let those be tried again."""
    found = states.value(data.ask().rules.deliveries(project))
    if not found:
        st.caption("nothing was sent: no rule of this project fired with an action")
        return
    dead = [one for one in found if one.state is DeliveryState.DEAD]
    alive = [one for one in found if one.state is not DeliveryState.DEAD]
    most = f"the newest {LISTED:,} deliveries" if len(found) >= LISTED else ""
    st.caption(f"{most or words.count(len(found), 'delivery', 'deliveries')} · {len(dead):,} dead")
    table = rule_words.table_of_deliveries([*dead, *alive])
    height = min(38 + _ROW_PX * len(table), 560)
    st.dataframe(
        table,
        hide_index=True,
        height=height,
        row_height=_ROW_PX,
        key="deliveries_table",
        column_config=_LINK,
    )
    if dead:
        _retry(project, dead)


def _retry(project: str, dead: list[Delivery]) -> None:
    if not data.ask().rules.may_edit:
        st.caption("In a terminal: `weir rules retry DELIVERY`")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        known = {str(one.delivery_id): one for one in dead}  # ids: deliveries hold secrets
        chosen = st.selectbox(
            "Try again",
            list(known),
            format_func=lambda key: _label(known[key]),
            key=f"dead-{len(dead)}-{dead[0].delivery_id}",
            width=640,
        )
        if st.button("Try it again", key="retry_one"):
            data.ask().rules.retry(project, known[chosen].delivery_id)
            st.rerun()
        if len(dead) > 1 and st.button(f"Try all {len(dead):,} again", key="retry_all"):
            for one in dead:
                data.ask().rules.retry(project, one.delivery_id)
            st.rerun()


def _label(one: Delivery) -> str:
    when = words.instant(one.at_unix_us)
    return f"{one.rule} · {rule_words.action(one.action)} · {when} · {one.problem}"
