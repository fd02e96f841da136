"""Making, changing, trying and taking away a rule. Only where the dashboard may."""

from __future__ import annotations

import json
from typing import Any, Final

import pandas as pd
import streamlit as st

from weir_dashboard import data, rule_form, rule_words, words
from weir_store.errors import InvalidQuery, StoreError
from weir_store.rules.ask import sql_of
from weir_store.rules.definition import definition_of, said_of
from weir_store.rules.records import Definition, Findings, Rule
from weir_store.rules.templates import TEMPLATES

_NEW: Final = "new"  # the key of the address: a template, or `sql`
_EDIT: Final = "edit"  # the key of the address: a rule's name
_TRIED: Final = "rule_tried"  # the rule that was tried last, and what came of it
_GONE: Final = "rule_gone"  # whether the rule that is chosen was deleted
_LISTED: Final = 200


def is_open() -> bool:
    """Whether the address asks for the form."""
    return data.ask().rules.may_edit and bool({_NEW, _EDIT} & set(st.query_params))


def let_go(key: str) -> None:
    """Forget the choice of a rule that was deleted; before its widget is drawn."""
    if st.session_state.pop(_GONE, False):
        st.session_state[key] = None


def new_button() -> None:
    """Offer a new rule."""
    if data.ask().rules.may_edit and st.button("New rule", type="primary", key="rule_new"):
        st.query_params[_NEW] = next(iter(TEMPLATES))
        st.rerun()


def actions_on(rule: Rule) -> None:
    """Offer what can be done with a rule: try, switch, change, take away."""
    rules = data.ask().rules
    with st.container(horizontal=True, vertical_alignment="center"):
        if rules.may_try and st.button("Try it now", key="rule_try"):
            st.session_state[_TRIED] = (rule, _try(rule.project, rule.definition))
        if rules.may_edit:
            _changes(rule)
    tried = st.session_state.get(_TRIED)
    if tried is not None and tried[0] == rule:
        _found(tried[1])


def _changes(rule: Rule) -> None:
    switch = "Switch off" if rule.definition.enabled else "Switch on"
    if st.button(switch, key="rule_switch"):
        _switch(rule)
    if st.button("Change", key="rule_edit"):
        st.query_params[_EDIT] = rule.name
        st.rerun()
    with st.popover("Delete"):
        st.caption("Its alerts stay; what waits to be sent is given up.")
        if st.button(f"Delete {rule.name}", key="rule_delete", type="primary"):
            data.ask().rules.delete(rule, data.ask().me.by)
            st.session_state[_GONE] = True
            st.rerun()


def show(project: str) -> None:
    """Draw the form: of a new rule, prefilled by the address, or of one that is there."""
    name = st.query_params.get(_EDIT, "")
    rules = data.ask().rules.rules(project).value
    before = next((rule for rule in rules if rule.name == name), None)
    if name and before is None:
        st.info(f"There is no rule {words.plain(name)} any more.", icon=":material/search:")
        _close_button()
        return
    said = said_of(before.definition) if before else _prefilled()
    st.markdown(f"**Change {words.plain(name)}**" if before else "**New rule**")
    try:
        _form(project, said, before)
    except InvalidQuery as wrong:
        st.error(words.plain(str(wrong)), icon=":material/error:")
    _close_button()


def _prefilled() -> dict[str, Any]:
    """Read what the address gives for a new rule: a template and its parameters, or a statement."""
    asked = st.query_params.get(_NEW, "")
    if asked in TEMPLATES:
        known = TEMPLATES[asked].parameters
        given = {
            name: st.query_params[f"with.{name}"]
            for name in known
            if f"with.{name}" in st.query_params
        }
        return {"template": asked, "with": given, "name": st.query_params.get("name", asked)}
    sql = st.query_params.get("sql", rule_form.STARTING_SQL)
    return {"sql": sql, "name": st.query_params.get("name", "")}


def _form(project: str, said: dict[str, Any], before: Rule | None) -> None:
    of = f"{project}-{before.name if before else said.get('template', 'sql')}"
    left, right = st.columns([2, 5])
    name = left.text_input("Name", said["name"], key=f"rf_name_{of}", disabled=before is not None)
    questions = [*TEMPLATES, rule_form.OWN_SQL]
    at = questions.index(said["template"]) if "template" in said else len(questions) - 1
    question = right.selectbox("Asks", questions, index=at, key=f"rf_asks_{of}", format_func=_about)
    sql, values = "", {}
    if question == rule_form.OWN_SQL:
        sql = st.text_area(
            "A SELECT of the columns run_id, rank, node, value, message; each row is what fires",
            said.get("sql", rule_form.STARTING_SQL),
            height=180,
            key=f"rf_sql_{of}",
        )
    else:
        values = _parameters(question, said.get("with", {}), of)
    fields = _fields(said, question, of)
    actions = _actions(before, of)
    made = definition_of(rule_form.said(name, question, sql, values, fields, actions))
    with st.container(horizontal=True):
        if st.button("Save", type="primary", key="rule_save"):
            data.ask().rules.put(project, made, data.ask().me.by, replaces=before)
            _close(made.name)
        if data.ask().rules.may_try and st.button("Try it first", key="rule_try"):
            _found(_try(project, made))
    if question != rule_form.OWN_SQL:
        with st.expander("Its SELECT"):
            st.code(
                sql_of(made) or f"built-in check: {made.check}", language="sql", wrap_lines=True
            )


