"""What is written of rules: each change is a new version of a row, and the newest wins.

Rows of one block are stored in this order: events, deliveries, states. So a state that says `told`
is never there without its alert.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Inserter
from weir_store.editor import version_of_edit
from weir_store.rules.definition import said_of
from weir_store.rules.records import (
    ALERT,
    Action,
    Delivery,
    DeliveryState,
    Group,
    GroupState,
    Health,
    RaisedAlert,
    Rule,
)

Row = dict[str, Any]


class RuleEditor:
    """Writes rules and what becomes of them. Every method may raise `StoreUnavailable`."""

    def __init__(self, inserter: Inserter) -> None:
        self._inserter = inserter

    def put_rule(self, rule: Rule) -> None:
        """Store a rule."""
        self._put_rule(rule, is_deleted=False)

    def delete_rule(
        self, rule: Rule, states: Sequence[GroupState], waiting: Sequence[Delivery]
    ) -> None:
        """Take a rule away: its states are forgotten, what waits is given up, its name is free.

        Args:
            rule: With the moment of the deletion.
            states: Of its groups, as they stand.
            waiting: Its deliveries that were not made yet.
        """
        self._put_rule(rule, is_deleted=True)
        self.put_states(rule, [], rule.at_unix_us, forgotten=[each.group for each in states])
        self.put_deliveries(
            [
                replace(
                    each,
                    state=DeliveryState.DEAD,
                    problem=f"{rule.by} deleted the rule",
                    ver=each.ver + 1,
                )
                for each in waiting
            ]
        )

    def _put_rule(self, rule: Rule, *, is_deleted: bool) -> None:
        row = {
            "project": rule.project,
            "name": rule.name,
            "rule_id": rule.rule_id.bytes,
            "definition": json.dumps(said_of(rule.definition), ensure_ascii=False),
            "version": rule.version,
            "by": rule.by,
            "at": rule.at_unix_us,
            "ver": rule.at_unix_us,
            "is_deleted": int(is_deleted),
        }
        self._put({tables.RULES: [row]})

    def put_states(
        self,
        rule: Rule,
        states: Iterable[GroupState],
        at_unix_us: int,
        *,
        forgotten: Iterable[Group] = (),
    ) -> None:
        """Store where groups of a rule stand now, and that others are simply ok."""
        self._put({tables.RULE_STATES: _states(rule, states, at_unix_us, forgotten)})

    def raise_alerts(
        self,
        rule: Rule,
        alerts: Sequence[RaisedAlert],
        deliveries: Sequence[Delivery],
        told: Sequence[GroupState],
        at_unix_us: int,
    ) -> None:
        """Store alerts, what is to be done, and that these groups were told of. Safe to repeat."""
        self._put(
            {
                tables.EVENTS: [_event(rule.project, alert) for alert in alerts],
                tables.DELIVERIES: [_delivery(each) for each in deliveries],
                tables.RULE_STATES: _states(rule, told, at_unix_us),
            }
        )

    def put_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store where deliveries stand; each with a `ver` one above what was read."""
        self._put({tables.DELIVERIES: [_delivery(each) for each in deliveries]})

    def put_health(self, healths: Sequence[Health]) -> None:
        """Store how rules fare."""
        self._put({tables.RULE_HEALTH: [_health(each) for each in healths]})

    def _put(self, rows: dict[str, list[Row]]) -> None:
        block = {
            name: pa.Table.from_pylist(each, schema=columns.BY_TABLE[name])
            for name, each in rows.items()
            if each
        }
        if block:
            self._inserter.insert(block, uuid.uuid4().hex)


def retried(delivery: Delivery) -> Delivery:
    """Return a delivery that is to be tried again from the start."""
    return replace(
        delivery, state=DeliveryState.WAITING, tries=0, tried_unix_us=0, ver=delivery.ver + 1
    )


def action_text(action: Action) -> str:
    """Return an action as the store keeps it."""
    return json.dumps(
        {"kind": action.kind.value, "target": action.target, "secret": action.secret},
        ensure_ascii=False,
    )


def _states(
    rule: Rule,
    states: Iterable[GroupState],
    at_unix_us: int,
    forgotten: Iterable[Group] = (),
) -> list[Row]:
    def row(group: Group, **more: Any) -> Row:
        return {
            "project": rule.project,
            "rule_id": rule.rule_id.bytes,
            "run_id": group.run_id,
            "rank": group.rank,
            "node": group.node,
            "state": "resolved",
            "since": at_unix_us,
            "value": float("nan"),
            "message": "",
            "alert_id": UUID(int=0).bytes,
            "told": 0,
            "told_at": 0,
            "ver": at_unix_us,
            "is_deleted": 0,
            **more,
        }

    stand = [
        row(
            each.group,
            state=each.state.value,
            since=each.since_unix_us,
            value=each.value,
            message=each.message,
            alert_id=each.alert_id.bytes,
            told=int(each.told),
            told_at=each.told_unix_us,
        )
        for each in states
    ]
    return [*stand, *(row(group, is_deleted=1) for group in forgotten)]


def _event(project: str, alert: RaisedAlert) -> Row:
    return {
        "project": project,
        "run_id": alert.run_id,
        "event_id": alert.alert_id.bytes,
        "ts": alert.at_unix_us,
        "kind": ALERT,
        "severity": alert.severity,
        "title": alert.title,
        "body": alert.body,
        "step": -1,
        "rank": max(0, alert.rank),
        "attrs": dict(alert.attrs),
        "ver": version_of_edit(alert.at_unix_us),
        "source": "server",
    }


def _delivery(delivery: Delivery) -> Row:
    return {
        "project": delivery.project,
        "delivery_id": delivery.delivery_id.bytes,
        "rule_id": delivery.rule_id.bytes,
        "rule": delivery.rule,
        "alert_id": delivery.alert_id.bytes,
        "run_id": delivery.run_id,
        "kind": delivery.action.kind.value,
        "action": action_text(delivery.action),
        "payload": json.dumps(dict(delivery.payload), ensure_ascii=False, allow_nan=False),
        "state": delivery.state.value,
        "tries": delivery.tries,
        "problem": delivery.problem,
        "at": delivery.at_unix_us,
        "tried_at": delivery.tried_unix_us,
        "ver": delivery.ver,
    }


def _health(health: Health) -> Row:
    return {
        "project": health.project,
        "rule_id": health.rule_id.bytes,
        "version": health.version,
        "evaluated_at": health.evaluated_unix_us,
        "took_s": health.took_s,
        "groups": health.groups,
        "firing": health.firing,
        "is_cut": int(health.is_cut),
        "error": health.error,
        "failures": health.failures,
        "every_s": health.every_s,
        "evaluations": health.evaluations,
        "spent_s": health.spent_s,
        "ver": health.evaluated_unix_us,
    }
