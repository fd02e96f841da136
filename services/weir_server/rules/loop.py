"""The turns of the rules process: look up rules, evaluate what is due, deliver what waits.

One thread turns; evaluations and deliveries have threads of their own, so that a slow rule or an
address that hangs holds up neither the turns nor other projects.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final
from uuid import UUID

from weir_server.clock import Clock
from weir_server.errors import StreamUnavailable
from weir_server.log import get_logger
from weir_server.rules.deliver import Deliverer
from weir_server.rules.evaluate import Evaluator
from weir_server.rules.schedule import Schedule
from weir_server.rules.tenure import NotOurs, Tenure
from weir_store.errors import StoreError
from weir_store.rules.base import RuleReader
from weir_store.rules.editor import RuleEditor
from weir_store.rules.records import DeliveryState, Health, Rule

TURN_S: Final = 0.1
HEALTH_EVERY_S: Final = 5.0
_MOST_WAITING: Final = 10_000
_AFTER_FAILURE_S: Final = 2.0
_HANGS_AFTER_S: Final = 60.0


class RulesLoop:
    """Serves until `stop` is set, over every outage of Redis and the store.

    Args:
        reader: Rules, deliveries, health.
        editor: Where health goes.
        evaluator: Evaluates one rule.
        deliverer: Carries out actions.
        tenure: Whether it is us.
        clock: Time.
        stop: Set from outside.
        at_once: Evaluations at once.
        poll_s: How often rules and deliveries are looked up.
    """

    def __init__(
        self,
        reader: RuleReader,
        editor: RuleEditor,
        evaluator: Evaluator,
        deliverer: Deliverer,
        tenure: Tenure,
        clock: Clock,
        stop: threading.Event,
        *,
        at_once: int,
        poll_s: float,
    ) -> None:
        self._reader = reader
        self._editor = editor
        self._evaluator = evaluator
        self._deliverer = deliverer
        self._tenure = tenure
        self._clock = clock
        self._stop = stop
        self._at_once = at_once
        self._poll_s = poll_s
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="weir-rule")
        self._schedule = Schedule()
        self._running: dict[Future[Health], tuple[Rule, float]] = {}
        self._health: dict[UUID, Health] = {}
        self._unsaved: dict[UUID, Health] = {}
        self._known: dict[UUID, Rule] = {}
        self._times = 0
        self._turned_s = clock.monotonic_s()
        self._poll_due_s = self._health_due_s = float("-inf")

    @property
    def alive(self) -> bool:
        """Whether it turns; an answer of the store is waited for at most half of that time."""
        return self._clock.monotonic_s() - self._turned_s < _HANGS_AFTER_S

    def run(self) -> None:
        """Turn until told to stop, then let what is under way end."""
        self._tenure.start()
        try:
            while not self._stop.wait(TURN_S):
                self._turned_s = self._clock.monotonic_s()
                try:
                    self._turn()
                except (StoreError, StreamUnavailable) as error:
                    get_logger().warning("no answer, will come back", error=str(error))
                    self._stop.wait(_AFTER_FAILURE_S)
                except NotOurs:
                    get_logger().warning("another process evaluates the rules now")
                except Exception:  # noqa: BLE001  a bug must not quietly end all rules
                    get_logger().exception("turn failed, starting over")
                    self._stop.wait(_AFTER_FAILURE_S)
        finally:
            self._end()

    # ── one turn ──────────────────────────────────────────────────────────

    def _turn(self) -> None:
        self._collect()
        if not self._tenure.held:
            self._times = 0
            return
        if self._times != self._tenure.times:
            if self._running:  # what began before must not meet what begins now
                return
            self._begin_anew()
        now_s = self._clock.monotonic_s()
        if now_s >= self._poll_due_s:
            self._look_up(now_s)
            self._poll_due_s = now_s + self._poll_s
        self._start_due(now_s)
        self._deliverer.poll()
        if now_s >= self._health_due_s:
            self._save_health()
            self._health_due_s = now_s + HEALTH_EVERY_S

    def _begin_anew(self) -> None:
        """Know nothing: another process may have changed everything meanwhile."""
        self._schedule.clear()
        self._evaluator.forget()
        self._deliverer.forget()
        self._unsaved.clear()
        self._known.clear()
        self._health = {each.rule_id: each for each in self._reader.list_health()}
        self._poll_due_s = float("-inf")
        self._times = self._tenure.times
        get_logger().info("evaluating rules", known=len(self._health))

    def _look_up(self, now_s: float) -> None:
        rules = {each.rule_id: each for each in self._reader.list_rules()}
        gone = [rule_id for rule_id in self._known if rule_id not in rules]
        self._evaluator.forget(gone)
        for rule_id in gone:
            self._health.pop(rule_id, None)
            self._unsaved.pop(rule_id, None)
        self._known = rules
        enabled = [rule for rule in rules.values() if rule.definition.enabled]
        self._schedule.set_rules(enabled, self._due(now_s), now_s)
        waiting = self._reader.list_deliveries(states=[DeliveryState.WAITING], limit=_MOST_WAITING)
        self._deliverer.offer(reversed(waiting))

    def _due(self, now_s: float) -> dict[UUID, float]:
        """Return when rules that another process evaluated are due: as if it had been us."""
        now_us = self._clock.unix_us()
        return {
            rule_id: now_s + max(0.0, each.every_s - (now_us - each.evaluated_unix_us) / 1e6)
            for rule_id, each in self._health.items()
            if rule_id in self._known and self._known[rule_id].version == each.version
        }

    def _start_due(self, now_s: float) -> None:
        while len(self._running) < self._at_once and (rule := self._schedule.take(now_s)):
            before = self._health.get(rule.rule_id, Health(rule.project, rule.rule_id))
            if before.version != rule.version:
                before = Health(
                    rule.project, rule.rule_id, evaluations=before.evaluations,
                    spent_s=before.spent_s,
                )  # fmt: skip
            future = self._pool.submit(self._evaluator.evaluate, rule, before)
            self._running[future] = rule, now_s

    def _collect(self) -> None:
        for future in [future for future in self._running if future.done()]:
            rule, began_s = self._running.pop(future)
            due_s = self._clock.monotonic_s() + rule.definition.every_s
            try:
                health = future.result()
                due_s = began_s + health.every_s
                self._note(health)
            except (
                StoreError,
                NotOurs,
            ) as error:  # nothing was decided, and the rule is not to blame
                get_logger().warning("rule not evaluated", rule=rule.name, problem=str(error))
            except Exception:  # noqa: BLE001  one rule must not end the others
                get_logger().exception("rule not evaluated", project=rule.project, rule=rule.name)
            finally:
                self._schedule.done(rule, due_s)

    def _note(self, health: Health) -> None:
        before = self._health.get(health.rule_id)
        self._health[health.rule_id] = self._unsaved[health.rule_id] = health
        if before is None or before.error != health.error or before.firing != health.firing:
            self._health_due_s = float("-inf")  # its owner waits for that

    def _save_health(self) -> None:
        if not self._unsaved:
            return
        self._tenure.require()
        saved: Sequence[Health] = list(self._unsaved.values())
        self._editor.put_health(saved)
        for each in saved:
            if self._unsaved.get(each.rule_id) is each:
                del self._unsaved[each.rule_id]

    def _end(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        try:
            for future, (rule, _) in self._running.items():
                if future.done() and not future.cancelled() and future.exception() is None:
                    self._unsaved[rule.rule_id] = future.result()
            self._deliverer.close()
            self._save_health()
        except (StoreError, NotOurs) as error:
            get_logger().warning("what was done last is not noted", problem=str(error))
        self._tenure.close()
