"""Rules over a store in memory, for pages."""

from __future__ import annotations

import time
from uuid import UUID, uuid4

import pyarrow as pa

from tests.unit.dashboard.answering import Answering
from tests.unit.dashboard.ranked import Ranked
from tests.unit.dashboard.synthetic import SyntheticReader
from weir_dashboard.data_rules import RuleDoors, trying
from weir_store import columns, tables
from weir_store.memory import MemoryStore
from weir_store.rules.definition import definition_of
from weir_store.rules.editor import RuleEditor
from weir_store.rules.memory import MemoryRules
from weir_store.rules.records import (
    Delivery,
    DeliveryState,
    Group,
    GroupState,
    Health,
    RaisedAlert,
    Rule,
    State,
)

HOOK = "https://hooks.example/services/T0/B0/verysecret"


class Ruled:
    """A project's rules; `doors` is what a dashboard is given."""

    def __init__(self, project: str = "gpt-small", *, may_edit: bool = True) -> None:
        self.project = project
        self.store = MemoryStore()
        self.editor = RuleEditor(self.store)
        self.reader = MemoryRules(self.store)
        for number in range(5):
            self._run(f"r{number:04}")
        self.sql = Answering(
            pa.table({"run_id": ["r0004"], "value": [3.5], "message": ["was NaN"]})
        )
        self.doors = RuleDoors(
            self.reader,
            self.editor if may_edit else None,
            trying(self.sql, Ranked(SyntheticReader([]))),
        )

    def rule(self, name: str, **said: object) -> Rule:
        known = {"template": "nan"} if "sql" not in said and "template" not in said else {}
        made = definition_of({"name": name, **known, **said})
        rule = Rule(self.project, uuid4(), made, 1, "ada", _now_us())
        self.editor.put_rule(rule)
        return rule

    def health(self, rule: Rule, **more: object) -> None:
        known = {"version": 1, "evaluated_unix_us": _now_us(), "took_s": 0.012, "every_s": 30.0, "evaluations": 40,
                 "spent_s": 0.5}  # fmt: skip
        self.editor.put_health([Health(rule.project, rule.rule_id, **{**known, **more})])  # type: ignore[arg-type]

    def fire(self, rule: Rule, *run_ids: str, dead: bool = False) -> list[UUID]:
        """Let it fire for these runs, and its first action be delivered or die."""
        deliveries = []
        for run_id in run_ids:
            alert = RaisedAlert(
                uuid4(),
                run_id,
                0,
                "error",
                f"{rule.name} fires",
                "train/loss was NaN",
                {},
                _now_us(),
            )
            state = GroupState(
                Group(run_id), State.FIRING, _now_us(), 3.5, "was NaN", alert.alert_id, told=True
            )
            made = [
                Delivery(
                    rule.project, uuid4(), rule.rule_id, rule.name, alert.alert_id, run_id, action, {}, _now_us(),
                    *((DeliveryState.DEAD, 5, "500 from hooks.example") if dead else (DeliveryState.DELIVERED, 1)),
                )
                for action in rule.definition.actions
            ]  # fmt: skip
            self.editor.raise_alerts(rule, [alert], made, [state], _now_us())
            deliveries += made
        return [one.delivery_id for one in deliveries]

    def _run(self, run_id: str) -> None:
        row = {
            "project": self.project,
            "run_id": run_id,
            "created_at": 1,
            "ver": 1,
            "is_deleted": 0,
        }
        rows = pa.Table.from_pylist([row], schema=columns.BY_TABLE[tables.RUNS])
        self.store.insert({tables.RUNS: rows}, run_id)


def _now_us() -> int:
    return int(time.time() * 1e6)
