"""Rows of the tables as records, whichever store they come from: values in the order of the `*_COLUMNS`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from weir_store.errors import InvalidQuery
from weir_store.rules.definition import definition_of
from weir_store.rules.records import (
    Action,
    ActionKind,
    Definition,
    Delivery,
    DeliveryState,
    Group,
    GroupState,
    Health,
    Rule,
    State,
)

TIMES: Final = frozenset({"at", "since", "told_at", "evaluated_at", "tried_at"})
RULE_COLUMNS: Final = ("project", "name", "rule_id", "definition", "version", "by", "at")
STATE_COLUMNS: Final = (
    "run_id", "rank", "node", "state", "since", "value", "message", "alert_id", "told", "told_at",
)  # fmt: skip
HEALTH_COLUMNS: Final = (
    "project", "rule_id", "version", "evaluated_at", "took_s", "groups", "firing", "is_cut",
    "error", "failures", "every_s", "evaluations", "spent_s",
)  # fmt: skip
DELIVERY_COLUMNS: Final = (
    "project", "delivery_id", "rule_id", "rule", "alert_id", "run_id", "action", "payload", "at",
    "state", "tries", "problem", "tried_at", "ver",
)  # fmt: skip


def rule_of(row: Sequence[Any]) -> Rule:
    """Return a row of `rules`; one that this release cannot read says why, and hides no other."""
    project, name, rule_id, text, version, by, at = row
    try:
        definition = definition_of(json.loads(text))
    except (InvalidQuery, ValueError) as error:
        definition = Definition(name, unreadable=f"stored by another release: {error}")
    return Rule(project, _uuid(rule_id), definition, int(version), by, int(at))


def state_of(row: Sequence[Any]) -> GroupState:
    """Return a row of `rule_states`."""
    run_id, rank, node, state, since, value, message, alert_id, told, told_at = row
    return GroupState(
        Group(run_id, int(rank), node),
        State(state),
        int(since),
        float(value),
        message,
        _uuid(alert_id),
        bool(told),
        int(told_at),
    )


def health_of(row: Sequence[Any]) -> Health:
    """Return a row of `rule_health`."""
    project, rule_id, *rest = row
    version, at, took_s, groups, firing, is_cut, error, failures, every_s, evaluations, spent = rest
    return Health(
        project,
        _uuid(rule_id),
        int(version),
        int(at),
        float(took_s),
        int(groups),
        int(firing),
        bool(is_cut),
        error,
        int(failures),
        float(every_s),
        int(evaluations),
        float(spent),
    )


def delivery_of(row: Sequence[Any]) -> Delivery:
    """Return a row of `deliveries`."""
    project, delivery_id, rule_id, rule, alert_id, run_id, action, payload, at, *rest = row
    state, tries, problem, tried_at, ver = rest
    said = json.loads(action)
    return Delivery(
        project=project,
        delivery_id=_uuid(delivery_id),
        rule_id=_uuid(rule_id),
        rule=rule,
        alert_id=_uuid(alert_id),
        run_id=run_id,
        action=Action(ActionKind(said["kind"]), said["target"], said["secret"]),
        payload=json.loads(payload),
        at_unix_us=int(at),
        state=DeliveryState(state),
        tries=int(tries),
        problem=problem,
        tried_unix_us=int(tried_at),
        ver=int(ver),
    )


def _uuid(value: Any) -> UUID:
    return UUID(bytes=value) if isinstance(value, bytes) else UUID(str(value))
