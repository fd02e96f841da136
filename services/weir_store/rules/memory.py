"""Rules in memory: `RuleReader` over the rows of `MemoryStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from weir_store import tables
from weir_store.memory import MemoryStore, Row
from weir_store.memory_events import event_of
from weir_store.memory_rows import unix_us
from weir_store.rules import rows
from weir_store.rules.records import (
    ALERT,
    Alert,
    Delivery,
    DeliveryState,
    GroupState,
    Health,
    Rule,
)


class MemoryRules:
    """Implements base.RuleReader."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def list_rules(self, project: str = "") -> list[Rule]:
        """See `base.RuleReader.list_rules`."""
        found = self._of(tables.RULES, project)
        return [rows.rule_of(_told(row, rows.RULE_COLUMNS)) for row in found]

    def list_states(self, project: str, rule_id: UUID) -> list[GroupState]:
        """See `base.RuleReader.list_states`."""
        return [
            rows.state_of(_told(row, rows.STATE_COLUMNS))
            for row in self._of(tables.RULE_STATES, project)
            if row["rule_id"] == rule_id.bytes
        ]

    def list_health(self, project: str = "") -> list[Health]:
        """See `base.RuleReader.list_health`."""
        found = self._of(tables.RULE_HEALTH, project)
        return [rows.health_of(_told(row, rows.HEALTH_COLUMNS)) for row in found]

    def list_deliveries(
        self,
        project: str = "",
        *,
        states: Sequence[DeliveryState] = (),
        rule: str = "",
        limit: int = 1_000,
    ) -> list[Delivery]:
        """See `base.RuleReader.list_deliveries`."""
        found = [
            rows.delivery_of(_told(row, rows.DELIVERY_COLUMNS))
            for row in self._of(tables.DELIVERIES, project)
        ]
        found = [
            each
            for each in found
            if (not states or each.state in states) and rule in ("", each.rule)
        ]
        found.sort(key=lambda each: (-each.at_unix_us, str(each.delivery_id)))
        return found[:limit]

    def get_delivery(self, project: str, delivery_id: UUID) -> Delivery | None:
        """See `base.RuleReader.get_delivery`."""
        found = self.list_deliveries(project)
        return next((each for each in found if each.delivery_id == delivery_id), None)

    def list_alerts(
        self, project: str, *, run_id: str = "", rule: str = "", limit: int = 100
    ) -> list[Alert]:
        """See `base.RuleReader.list_alerts`."""
        live = {"", *(row["run_id"] for row in self._of(tables.RUNS, project))}
        found = [
            Alert(project, row["run_id"], row["source"], event_of(row))
            for row in self._of(tables.EVENTS, project)
            if row["kind"] == ALERT
            and row["run_id"] in live
            and run_id in ("", row["run_id"])
            and rule in ("", row["attrs"].get("rule", ""))
        ]
        found.sort(key=lambda each: (-each.event.time_unix_us, str(each.event.event_id)))
        return found[:limit]

    def _of(self, table: str, project: str) -> list[Row]:
        return [row for row in self._store.list_rows(table) if project in ("", row["project"])]


def _told(row: Row, names: Sequence[str]) -> list[Any]:
    return [unix_us(row[name]) if name in rows.TIMES else row[name] for name in names]
