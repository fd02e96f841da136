"""What is said of rules and alerts, and tables of them. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, urlencode

import pandas as pd

from weir_dashboard import selection, words
from weir_dashboard.selection import Selection
from weir_store.rules.definition import shown_target
from weir_store.rules.records import (
    Action,
    Alert,
    Check,
    Delivery,
    DeliveryState,
    GroupState,
    Health,
    Rule,
    State,
)

MARKS: Final = {"debug": "·", "info": "ℹ", "warn": "▲", "error": "✕", "critical": "✕✕"}
_STATES: Final = {
    State.FIRING: "● firing",
    State.PENDING: "◌ pending",
    State.RESOLVED: "✓ resolved",
}
_DELIVERED: Final = {
    DeliveryState.DEAD: "✕ dead",
    DeliveryState.WAITING: "◌ waiting",
    DeliveryState.DELIVERED: "✓ delivered",
}


def stands(rule: Rule, health: Health | None) -> str:
    """Say where a rule stands, the most urgent thing first."""
    if not rule.definition.enabled:
        return "‖ off"
    if health is None or health.version < rule.version:
        return "… not asked yet"
    if health.error:
        return "✕ broken"
    return f"● {words.count(health.firing, 'firing', 'firing')}" if health.firing else "✓ ok"


def asks(rule: Rule) -> str:
    """Say what a rule asks."""
    one = rule.definition
    if one.template:
        return f"template {one.template}"
    return "SQL" if one.check is Check.SQL else f"check {one.check}"


def action(one: Action) -> str:
    """Write an action as everybody may see it."""
    target = shown_target(one)
    return f"{one.kind} {target}" if target else str(one.kind)


def cost(health: Health | None) -> str:
    """Say what a rule costs: its last evaluation, and all of them."""
    if health is None or not health.evaluations:
        return ""
    last = f"{health.took_s * 1e3:.0f} ms" if health.took_s < 1 else f"{health.took_s:.1f} s"
    spent = words.span(health.spent_s) if health.spent_s >= 60 else f"{health.spent_s:.1f} s"
    return f"{last} · {spent} in {health.evaluations:,} times"


def slowed(rule: Rule, health: Health | None) -> str:
    """Say how often it is asked; a rule that is slow or broken is asked more seldom."""
    wanted = words.span(rule.definition.every_s)
    if health is not None and health.every_s > rule.definition.every_s:
        return f"{words.span(health.every_s)}, wanted {wanted}"
    return wanted


def table_of_rules(
    rules: Sequence[Rule], healths: Sequence[Health], now_unix_s: float
) -> pd.DataFrame:
    """Build the table of rules; those that fire or are broken come first."""
    known = {health.rule_id: health for health in healths}
    rows = []
    for rule in rules:
        health = known.get(rule.rule_id)
        rows.append(
            {
                "rule": rule.name,
                "stands": stands(rule, health),
                "asks": asks(rule),
                "every": slowed(rule, health),
                "last asked": words.ago(health.evaluated_unix_us, now_unix_s) if health else "",
                "took": cost(health),
                "found": f"{health.groups:,}" if health else "",
                "does": ", ".join(action(one) for one in rule.definition.actions),
                "error": health.error if health else "",
            }
        )
    order = {"●": 0, "✕": 1, "…": 2, "✓": 3, "‖": 4}
    rows.sort(key=lambda row: (order.get(str(row["stands"])[0], 5), row["rule"]))
    return pd.DataFrame(rows)


def table_of_groups(project: str, states: Sequence[GroupState], now_unix_s: float) -> pd.DataFrame:
    """Build the table of groups, firing ones first."""
    order = (State.FIRING, State.PENDING, State.RESOLVED)
    ordered = sorted(states, key=lambda one: (order.index(one.state), -one.since_unix_us))
    return pd.DataFrame(
        {
            "stands": [_STATES[one.state] for one in ordered],
            "run": [run_link(project, one.group.run_id) for one in ordered],
            "rank": [str(one.group.rank) if one.group.rank >= 0 else "" for one in ordered],
            "node": [one.group.node for one in ordered],
            "value": [one.value if not math.isnan(one.value) else None for one in ordered],
            "what": [one.message for one in ordered],
            "since": [words.ago(one.since_unix_us, now_unix_s) for one in ordered],
        }
    )


def table_of_alerts(alerts: Sequence[Alert]) -> pd.DataFrame:
    """Build the table of alerts, in the order given."""
    return pd.DataFrame(
        {
            "when": [words.instant(one.event.time_unix_us) for one in alerts],
            "level": [
                f"{MARKS.get(one.event.severity, '')} {one.event.severity}" for one in alerts
            ],
            "run": [run_link(one.project, one.run_id) for one in alerts],
            "what": [one.event.title for one in alerts],
            "more": [one.event.body for one in alerts],
            "told by": ["a rule" if one.source == "server" else "the run" for one in alerts],
        }
    )


def table_of_deliveries(deliveries: Sequence[Delivery]) -> pd.DataFrame:
    """Build the table of deliveries, in the order given."""
    return pd.DataFrame(
        {
            "made": [words.instant(one.at_unix_us) for one in deliveries],
            "stands": [_DELIVERED[one.state] for one in deliveries],
            "rule": [one.rule for one in deliveries],
            "does": [action(one.action) for one in deliveries],
            "run": [run_link(one.project, one.run_id) for one in deliveries],
            "tries": [one.tries for one in deliveries],
            "tried": [words.instant(one.tried_unix_us) for one in deliveries],
            "problem": [one.problem for one in deliveries],
        }
    )


def run_link(project: str, run_id: str) -> str:
    """Address of the run page; what stands after # is what the cell shows; "" for no run."""
    if not run_id:
        return ""
    address = selection.build(Selection(project=project, run_id=run_id))
    return f"/run?{urlencode(address, doseq=True)}#{quote(run_id, safe='')}"


def firing_now(rules: Sequence[Rule], healths: Sequence[Health]) -> list[tuple[Rule, int]]:
    """List enabled rules that fire, with how many groups, most first."""
    known = {rule.rule_id: rule for rule in rules if rule.definition.enabled}
    found = [
        (known[one.rule_id], one.firing) for one in healths if one.firing and one.rule_id in known
    ]
    return sorted(found, key=lambda pair: (-pair[1], pair[0].project, pair[0].name))
