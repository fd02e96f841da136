"""Rules of a project: `weir.Api().rules("vision")`.

rules = api.rules("vision")
rules.put({"name": "nan", "template": "nan", "actions": [{"stop": True}]})
for rule in rules.list():
    print(rule.name, rule.state, rule.firing)
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from weir._api_transport import ApiTransport
from weir._api_views import EventView, event_view, moment
from weir.errors import UsageError
from weir_proto.v1 import rules_pb2 as pb

_List = list  # a method of that name hides it below
_OUTCOMES: Final = {
    pb.PutRuleResponse.MADE: "made",
    pb.PutRuleResponse.CHANGED: "changed",
    pb.PutRuleResponse.UNCHANGED: "unchanged",
}


@dataclass(frozen=True)
class GroupView:
    """What a rule found: a run, a rank or a node of it; all empty = the project as a whole.

    Attributes:
        run_id: The run, "" = none.
        rank: None = none.
        node: "" = none.
        state: `pending`, `firing` or `resolved`; "" in a test.
        since: Since when; None in a test.
        value: NaN = none.
        message: As the rule says it.
        told: Whether an alert tells of it.
    """

    run_id: str
    rank: int | None
    node: str
    state: str
    since: datetime | None
    value: float
    message: str
    told: bool


@dataclass(frozen=True)
class RuleView:
    """A rule, where it stands, and what it costs.

    Attributes:
        name: Unique in the project.
        state: `ok`, `pending`, `firing`, `broken`, `disabled`, or `new` until it was evaluated.
        definition: What it says, secrets hidden.
        sql: What it asks; "" = a built-in check.
        version: How often it was put.
        by: Who put it last.
        at: When.
        error: What is wrong with it; "" = nothing.
        failures: Evaluations in a row that failed.
        firing: Groups that fire.
        groups: Some of its groups, firing first.
        groups_total: How many there are.
        is_cut: It found more than a rule may.
        evaluated: When last; None = never.
        took_s: How long that took.
        every_s: How often it is evaluated now.
        evaluations: So far.
        spent_s: On all of them.
    """

    name: str
    state: str
    definition: dict[str, Any]
    sql: str
    version: int
    by: str
    at: datetime | None
    error: str
    failures: int
    firing: int
    groups: tuple[GroupView, ...]
    groups_total: int
    is_cut: bool
    evaluated: datetime | None
    took_s: float
    every_s: float
    evaluations: int
    spent_s: float


@dataclass(frozen=True)
class PutView:
    """What putting a rule did, or would do: `made`, `changed` or `unchanged`."""

    name: str
    outcome: str
    version: int
    changes: tuple[tuple[str, str, str], ...]  # key, before, after


@dataclass(frozen=True)
class TestView:
    """What a rule finds now; `is_cut`: there is more than a rule may find."""

    __test__ = False  # pytest takes the name for its own

    found: tuple[GroupView, ...]
    total: int
    is_cut: bool
    took_s: float


@dataclass(frozen=True)
class AlertView:
    """An alert: of a rule (`source` is `server`) or of `run.alert` (`client`)."""

    project: str
    run_id: str
    source: str
    event: EventView


@dataclass(frozen=True)
class DeliveryView:
    """One action of one alert: `waiting`, `delivered` or `dead` with its `problem`."""

    delivery_id: str
    rule: str
    alert_id: str
    run_id: str
    kind: str
    target: str
    title: str
    state: str
    tries: int
    problem: str
    at: datetime | None
    tried: datetime | None


@dataclass(frozen=True)
class TemplateView:
    """A rule that is ready to use; `parameters` are (default, what it means) by name."""

    name: str
    about: str
    sql: str
    parameters: dict[str, tuple[Any, str]]
    every_s: float
    for_s: float
    window_s: float
    severity: str


class ProjectRules:
    """The rules of one project. Every method may raise `weir.errors.TransportError`."""

    def __init__(self, transport: ApiTransport, project: str) -> None:
        self._transport = transport
        self.project = project

    def list(self, *, groups: int = 100) -> _List[RuleView]:
        """Return the rules by name, each with at most so many of its groups."""
        return self._list("", groups)

    def get(self, name: str, *, groups: int = 100) -> RuleView:
        """Return one rule."""
        return self._list(name, groups)[0]

    def put(self, definition: Mapping[str, Any], *, dry_run: bool = False) -> PutView:
        """Make a rule, or change the one of that name.

        Args:
            definition: As docs/rules.md says, e.g. `{"name": "nan", "template": "nan"}`.
            dry_run: Only say what it would change.

        Raises:
            UsageError: It is nothing that JSON can say.
            Rejected: It is no good rule; says what to change.
        """
        request = pb.PutRuleRequest(
            project=self.project, definition_json=_json(definition), dry_run=dry_run
        )
        found = self._transport.ask_rules("PutRule", request)
        changes = tuple((each.key, each.before, each.after) for each in found.changes)
        name = str(definition.get("name", ""))
        return PutView(name, _OUTCOMES.get(found.outcome, ""), found.version, changes)

    def delete(self, name: str, *, dry_run: bool = False) -> None:
        """Take a rule away; with `dry_run` only see whether it is there."""
        request = pb.DeleteRuleRequest(project=self.project, name=name, dry_run=dry_run)
        self._transport.ask_rules("DeleteRule", request)

    def test(self, rule: str | Mapping[str, Any], *, limit: int = 100) -> TestView:
        """Evaluate a rule once and return what it finds; nothing is told or changed.

        Args:
            rule: Its name, or a definition that need not be there.
            limit: At most so many groups.
        """
        named = isinstance(rule, str)
        request = pb.TestRuleRequest(
            project=self.project,
            name=rule if isinstance(rule, str) else "",
            definition_json="" if named else _json(rule),
            limit=limit,
        )
        found = self._transport.ask_rules("TestRule", request)
        groups = tuple(_group_view(each) for each in found.found)
        return TestView(groups, found.total, found.is_cut, found.took_s)

    def alerts(self, *, run_id: str = "", rule: str = "", limit: int = 100) -> _List[AlertView]:
        """Return alerts, newest first: of a run, of a rule, or all."""
        request = pb.ListAlertsRequest(project=self.project, run_id=run_id, rule=rule, limit=limit)
        found = self._transport.ask_rules("ListAlerts", request).alerts
        return [
            AlertView(self.project, each.run_id, each.source, event_view(each.event))
            for each in found
        ]

    def deliveries(
        self, *, states: Iterable[str] = (), rule: str = "", limit: int = 100
    ) -> _List[DeliveryView]:
        """Return deliveries, newest first; `states` of `waiting`, `delivered`, `dead`, empty = all."""
        request = pb.ListDeliveriesRequest(
            project=self.project, states=list(states), rule=rule, limit=limit
        )
        found = self._transport.ask_rules("ListDeliveries", request).deliveries
        return [_delivery_view(each) for each in found]

    def retry(self, delivery_id: str) -> DeliveryView:
        """Have a dead delivery tried again."""
        request = pb.RetryDeliveryRequest(project=self.project, delivery_id=delivery_id)
        return _delivery_view(self._transport.ask_rules("RetryDelivery", request))

    def _list(self, name: str, groups: int) -> _List[RuleView]:
        request = pb.ListRulesRequest(project=self.project, name=name, groups=groups)
        return [_rule_view(each) for each in self._transport.ask_rules("ListRules", request).rules]


class RulesApi:
    """The half of `Api` that is rules."""

    _transport: ApiTransport

    def rules(self, project: str) -> ProjectRules:
        """Return the rules of a project; nothing is asked yet."""
        return ProjectRules(self._transport, project)

    def rule_templates(self) -> list[TemplateView]:
        """Return the rules that are ready to use."""
        found = self._transport.ask_rules("ListTemplates", pb.ListTemplatesRequest()).templates
        return [_template_view(each) for each in found]


def _json(definition: Any) -> str:
    try:
        return json.dumps(dict(definition), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"that is no definition of a rule: {error}") from error


def _rule_view(rule: pb.Rule) -> RuleView:
    health = rule.health
    return RuleView(
        name=rule.name,
        state=rule.state,
        definition=json.loads(rule.definition_json),
        sql=rule.sql,
        version=rule.version,
        by=rule.by,
        at=moment(rule.at_unix_us),
        error=health.error,
        failures=health.failures,
        firing=health.firing,
        groups=tuple(_group_view(each) for each in rule.groups),
        groups_total=rule.groups_total,
        is_cut=health.is_cut,
        evaluated=moment(health.evaluated_unix_us),
        took_s=health.took_s,
        every_s=health.every_s,
        evaluations=health.evaluations,
        spent_s=health.spent_s,
    )


def _group_view(group: pb.RuleGroup) -> GroupView:
    return GroupView(
        run_id=group.run_id,
        rank=group.rank if group.rank >= 0 else None,
        node=group.node,
        state=group.state,
        since=moment(group.since_unix_us),
        value=group.value,
        message=group.message,
        told=group.told,
    )


def _delivery_view(delivery: pb.Delivery) -> DeliveryView:
    same = ("delivery_id", "rule", "alert_id", "run_id", "kind", "target", "title", "state")
    return DeliveryView(
        **{name: getattr(delivery, name) for name in same},
        tries=delivery.tries,
        problem=delivery.problem,
        at=moment(delivery.at_unix_us),
        tried=moment(delivery.tried_unix_us),
    )


def _template_view(template: pb.RuleTemplate) -> TemplateView:
    return TemplateView(
        name=template.name,
        about=template.about,
        sql=template.sql,
        parameters={
            each.name: (json.loads(each.default_json), each.about) for each in template.parameters
        },
        every_s=template.every_s,
        for_s=template.for_s,
        window_s=template.window_s,
        severity=template.severity,
    )
