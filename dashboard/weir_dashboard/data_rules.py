"""Asking about rules and alerts, trying rules, and changing them where this dashboard may."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar
from uuid import UUID, uuid4

from weir_dashboard.access.questions import RuleTrial, RuleWrites
from weir_dashboard.last_good import Answer, LastGood
from weir_store.errors import InvalidQuery, StoreUnavailable
from weir_store.ranks.base import RankReader
from weir_store.rules.ask import Asking, limits_of
from weir_store.rules.base import RuleReader
from weir_store.rules.editor import retried
from weir_store.rules.hangs import Hangs
from weir_store.rules.records import (
    Alert,
    Definition,
    Delivery,
    DeliveryState,
    Findings,
    GroupState,
    Health,
    Rule,
)
from weir_store.sql.base import LimitReached, SqlReader

T = TypeVar("T")

LISTED: Final = 500
"""Alerts and deliveries that a page lists; it says when there are more."""

_FRESH_S: Final = 2.0
_KEPT: Final = 64
_MOST_WAITING: Final = 10_000
_TRY_SECONDS, _TRY_MEMORY, _TRY_ROWS = 10.0, 1 << 30, 1_000_000_000


@dataclass(frozen=True, slots=True)
class RuleDoors:
    """What the rules page needs of the store.

    Attributes:
        reader: Rules, their states, alerts, deliveries.
        editor: Changes rules; None = this dashboard may not.
        try_out: Asks what a rule asks; None = rules cannot be tried here.
    """

    reader: RuleReader
    editor: RuleWrites | None = None
    try_out: RuleTrial | None = None


def trying(sql: SqlReader, ranks: RankReader | None = None) -> Asking:
    """Return what tries a rule within the limits of a page."""
    limits = limits_of(_TRY_SECONDS, _TRY_MEMORY, _TRY_ROWS)
    return Asking(sql, limits, Hangs(ranks) if ranks is not None else None)


class RulesAsked:
    """What pages may ask about rules. Safe from any thread."""

    def __init__(self, given: RuleDoors | None, unix_us: Callable[[], int] | None = None) -> None:
        self._given = given
        self._kept = LastGood(_KEPT)
        self._changes = 0
        self._unix_us = unix_us or (lambda: int(time.time() * 1e6))

    @property
    def offered(self) -> bool:
        """Whether this dashboard was started with rules."""
        return self._given is not None

    @property
    def may_edit(self) -> bool:
        """Whether this dashboard may change rules."""
        return self._given is not None and self._given.editor is not None

    @property
    def may_try(self) -> bool:
        """Whether rules can be tried here."""
        return self._given is not None and self._given.try_out is not None

    def rules(self, project: str = "") -> Answer[list[Rule]]:
        """List the rules of a project, "" = of all."""
        return self._keep(("rules", project), lambda: self._doors.reader.list_rules(project))

    def health(self, project: str = "") -> Answer[list[Health]]:
        """List how rules fare."""
        return self._keep(("health", project), lambda: self._doors.reader.list_health(project))

    def states(self, rule: Rule) -> Answer[list[GroupState]]:
        """List the groups of a rule that are not simply ok."""
        key = ("states", rule.project, rule.rule_id)
        return self._keep(key, lambda: self._doors.reader.list_states(rule.project, rule.rule_id))

    def alerts(self, project: str) -> Answer[list[Alert]]:
        """List the newest alerts of a project."""
        return self._keep(
            ("alerts", project), lambda: self._doors.reader.list_alerts(project, limit=LISTED)
        )

    def deliveries(self, project: str) -> Answer[list[Delivery]]:
        """List the newest deliveries of a project."""
        return self._keep(
            ("deliveries", project),
            lambda: self._doors.reader.list_deliveries(project, limit=LISTED),
        )

    def try_out(self, project: str, definition: Definition) -> Findings:
        """Ask once what the rule asks; nothing is told to anybody.

        Raises:
            InvalidQuery: The rule is wrong, or takes more than it may.
            StoreUnavailable: No definite answer.
        """
        if self._doors.try_out is None:
            raise StoreUnavailable("this dashboard was started without SQL")
        return self._doors.try_out.find(project, definition, self._unix_us())

    def put(self, project: str, definition: Definition, by: str, *, replaces: Rule | None) -> Rule:
        """Store a rule, as a new one or in place of the one that was read.

        Raises:
            InvalidQuery: Another rule has the name, somebody changed this one in between, or what it
                asks could never work.
        """
        known = {rule.name: rule for rule in self._doors.reader.list_rules(project)}
        there = known.get(definition.name)
        if replaces is None and there is not None:
            raise InvalidQuery(f"there is a rule {definition.name} already", hint="another name")
        if replaces is not None and (
            there is None or (there.rule_id, there.version) != (replaces.rule_id, replaces.version)
        ):
            raise InvalidQuery(
                f"somebody changed the rule {replaces.name}", hint="look at it again"
            )
        self._check(project, definition)
        version = there.version + 1 if there else 1
        rule_id = there.rule_id if there else uuid4()
        rule = Rule(project, rule_id, definition, version, by, self._after(there))
        self._editor.put_rule(rule)
        self._changes += 1
        return rule

    def delete(self, rule: Rule, by: str) -> None:
        """Take a rule away; its alerts stay, what waits to be sent is given up."""
        states = self._doors.reader.list_states(rule.project, rule.rule_id)
        waiting = self._doors.reader.list_deliveries(
            rule.project, states=[DeliveryState.WAITING], rule=rule.name, limit=_MOST_WAITING
        )
        gone = replace(rule, by=by, at_unix_us=self._after(rule))
        self._editor.delete_rule(gone, states, waiting)
        self._changes += 1

    def retry(self, project: str, delivery_id: UUID) -> None:
        """Have a delivery that was given up tried again from the start."""
        delivery = self._doors.reader.get_delivery(project, delivery_id)
        if delivery is None or delivery.state is not DeliveryState.DEAD:
            raise InvalidQuery("this delivery is not dead any more", hint="look again")
        self._editor.put_deliveries([retried(delivery)])
        self._changes += 1

    def _check(self, project: str, definition: Definition) -> None:
        """Raise `InvalidQuery` for a SELECT that could never work; one that is merely slow may stay."""
        if definition.enabled and self.may_try:
            try:
                self.try_out(project, definition)
            except LimitReached:  # it is asked more seldom, and its owner sees why
                return

    def _after(self, before: Rule | None) -> int:
        """Return the moment of a change, never before that of the last one."""
        return max(self._unix_us(), before.at_unix_us + 1 if before else 0)

    def _keep(self, key: tuple[object, ...], read: Callable[[], T]) -> Answer[T]:
        return self._kept.ask((self._changes, *key), _FRESH_S, read)

    @property
    def _doors(self) -> RuleDoors:
        if self._given is None:
            raise StoreUnavailable("this dashboard was started without rules")
        return self._given

    @property
    def _editor(self) -> RuleWrites:
        if self._doors.editor is None:
            raise InvalidQuery("this dashboard may not change rules", hint="weir rules apply")
        return self._doors.editor
