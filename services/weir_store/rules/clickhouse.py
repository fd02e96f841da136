"""Rules in ClickHouse: `RuleReader` over the tables of 0007_rules.sql."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.reader_events import EVENT_COLUMNS, event_of
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


class ClickHouseRules:
    """Implements base.RuleReader."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)

    def list_rules(self, project: str = "") -> list[Rule]:
        """See `base.RuleReader.list_rules`."""
        p = Parameters()
        sql = f"""
SELECT {_told(rows.RULE_COLUMNS)} FROM {self._table(tables.RULES)} AS t FINAL
{_of(project, p)} ORDER BY project, name"""
        return [rows.rule_of(row) for row in self._rows(sql, p)]

    def list_states(self, project: str, rule_id: UUID) -> list[GroupState]:
        """See `base.RuleReader.list_states`."""
        p = Parameters()
        sql = f"""
SELECT {_told(rows.STATE_COLUMNS)} FROM {self._table(tables.RULE_STATES)} AS t FINAL
WHERE project = {p.text(project)} AND rule_id = toUUID({p.text(str(rule_id))})
ORDER BY run_id, rank, node"""
        return [rows.state_of(row) for row in self._rows(sql, p)]

    def list_health(self, project: str = "") -> list[Health]:
        """See `base.RuleReader.list_health`."""
        p = Parameters()
        sql = f"""
SELECT {_told(rows.HEALTH_COLUMNS)} FROM {self._table(tables.RULE_HEALTH)} AS t FINAL
{_of(project, p)} ORDER BY project, rule_id"""
        return [rows.health_of(row) for row in self._rows(sql, p)]

    def list_deliveries(
        self,
        project: str = "",
        *,
        states: Sequence[DeliveryState] = (),
        rule: str = "",
        limit: int = 1_000,
    ) -> list[Delivery]:
        """See `base.RuleReader.list_deliveries`."""
        p = Parameters()
        where = self._in_states([each.value for each in states], p) if states else []
        where += [f"t.rule = {p.text(rule)}"] if rule else []
        where += [f"t.project = {p.text(project)}"] if project else []
        return self._deliveries(" AND ".join(where) or "1", p, limit)

    def get_delivery(self, project: str, delivery_id: UUID) -> Delivery | None:
        """See `base.RuleReader.get_delivery`."""
        p = Parameters()
        where = f"project = {p.text(project)} AND delivery_id = toUUID({p.text(str(delivery_id))})"
        found = self._deliveries(where, p, 1)
        return found[0] if found else None

    def list_alerts(
        self, project: str, *, run_id: str = "", rule: str = "", limit: int = 100
    ) -> list[Alert]:
        """See `base.RuleReader.list_alerts`."""
        p = Parameters()
        where = f"project = {p.text(project)} AND kind = '{ALERT}'"
        where += f" AND run_id = {p.text(run_id)}" if run_id else ""
        where += f" AND attrs['rule'] = {p.text(rule)}" if rule else ""
        sql = f"""
SELECT run_id, source, {EVENT_COLUMNS} FROM {self._table(tables.EVENTS)} FINAL
WHERE {where} AND (run_id = '' OR run_id IN (
  SELECT run_id FROM {self._table(tables.RUNS)} FINAL WHERE project = {p.text(project)}))
ORDER BY ts DESC, toString(event_id) LIMIT {limit:d}"""
        return [
            Alert(project, run, source, event_of(*event))
            for run, source, *event in self._rows(sql, p)
        ]

    def _in_states(self, states: list[str], p: Parameters) -> list[str]:
        """The newest row is in one of these states; those that never were are not even read."""
        among = p.texts(states)
        ever = f"SELECT delivery_id FROM {self._table(tables.DELIVERIES)} WHERE state IN {among}"
        return [f"t.state IN {among}", f"t.delivery_id IN ({ever})"]

    def _deliveries(self, where: str, p: Parameters, limit: int) -> list[Delivery]:
        sql = f"""
SELECT {_told(rows.DELIVERY_COLUMNS)} FROM {self._table(tables.DELIVERIES)} AS t FINAL
WHERE {where} ORDER BY t.at DESC, toString(t.delivery_id) LIMIT {limit:d}"""
        return [rows.delivery_of(row) for row in self._rows(sql, p)]

    def _table(self, name: str) -> str:
        return f"{self._database}.{name}"

    def _rows(self, sql: str, p: Parameters) -> list[tuple[Any, ...]]:
        return self._clickhouse.query_rows(sql, p.values)


def _of(project: str, p: Parameters) -> str:
    return f"WHERE project = {p.text(project)}" if project else ""


def _told(names: Sequence[str]) -> str:
    return ", ".join(
        f"toUnixTimestamp64Micro(t.{name})" if name in rows.TIMES else f"t.{name}" for name in names
    )
