"""What fires now, in one line: for pages that are about something else."""

from __future__ import annotations

from typing import Final

import streamlit as st

from weir_dashboard import data, navigation, rule_words, words
from weir_store.errors import StoreError

_NAMED: Final = 5


@st.fragment(run_every=15)
def show_firing() -> None:
    """Name the rules of all projects that fire, and lead to them; says nothing when none does."""
    rules = data.ask().rules
    if not rules.offered:
        return
    try:
        firing = rule_words.firing_now(rules.rules().value, rules.health().value)
    except StoreError:  # the page says it itself
        return
    if not firing:
        return
    groups = words.count(sum(count for _, count in firing), "group")
    more = f", and {len(firing) - _NAMED:,} more" if len(firing) > _NAMED else ""
    with st.container(horizontal=True, vertical_alignment="center", key="weir-firing"):
        st.markdown(f":red[**● {words.count(len(firing), 'rule')} firing**] for {groups}:")
        for rule, count in firing[:_NAMED]:
            st.page_link(
                navigation.page("rules"),
                label=f"{words.plain(rule.project)} · {words.plain(rule.name)} ({count:,})",
                query_params={"project": rule.project, "rule": rule.name},
            )
        if more:
            st.caption(more)