def _about(question: str) -> str:
    return f"{question}: {TEMPLATES[question].about}" if question in TEMPLATES else question


def _parameters(question: str, given: dict[str, Any], of: str) -> dict[str, str]:
    known = TEMPLATES[question].parameters
    if not known:
        return {}
    columns = st.columns(max(3, len(known)))
    return {
        name: column.text_input(
            name,
            rule_form.shown_as(given.get(name, one.default)),
            help=one.about,
            key=f"rf_with_{name}_{question}_{of}",
        )
        for column, (name, one) in zip(columns, known.items(), strict=False)
    }


def _fields(said: dict[str, Any], question: str, of: str) -> dict[str, Any]:
    """Ask when, how long, how loud; a template suggests."""
    known = TEMPLATES.get(question)
    first = Definition("x") if known is None else Definition(
        "x", every_s=known.every_s, for_s=known.for_s, window_s=known.window_s, severity=known.severity
    )  # fmt: skip
    shown = rule_form.fields_of(first)
    shown |= {
        key: rule_form.span(float(said[key])) for key in shown if isinstance(said.get(key), float)
    }
    labels = {
        "every": "Every",
        "for": "Must last",
        "window": "Window",
        "cool_down": "Silent after an alert",
    }
    columns = st.columns(6)
    fields: dict[str, Any] = {
        key: columns[at].text_input(label, shown[key], key=f"rf_{key}_{question}_{of}")
        for at, (key, label) in enumerate(labels.items())
    }
    level = said.get("severity", first.severity)
    fields["severity"] = columns[4].selectbox(
        "Level",
        rule_form.SEVERITIES,
        index=rule_form.SEVERITIES.index(level),
        key=f"rf_level_{question}_{of}",
    )
    fields["title"] = columns[5].text_input("Title", said.get("title", ""), key=f"rf_title_{of}")
    fields["enabled"] = said.get("enabled", True)
    fields["max_alerts"] = said.get("max_alerts", 20)
    fields["tell_resolved"] = said.get("tell_resolved", False)
    return fields


def _actions(before: Rule | None, of: str) -> list[dict[str, Any]]:
    there = before.definition.actions if before else ()
    left, right = st.columns(2)
    kept: list[int] = list(range(len(there)))
    if there:
        kept = left.multiselect(
            "Does",
            kept,
            default=kept,
            format_func=lambda at: rule_words.action(there[at]),
            key=f"rf_kept_{of}",
        )
    lines = (right if there else left).text_area(
        "Does also" if there else "Does, beside leaving an alert",
        placeholder="slack https://hooks.example/…\ntag diverged\nstop",
        key=f"rf_actions_{of}",
        height=100,
        help="one a line: webhook URL secret=…, slack URL, discord URL, email ADDRESS, tag WORD, note TEXT, stop",
    )
    return [*rule_form.kept_actions(there, sorted(kept)), *rule_form.actions_of(lines or "")]


def _try(project: str, definition: Definition) -> Findings | StoreError:
    """Ask once what a rule asks; what is wrong with it is an answer too."""
    try:
        return data.ask().rules.try_out(project, definition)
    except StoreError as error:
        return error


def _found(findings: Findings | StoreError) -> None:
    if isinstance(findings, StoreError):
        st.error(words.plain(str(findings)), icon=":material/error:")
        return
    more = "more than " if findings.is_cut else ""
    groups = words.count(len(findings.found), "group")
    st.success(f"It would find {more}{groups} now; nobody was told.", icon=":material/science:")
    if findings.found:
        rows = [
            {"what": str(one.group), "value": one.value, "message": one.message}
            for one in findings.found[:_LISTED]
        ]
        st.dataframe(pd.DataFrame(rows), hide_index=True, row_height=31, key="rule_found")


def _switch(rule: Rule) -> None:
    said = json.loads(json.dumps(said_of(rule.definition)))
    changed = definition_of({**said, "enabled": not rule.definition.enabled})
    data.ask().rules.put(rule.project, changed, data.ask().me.by, replaces=rule)
    st.rerun()


def _close_button() -> None:
    if st.button("Back to the rules", key="rule_back"):
        _close("")


def _close(name: str) -> None:
    for key in list(st.query_params):
        if key in (_NEW, _EDIT, "name", "sql") or key.startswith("with."):
            del st.query_params[key]
    if name:
        st.query_params["rule"] = name
    st.rerun()
