"""Rules, alerts and deliveries: the service behind rules.proto. What evaluates rules is weir_server/rules/."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid4

import grpc.aio

from weir_proto.v1 import rules_pb2 as pb
from weir_proto.v1 import rules_pb2_grpc
from weir_server.clock import Clock
from weir_server.gateway.artifact_checks import check_project
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.rules_messages import (
    alert_message,
    delivery_message,
    found_message,
    rule_message,
    template_message,
)
from weir_server.gateway.service import Service
from weir_server.gateway.tokens import Role
from weir_server.gateway.webhook_address import address_of
from weir_server.log import get_logger
from weir_server.settings import GatewaySettings
from weir_store.base import Inserter
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery
from weir_store.ranks.clickhouse import ClickHouseRanks
from weir_store.rules.ask import MOST_GROUPS, Asking, limits_of
from weir_store.rules.base import RuleReader
from weir_store.rules.clickhouse import ClickHouseRules
from weir_store.rules.definition import changes, definition_of
from weir_store.rules.editor import RuleEditor, retried
from weir_store.rules.hangs import Hangs
from weir_store.rules.records import (
    Action,
    ActionKind,
    Definition,
    Delivery,
    DeliveryState,
    Rule,
)
from weir_store.rules.templates import TEMPLATES
from weir_store.sql.base import LimitReached
from weir_store.sql.reader import ClickHouseSql

MOST_RULES: Final = 200
_WEB: Final = (ActionKind.WEBHOOK, ActionKind.SLACK, ActionKind.DISCORD)
_SHOWN: Final = 100
_MOST_SHOWN: Final = 10_000


class RulesService(rules_pb2_grpc.RulesServicer):
    """Answers from any gateway. Whoever reads or writes the store does so in a thread.

    Args:
        reader: Asked.
        editor: Written to.
        asking: Evaluates a rule once, for a test.
        auth: Who calls.
        clock: Time.
        anywhere: Webhooks may go to this machine.
    """

    def __init__(
        self,
        reader: RuleReader,
        editor: RuleEditor,
        asking: Asking,
        auth: Auth,
        clock: Clock,
        *,
        anywhere: bool,
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._asking = asking
        self._auth = auth
        self._clock = clock
        self._anywhere = anywhere

    async def PutRule(
        self, request: pb.PutRuleRequest, context: grpc.aio.ServicerContext
    ) -> pb.PutRuleResponse:
        """Make a rule, or a new version of one."""
        caller = self._allowed(context, Role.WRITER, request.project)
        definition = _definition_of(request.definition_json)
        return await asyncio.to_thread(self._put, request, definition, caller.name)

    async def DeleteRule(
        self, request: pb.DeleteRuleRequest, context: grpc.aio.ServicerContext
    ) -> pb.DeleteRuleResponse:
        """Take a rule away."""
        caller = self._allowed(context, Role.WRITER, request.project)
        await asyncio.to_thread(self._delete, request, caller.name)
        return pb.DeleteRuleResponse()

    async def ListRules(
        self, request: pb.ListRulesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListRulesResponse:
        """Return where rules stand."""
        self._allowed(context, Role.READER, request.project)
        rules = await asyncio.to_thread(self._list, request)
        return pb.ListRulesResponse(rules=rules)

    async def TestRule(
        self, request: pb.TestRuleRequest, context: grpc.aio.ServicerContext
    ) -> pb.TestRuleResponse:
        """Evaluate once, change nothing."""
        self._allowed(context, Role.READER, request.project)
        return await asyncio.to_thread(self._test, request)

    async def ListAlerts(
        self, request: pb.ListAlertsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListAlertsResponse:
        """Return alerts, newest first."""
        self._allowed(context, Role.READER, request.project)
        found = await asyncio.to_thread(
            self._reader.list_alerts,
            request.project,
            run_id=request.run_id,
            rule=request.rule,
            limit=_limit(request.limit),
        )
        return pb.ListAlertsResponse(alerts=[alert_message(each) for each in found])

    async def ListDeliveries(
        self, request: pb.ListDeliveriesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListDeliveriesResponse:
        """Return deliveries, newest first."""
        self._allowed(context, Role.READER, request.project)
        words = [state.value for state in DeliveryState]
        strange = sorted(set(request.states) - set(words))
        if strange:
            raise InvalidQuery(f"no delivery is {strange[0]!r}", hint=f"one of {', '.join(words)}")
        found = await asyncio.to_thread(
            self._reader.list_deliveries,
            request.project,
            states=[DeliveryState(each) for each in request.states],
            rule=request.rule,
            limit=_limit(request.limit),
        )
        return pb.ListDeliveriesResponse(deliveries=[delivery_message(each) for each in found])

    async def RetryDelivery(
        self, request: pb.RetryDeliveryRequest, context: grpc.aio.ServicerContext
    ) -> pb.Delivery:
        """Have a delivery tried again that was given up."""
        self._allowed(context, Role.WRITER, request.project)
        found = await asyncio.to_thread(self._retry, request)
        return delivery_message(found)

    async def ListTemplates(
        self, request: pb.ListTemplatesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListTemplatesResponse:
        """Return the templates of this release."""
        return pb.ListTemplatesResponse(
            templates=[template_message(each) for each in TEMPLATES.values()]
        )

    # ── below: in a thread ────────────────────────────────────────────────

    def _put(
        self, request: pb.PutRuleRequest, definition: Definition, by: str
    ) -> pb.PutRuleResponse:
        rules = {rule.name: rule for rule in self._reader.list_rules(request.project)}
        before = rules.get(definition.name)
        if before is None and len(rules) >= MOST_RULES:
            raise InvalidQuery(f"the project has {len(rules)} rules", hint=f"at most {MOST_RULES}")
        found = changes(before.definition if before else None, definition)
        outcome = pb.PutRuleResponse.CHANGED if before else pb.PutRuleResponse.MADE
        if before and not found:
            outcome = pb.PutRuleResponse.UNCHANGED
        version = (before.version if before else 0) + bool(found)
        if found:
            self._check(request.project, definition)
        if found and not request.dry_run:
            rule_id = before.rule_id if before else uuid4()
            at_us = max(self._clock.unix_us(), before.at_unix_us + 1 if before else 0)
            rule = Rule(request.project, rule_id, definition, version, by, at_us)
            self._editor.put_rule(rule)
        return pb.PutRuleResponse(
            outcome=outcome,
            changes=[pb.RuleChange(key=key, before=old, after=new) for key, old, new in found],
            version=version,
        )

    def _check(self, project: str, definition: Definition) -> None:
        """Raise `InvalidQuery` for what could never work: an address, a SELECT the gate refuses."""
        for action in definition.actions:
            if action.kind in _WEB:
                self._check_address(action)
        if not definition.enabled:
            return
        try:
            self._asking.find(project, definition, self._clock.unix_us())
        except LimitReached as error:  # it is evaluated more rarely, and its owner sees why
            get_logger().info("a rule takes long", rule=definition.name, problem=str(error))
        except InvalidQuery as error:
            raise InvalidQuery(f"rule {definition.name}: {error}") from error

    def _check_address(self, action: Action) -> None:
        try:
            address_of(action.target, anywhere=self._anywhere)
        except OSError as error:  # names may come to be known
            get_logger().info("the host of a webhook is not known yet", problem=str(error))

    def _delete(self, request: pb.DeleteRuleRequest, by: str) -> None:
        rule = self._rule(request.project, request.name)
        if request.dry_run:
            return
        at_us = max(self._clock.unix_us(), rule.at_unix_us + 1)
        states = self._reader.list_states(request.project, rule.rule_id)
        waiting = self._reader.list_deliveries(
            request.project, states=[DeliveryState.WAITING], rule=rule.name, limit=_MOST_SHOWN
        )
        self._editor.delete_rule(replace(rule, by=by, at_unix_us=at_us), states, waiting)

    def _list(self, request: pb.ListRulesRequest) -> list[pb.Rule]:
        health = {each.rule_id: each for each in self._reader.list_health(request.project)}
        rules = self._reader.list_rules(request.project)
        if request.name:
            rules = [self._rule(request.project, request.name)]
        return [
            rule_message(
                rule,
                health.get(rule.rule_id),
                self._reader.list_states(request.project, rule.rule_id),
                min(request.groups, MOST_GROUPS),
            )
            for rule in rules
        ]

    def _test(self, request: pb.TestRuleRequest) -> pb.TestRuleResponse:
        definition = (
            _definition_of(request.definition_json)
            if request.definition_json
            else self._rule(request.project, request.name).definition
        )
        began_s = self._clock.monotonic_s()
        findings = self._asking.find(request.project, definition, self._clock.unix_us())
        return pb.TestRuleResponse(
            found=[found_message(each) for each in findings.found[: _limit(request.limit)]],
            total=len(findings.found),
            is_cut=findings.is_cut,
            took_s=self._clock.monotonic_s() - began_s,
        )

    def _retry(self, request: pb.RetryDeliveryRequest) -> Delivery:
        try:
            delivery_id = UUID(request.delivery_id)
        except ValueError as error:
            raise InvalidQuery(f"{request.delivery_id[:80]!r} is no id of a delivery") from error
        found = self._reader.get_delivery(request.project, delivery_id)
        if found is None:
            raise InvalidQuery(f"there is no delivery {delivery_id} in project {request.project!r}")
        if found.state is not DeliveryState.DEAD:
            raise InvalidQuery(f"the delivery is {found.state}", hint="only dead ones are retried")
        again = retried(found)
        self._editor.put_deliveries([again])
        return again

    def _rule(self, project: str, name: str) -> Rule:
        found = [rule for rule in self._reader.list_rules(project) if rule.name == name]
        if not found:
            raise InvalidQuery(f"there is no rule {name[:128]!r} in project {project!r}")
        return found[0]

    def _allowed(self, context: Any, role: Role, project: str) -> Principal:
        check_project(project)
        caller = self._auth.principal(context.invocation_metadata())
        caller.require(role, project)
        return caller


def service_of(service: RulesService) -> Service:
    """Return it as a gateway offers it."""
    return Service("weir.v1.Rules", rules_pb2_grpc.add_RulesServicer_to_server, service)


def rules_service(
    clickhouse: ClickHouse,
    database: str,
    inserter: Inserter,
    settings: GatewaySettings,
    auth: Auth,
    clock: Clock,
) -> Service:
    """Return the service over ClickHouse; its tests of rules take what SQL may take here."""
    asking = Asking(
        ClickHouseSql(clickhouse, database),
        limits_of(settings.sql_seconds, settings.sql_memory_bytes, settings.sql_rows_read),
        Hangs(ClickHouseRanks(clickhouse, database)),
    )
    return service_of(
        RulesService(
            ClickHouseRules(clickhouse, database),
            RuleEditor(inserter),
            asking,
            auth,
            clock,
            anywhere=settings.webhooks_anywhere,
        )
    )


def _definition_of(text: str) -> Definition:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidQuery(f"the definition is no JSON: {error}") from error
    return definition_of(said)


def _limit(asked: int) -> int:
    limit = asked or _SHOWN
    if limit > _MOST_SHOWN:
        raise InvalidQuery(f"limit is {limit}", hint=f"at most {_MOST_SHOWN}")
    return limit
