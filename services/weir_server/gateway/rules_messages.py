"""Records of rules as the wire says them; secrets stay here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from weir_proto.v1 import rules_pb2 as pb
from weir_server.gateway.messages import event_message
from weir_store.rules.ask import sql_of
from weir_store.rules.definition import shown_of, shown_target
from weir_store.rules.records import (
    Alert,
    Delivery,
    Found,
    GroupState,
    Health,
    Rule,
    State,
)
from weir_store.rules.templates import Template

_ORDER: Final = {State.FIRING: 0, State.PENDING: 1, State.RESOLVED: 2}


def rule_message(
    rule: Rule, health: Health | None, states: Sequence[GroupState], most: int
) -> pb.Rule:
    """Return a rule, how it fares, and at most so many of its groups."""
    ordered = sorted(states, key=lambda each: (_ORDER[each.state], -each.since_unix_us, each.group))
    return pb.Rule(
        name=rule.name,
        definition_json=json.dumps(shown_of(rule.definition), ensure_ascii=False),
        version=rule.version,
        by=rule.by,
        at_unix_us=rule.at_unix_us,
        health=health_message(health) if health else None,
        groups=[_group_message(each) for each in ordered[:most]],
        groups_total=len(states),
        state=state_of(rule, health, states),
        sql=sql_of(rule.definition).strip(),
    )


def state_of(rule: Rule, health: Health | None, states: Iterable[GroupState]) -> str:
    """Return where a rule stands, in one word."""
    if not rule.definition.enabled:
        return "disabled"
    if health is None or health.version != rule.version:
        return "new"
    if health.error:
        return "broken"
    found = {each.state for each in states}
    if State.FIRING in found:
        return "firing"
    return "pending" if State.PENDING in found else "ok"


def health_message(health: Health) -> pb.RuleHealth:
    """Return how a rule fares."""
    return pb.RuleHealth(
        evaluated_unix_us=health.evaluated_unix_us,
        took_s=health.took_s,
        groups=health.groups,
        firing=health.firing,
        is_cut=health.is_cut,
        error=health.error,
        failures=health.failures,
        every_s=health.every_s,
        evaluations=health.evaluations,
        spent_s=health.spent_s,
    )


def _group_message(state: GroupState) -> pb.RuleGroup:
    return pb.RuleGroup(
        run_id=state.group.run_id,
        rank=state.group.rank,
        node=state.group.node,
        state=state.state.value,
        since_unix_us=state.since_unix_us,
        value=state.value,
        message=state.message,
        told=state.told,
    )


def found_message(found: Found) -> pb.RuleGroup:
    """Return what a test of a rule found."""
    return pb.RuleGroup(
        run_id=found.group.run_id,
        rank=found.group.rank,
        node=found.group.node,
        value=found.value,
        message=found.message,
    )


def alert_message(alert: Alert) -> pb.Alert:
    """Return an alert."""
    return pb.Alert(run_id=alert.run_id, source=alert.source, event=event_message(alert.event))


def delivery_message(delivery: Delivery) -> pb.Delivery:
    """Return a delivery, without where exactly it goes."""
    return pb.Delivery(
        delivery_id=str(delivery.delivery_id),
        rule=delivery.rule,
        alert_id=str(delivery.alert_id),
        run_id=delivery.run_id,
        kind=delivery.action.kind.value,
        target=shown_target(delivery.action),
        title=str(delivery.payload.get("title", "")),
        state=delivery.state.value,
        tries=delivery.tries,
        problem=delivery.problem,
        at_unix_us=delivery.at_unix_us,
        tried_unix_us=delivery.tried_unix_us,
    )


def template_message(template: Template) -> pb.RuleTemplate:
    """Return a template."""
    return pb.RuleTemplate(
        name=template.name,
        about=template.about,
        sql=template.sql.strip(),
        parameters=[
            pb.RuleTemplate.Parameter(
                name=name, default_json=json.dumps(each.default), about=each.about
            )
            for name, each in template.parameters.items()
        ],
        every_s=template.every_s,
        for_s=template.for_s,
        window_s=template.window_s,
        severity=template.severity,
    )
