"""Which rule is next: pure. One of a project at a time, and projects take turns.

So a project with many rules, or slow ones, has one place at most, and waits for its turn like all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from weir_store.rules.records import Definition, Rule

SHARE: Final = 10.0
"""A rule that takes long is evaluated so much more rarely that it works at most 1/10 of the time."""

MOST_EVERY_S: Final = 3_600.0


def every_s(definition: Definition, took_s: float, failures: int) -> float:
    """Return when a rule is due again, seconds from the begin of its last evaluation.

    Args:
        definition: Says what is wanted.
        took_s: How long the last one took.
        failures: How many in a row have failed: each doubles it, up to an hour.
    """
    wanted = max(definition.every_s, took_s * SHARE)
    if failures:
        wanted = max(wanted, min(MOST_EVERY_S, definition.every_s * 2.0 ** min(failures, 20)))
    return wanted


@dataclass(slots=True)
class _Turn:
    rule: Rule
    due_s: float
    running: bool = False


class Schedule:
    """Knows the rules and when each is due. Belongs to one thread."""

    def __init__(self) -> None:
        self._turns: dict[UUID, _Turn] = {}
        self._served_s: dict[str, float] = {}  # by project, when its last turn began

    def set_rules(self, rules: Iterable[Rule], due_s: Mapping[UUID, float], now_s: float) -> None:
        """Take up the rules as they are now.

        Args:
            rules: All that are enabled.
            due_s: Of rules that were evaluated before: when they are due.
            now_s: New rules, and those whose definition has changed, are due now.
        """
        before = self._turns
        self._turns = {}
        for rule in rules:
            was = before.get(rule.rule_id)
            if was is not None and was.rule.version == rule.version:
                self._turns[rule.rule_id] = was
                continue
            due = now_s if was is not None else due_s.get(rule.rule_id, now_s)
            running = was is not None and was.running
            self._turns[rule.rule_id] = _Turn(rule, due, running)
        for rule_id, was in before.items():
            if was.running and rule_id not in self._turns:
                self._turns[rule_id] = _Turn(was.rule, float("inf"), running=True)

    def take(self, now_s: float) -> Rule | None:
        """Return the rule that is next, and note that it runs; None when none is due."""
        busy = {turn.rule.project for turn in self._turns.values() if turn.running}
        due = [
            turn
            for turn in self._turns.values()
            if turn.due_s <= now_s and turn.rule.project not in busy
        ]
        if not due:
            return None
        served = self._served_s
        turn = min(due, key=lambda each: (served.get(each.rule.project, 0.0), each.due_s))
        turn.running = True
        served[turn.rule.project] = now_s
        return turn.rule

    def done(self, rule: Rule, due_s: float) -> None:
        """Note that its evaluation has ended, and when it is due again."""
        turn = self._turns.get(rule.rule_id)
        if turn is None:
            return
        turn.running = False
        if turn.rule.version == rule.version:
            turn.due_s = due_s if turn.due_s != float("inf") else turn.due_s

    def clear(self) -> None:
        """Forget everything."""
        self._turns.clear()
