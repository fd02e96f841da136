"""Rules: what is watched, what fires, what it costs, what was told to whom."""

from __future__ import annotations

import time
from typing import Final

import streamlit as st

from weir_dashboard import data, rule_words, theme, words
from weir_dashboard.data_rules import LISTED
from weir_dashboard.views import pick, rule_deliveries, rule_editor, states
from weir_store.rules.ask import sql_of
from weir_store.rules.records import Health, Rule

_TABS: Final = ("Rules", "Alerts", "Deliveries")
_EVERY_S: Final = 10
_ROW_PX: Final = 31
_MOST_PX: Final = 420
LINK: Final = {"run": st.column_config.LinkColumn("run", display_text=r"#(.*)$")}


def render() -> None:
    """Show the rules of the project the address names."""
    if not data.ask().rules.offered:
        st.info("This dashboard was started without rules.", icon=":material/info:")
        return
    with states.failures(), states.loading():
        projects = states.value(data.ask().projects())
    if not projects:
        states.empty()
        return
    left, middle, right = st.columns([1.4, 3, 1], vertical_alignment="center")
    with left:
        project = pick.project(projects, pick.shown().project)
    with middle:
        tab = pick.tab(_TABS)
    with states.failures():
        if tab == "Alerts":
            st.fragment(_alerts, run_every=_EVERY_S)(project)
        elif tab == "Deliveries":
            rule_deliveries.show(project)
        elif rule_editor.is_open():
            rule_editor.show(project)
        else:
            with right:
                rule_editor.new_button()
            st.fragment(_rules, run_every=_EVERY_S)(project)


def _rules(project: str) -> None:
    with states.failures():
        _list(project)


def _list(project: str) -> None:
    rule_editor.let_go("rule")
    rules = states.value(data.ask().rules.rules(project))
    healths = states.value(data.ask().rules.health(project))
    if not rules:
        _none()
        return
    table = rule_words.table_of_rules(rules, healths, time.time())
    firing = sum(health.firing for health in healths)
    st.caption(f"{words.count(len(rules), 'rule')} · {words.count(firing, 'group')} firing")
    height = min(38 + _ROW_PX * len(table), _MOST_PX)
    st.dataframe(table, hide_index=True, height=height, row_height=_ROW_PX, key="rules_table")
    if not data.ask().rules.may_edit:
        st.caption(
            "This dashboard only reads rules: change them with `weir rules apply`, or start it with"
            " `dashboard.edit_rules = true`."
        )
    names = list(table["rule"])
    chosen = st.selectbox(
        "Look at", names, key="rule", bind="query-params", index=None, placeholder="choose a rule"
    )
    if chosen is not None:
        rule = next(one for one in rules if one.name == chosen)
        health = next((one for one in healths if one.rule_id == rule.rule_id), None)
        _rule(rule, health)


def _none() -> None:
    st.info("No rule watches this project yet.", icon=":material/notifications_off:")
    st.caption("In a terminal, from a file (`weir rules templates` lists what is ready to use):")
    st.code(
        "rules:\n  - name: nan\n    template: nan\n    actions:\n      - stop: true\n      - slack: https://…",
        language="yaml",
        width=640,
    )


def _rule(rule: Rule, health: Health | None) -> None:
    one = rule.definition
    facts = {
        "stands": rule_words.stands(rule, health),
        "every": rule_words.slowed(rule, health),
        "for": words.span(one.for_s) if one.for_s else "",
        "window": words.span(one.window_s),
        "cool-down": words.span(one.cool_down_s),
        "level": one.severity,
        "took": rule_words.cost(health),
        "version": f"{rule.version} by {rule.by or 'somebody'}, {words.instant(rule.at_unix_us)}",
        "does": ", ".join(map(rule_words.action, one.actions)) or "leaves an alert, no more",
    }
    st.html(theme.head(rule.name, facts, level=2))
    if health is not None and health.error:
        tries = words.count(health.failures, "evaluation")
        st.error(f"{tries} in a row failed: {words.plain(health.error)}", icon=":material/error:")
    if health is not None and health.is_cut:
        st.warning("It finds more groups than a rule may.", icon=":material/content_cut:")
    rule_editor.actions_on(rule)
    _groups(rule, health)
    st.code(sql_of(one) or f"built-in check: {one.check}", language="sql", wrap_lines=True)
    if one.parameters:
        st.caption(" · ".join(f"`{name}` = `{value}`" for name, value in one.parameters.items()))


def _groups(rule: Rule, health: Health | None) -> None:
    found = states.value(data.ask().rules.states(rule))
    if not found:
        if health is not None and health.version == rule.version and not health.error:
            st.caption("nothing is found by it: everything is ok")
        return
    table = rule_words.table_of_groups(rule.project, found[:LISTED], time.time())
    if len(found) > LISTED:
        st.caption(f"{LISTED:,} of {words.count(len(found), 'group')}")
    height = min(38 + _ROW_PX * len(table), _MOST_PX)
    st.dataframe(
        table,
        hide_index=True,
        height=height,
        row_height=_ROW_PX,
        key="rule_groups",
        column_config=LINK,
    )


def _alerts(project: str) -> None:
    with states.failures():
        found = states.value(data.ask().rules.alerts(project))
    if not found:
        st.caption("nobody raised an alert: no rule found anything, and no run called `run.alert`")
        return
    newest = (
        f"the newest {LISTED:,} alerts"
        if len(found) >= LISTED
        else words.count(len(found), "alert")
    )
    st.caption(newest)
    table = rule_words.table_of_alerts(found)
    height = min(38 + _ROW_PX * len(table), 680)
    st.dataframe(
        table,
        hide_index=True,
        height=height,
        row_height=_ROW_PX,
        key="alerts_table",
        column_config=LINK,
    )
