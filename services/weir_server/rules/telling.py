"""Groups that fire or have ended → alerts to be stored and deliveries to be made. Pure.

Ids follow from the ids that were noted before, so that whoever repeats this after a crash makes the
same alerts and the same deliveries.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid5

from weir_store.rules.definition import shown_target
from weir_store.rules.records import (
    OF_RUNS,
    Action,
    Delivery,
    Group,
    GroupState,
    RaisedAlert,
    Rule,
)

_NAMED: Final = 10  # groups that a summary names
_TITLE_LETTERS: Final = 500


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be stored together.

    Attributes:
        alerts: Events.
        deliveries: Actions.
        told: The groups, now told of.
    """

    alerts: tuple[RaisedAlert, ...]
    deliveries: tuple[Delivery, ...]
    told: tuple[GroupState, ...]


def tell_of(rule: Rule, fired: Sequence[GroupState], now_unix_us: int) -> Telling:
    """Return what tells of groups that fire: each by itself, or all in one when there are too many.

    In a summary nothing is done to runs: a rule that would stop a thousand is more likely wrong than right.
    """
    told = tuple(replace(each, told=True, told_unix_us=now_unix_us) for each in fired)
    if len(fired) > rule.definition.max_alerts:
        alert = _summary(rule, fired, now_unix_us)
        summed = _deliveries(rule, alert, "firing", Group(), math.nan, len(fired))
        return Telling((alert,), tuple(summed), told)
    alerts = [_alert(rule, each) for each in fired]
    deliveries = [
        delivery
        for each, alert in zip(fired, alerts, strict=True)
        for delivery in _deliveries(rule, alert, "firing", each.group, each.value, 1)
    ]
    return Telling(tuple(alerts), tuple(_once_a_run(deliveries)), told)


def tell_of_end(rule: Rule, resolved: Sequence[GroupState], now_unix_us: int) -> list[Delivery]:
    """Return deliveries that tell of the end, where the rule wants that; too many become one."""
    if not rule.definition.tell_resolved or not resolved:
        return []
    if len(resolved) > rule.definition.max_alerts:
        alert = _summary(rule, resolved, now_unix_us)
        return _deliveries(rule, alert, "resolved", Group(), math.nan, len(resolved))
    return [
        delivery
        for each in resolved
        for delivery in _deliveries(
            rule, replace(_alert(rule, each), at_unix_us=now_unix_us), "resolved", each.group,
            each.value, 1,
        )
    ]  # fmt: skip


# ── below ──────────────────────────────────────────────────────────────────


def _alert(rule: Rule, state: GroupState) -> RaisedAlert:
    group = state.group
    return RaisedAlert(
        alert_id=state.alert_id,
        run_id=group.run_id,
        rank=group.rank,
        severity=rule.definition.severity,
        title=_title(rule),
        body=state.message or _said(state.value),
        attrs=_attrs(rule)
        | ({"value": _said(state.value)} if not math.isnan(state.value) else {})
        | ({"node": group.node} if group.node else {})
        | ({"rank": str(group.rank)} if group.rank >= 0 else {}),
        at_unix_us=state.since_unix_us,
    )


def _summary(rule: Rule, states: Sequence[GroupState], now_unix_us: int) -> RaisedAlert:
    first = min(states, key=lambda each: each.group)
    skipped = [action.kind.value for action in rule.definition.actions if action.kind in OF_RUNS]
    names = [str(each.group) for each in sorted(states, key=lambda each: each.group)[:_NAMED]]
    more = len(states) - len(names)
    lines = [
        ", ".join(names) + (f" and {more} more" if more else ""),
        f"over max_alerts = {rule.definition.max_alerts}: one alert for all of them",
        f"not done: {', '.join(skipped)}; raise max_alerts if it should be" if skipped else "",
    ]
    return RaisedAlert(
        alert_id=uuid5(first.alert_id, "summary"),
        run_id="",
        rank=-1,
        severity=rule.definition.severity,
        title=f"{_title(rule)}: {len(states)} at once",
        body="\n".join(filter(None, lines)),
        attrs=_attrs(rule) | {"groups": str(len(states))},
        at_unix_us=now_unix_us,
    )


def _attrs(rule: Rule) -> dict[str, str]:
    return {"rule": rule.name, "rule_id": str(rule.rule_id), "by": f"rule {rule.name}"}


def _title(rule: Rule) -> str:
    return (rule.definition.title or rule.name)[:_TITLE_LETTERS]


def _deliveries(
    rule: Rule, alert: RaisedAlert, state: str, group: Group, value: float, groups: int
) -> list[Delivery]:
    """Return a delivery for each action that applies: those that change runs need one that fires."""
    telling_only = groups > 1 or state == "resolved" or not group.run_id
    return [
        Delivery(
            project=rule.project,
            delivery_id=uuid5(alert.alert_id, f"{state} {number} {action.kind}"),
            rule_id=rule.rule_id,
            rule=rule.name,
            alert_id=alert.alert_id,
            run_id=group.run_id,
            action=action,
            payload=_payload(rule, alert, state, group, value, groups),
            at_unix_us=alert.at_unix_us,
        )
        for number, action in enumerate(rule.definition.actions)
        if not (action.kind in OF_RUNS and telling_only)
    ]


def _payload(
    rule: Rule, alert: RaisedAlert, state: str, group: Group, value: float, groups: int
) -> dict[str, Any]:
    return {
        "id": str(alert.alert_id),
        "kind": "alert",
        "state": state,
        "project": rule.project,
        "rule": rule.name,
        "severity": alert.severity,
        "title": alert.title,
        "text": alert.body,
        "run_id": group.run_id,
        "rank": group.rank if group.rank >= 0 else None,
        "node": group.node,
        "value": value if math.isfinite(value) else _said(value),
        "groups": groups,
        "at_unix_us": alert.at_unix_us,
    }


def _once_a_run(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Leave out what is done to a run already: eight ranks that fire do not stop it eight times."""
    seen: set[tuple[Action, str]] = set()
    kept = []
    for each in deliveries:
        key = each.action, each.run_id
        if each.action.kind not in OF_RUNS or key not in seen:
            kept.append(each)
        seen.add(key)
    return kept


def _said(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{value:g}" if math.isfinite(value) else f"{'-' if value < 0 else ''}Infinity"


def shown_place(delivery: Delivery) -> str:
    """Return where a delivery goes, as logs may say it."""
    return f"{delivery.action.kind} {shown_target(delivery.action)}".strip()
