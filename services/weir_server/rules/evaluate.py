"""One evaluation of one rule: ask, judge, note, tell, confirm.

    states ─▶ owed? tell ─▶ ask ─▶ judge ─▶ note (told = 0) ─▶ tell: events, deliveries, told = 1

Whatever goes wrong in between, the next evaluation begins with what is owed, of this process or the
next one: an alert that was noted is raised, under the same id, and no other is raised for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from weir_server import fault
from weir_server.clock import Clock
from weir_server.log import get_logger
from weir_server.rules.schedule import every_s
from weir_server.rules.telling import tell_of, tell_of_end
from weir_server.telemetry import RULES_ALERTS, RULES_EVALUATIONS, RULES_SECONDS
from weir_store.errors import InvalidQuery
from weir_store.rules.ask import Asking
from weir_store.rules.base import RuleReader
from weir_store.rules.editor import RuleEditor
from weir_store.rules.judge import judge
from weir_store.rules.records import (
    Delivery,
    Findings,
    Group,
    GroupState,
    Health,
    Rule,
    firing,
)

_States = dict[Group, GroupState]
_MOST_ERROR = 1_000


class Evaluator:
    """Evaluates rules, each by one thread at a time. Knows their states while nobody else may change them.

    Args:
        reader: Where states are read from, once.
        editor: Where they go.
        asking: How rules are asked.
        clock: Time.
        require: Raises unless this process may still write; called before each write.
        offer: Told of new deliveries, once they are stored.
    """

    def __init__(
        self,
        reader: RuleReader,
        editor: RuleEditor,
        asking: Asking,
        clock: Clock,
        require: Callable[[], None],
        offer: Callable[[Sequence[Delivery]], None],
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._asking = asking
        self._clock = clock
        self._require = require
        self._offer = offer
        self._lock = threading.Lock()  # guards the mappings; a rule's states are its evaluation's
        self._states: dict[UUID, _States] = {}
        self._newest_us: dict[UUID, int] = {}

    def forget(self, rule_ids: Iterable[UUID] | None = None) -> None:
        """Forget the states of these rules, or all: they are read anew when needed."""
        with self._lock:
            for rule_id in list(self._states) if rule_ids is None else rule_ids:
                self._states.pop(rule_id, None)

    def evaluate(self, rule: Rule, before: Health) -> Health:
        """Evaluate once; return how the rule fares now.

        Raises:
            StoreError: No definite answer, and nothing that says anything about the rule.
            NotOurs: Another process evaluates rules by now.
        """
        started_s, now_unix_us = self._clock.monotonic_s(), self._clock.unix_us()
        error, findings = "", Findings(())
        try:
            findings = self._evaluate(rule)
            RULES_EVALUATIONS.labels("ok").inc()
        except InvalidQuery as wrong:
            error = str(wrong)[:_MOST_ERROR]
            RULES_EVALUATIONS.labels("wrong").inc()
        except Exception:
            RULES_EVALUATIONS.labels("undecided").inc()
            self.forget([rule.rule_id])  # what was stored of it, nobody knows
            raise
        took_s = self._clock.monotonic_s() - started_s
        RULES_SECONDS.observe(took_s)
        failures = before.failures + 1 if error else 0
        states = self._states.get(rule.rule_id, {}).values()
        return Health(
            project=rule.project,
            rule_id=rule.rule_id,
            version=rule.version,
            evaluated_unix_us=now_unix_us,
            took_s=took_s,
            groups=len(findings.found),
            firing=firing(list(states)),
            is_cut=findings.is_cut,
            error=error,
            failures=failures,
            every_s=every_s(rule.definition, took_s, failures),
            evaluations=before.evaluations + 1,
            spent_s=before.spent_s + took_s,
        )

    # ── below ─────────────────────────────────────────────────────────────

    def _evaluate(self, rule: Rule) -> Findings:
        states = self._known(rule)
        self._tell(rule, states, [each for each in states.values() if each.is_owed])
        findings = self._asking.find(rule.project, rule.definition, self._clock.unix_us())
        self._settle(rule, states, findings)
        return findings

    def _known(self, rule: Rule) -> _States:
        with self._lock:
            if rule.rule_id in self._states:
                return self._states[rule.rule_id]
        found = self._reader.list_states(rule.project, rule.rule_id)
        moments = (max(each.since_unix_us, each.told_unix_us) for each in found)
        with self._lock:
            newest_us = max([self._newest_us.get(rule.rule_id, 0), *moments])
            self._newest_us[rule.rule_id] = newest_us
            self._states[rule.rule_id] = {each.group: each for each in found}
            return self._states[rule.rule_id]

    def _moment(self, rule: Rule) -> int:
        """Return now, and in any case later than what is stored: the newest version wins."""
        with self._lock:
            last_us = self._newest_us.get(rule.rule_id, 0)
            self._newest_us[rule.rule_id] = now_us = max(self._clock.unix_us(), last_us + 1)
            return now_us

    def _settle(self, rule: Rule, states: _States, findings: Findings) -> None:
        now_us = self._moment(rule)
        found = judge(rule.definition, states, findings, now_us)
        if not (found.changed or found.forgotten):
            return
        ends = tell_of_end(rule, found.resolved, now_us)
        self._require()
        # Before the states: who comes after a crash in between finds the groups firing, and tells again
        # of their end, under the same ids.
        self._editor.put_deliveries(ends)
        self._editor.put_states(rule, found.changed, now_us, forgotten=found.forgotten)
        fault.hit("rules.after_note")
        for each in found.changed:
            states[each.group] = each
        for group in found.forgotten:
            states.pop(group, None)
        self._offer(ends)
        self._tell(rule, states, found.fired)

    def _tell(self, rule: Rule, states: _States, fired: Sequence[GroupState]) -> None:
        if not fired:
            return
        now_us = self._moment(rule)
        telling = tell_of(rule, fired, now_us)
        self._require()
        self._editor.raise_alerts(rule, telling.alerts, telling.deliveries, telling.told, now_us)
        fault.hit("rules.after_alert")
        for each in telling.told:
            states[each.group] = each
        RULES_ALERTS.inc(len(telling.alerts))
        get_logger().info(
            "alert", project=rule.project, rule=rule.name, groups=len(fired),
            alerts=len(telling.alerts), deliveries=len(telling.deliveries),
        )  # fmt: skip
        self._offer(telling.deliveries)
