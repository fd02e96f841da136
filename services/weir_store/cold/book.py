"""Which runs are cold, and which rules make them so."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Inserter
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import ColdRule, ColdRun, files_json, files_of
from weir_store.parameters import Parameters
from weir_store.reader_live import of_runs
from weir_store.records import RunRef


def cold_among(clickhouse: ClickHouse, raw_database: str, runs: Sequence[RunRef]) -> list[RunRef]:
    """Return those of the runs that are cold."""
    if not runs:
        return []
    parameters = Parameters()
    sql = f"""
SELECT project, run_id FROM {raw_database}.{tables.COLD_RUNS} FINAL WHERE {of_runs(runs, parameters)}"""
    return [RunRef(*row) for row in clickhouse.query_rows(sql, parameters.values)]


class ColdBook:
    """The book; every method may raise `StoreUnavailable`. Holds no state: safe from any thread."""

    def __init__(self, clickhouse: ClickHouse, database: str, inserter: Inserter) -> None:
        """Prepare.

        Args:
            clickhouse: May read the tables.
            database: As in the settings; the tables are in `<database>_raw`.
            inserter: Writes.
        """
        self._clickhouse = clickhouse
        self._raw = tables.raw_database(database)
        self._inserter = inserter

    def put(self, cold: ColdRun, now_unix_us: int, *, thawed: bool = False) -> None:
        """Say that a run is cold from now on, or no longer."""
        row = {
            "project": cold.ref.project,
            "run_id": cold.ref.run_id,
            "roll_id": cold.roll_id.bytes,
            "files": files_json(cold.files),
            "rows": cold.rows,
            "size_bytes": cold.size_bytes,
            "by": cold.by,
            "at": cold.at_unix_us,
            # Clocks of two gateways may differ: what is written later is newer whatever they say.
            "ver": max(now_unix_us, self._newest(cold.ref) + 1),
            "is_deleted": int(thawed),
        }
        self._insert(tables.COLD_RUNS, row)

    def get(self, ref: RunRef) -> ColdRun | None:
        """Return a run that is cold, `None` when it is not."""
        parameters = Parameters()
        found = self._cold(of_runs([ref], parameters), parameters)
        return found[0] if found else None

    def list_cold(self, project: str = "") -> list[ColdRun]:
        """Return the cold runs of a project, or of all, by name."""
        parameters = Parameters()
        where = f"project = {parameters.text(project)}" if project else "true"
        return self._cold(where, parameters)

    def put_rule(self, rule: ColdRule, *, removed: bool = False) -> None:
        """Make a rule count from now on, or no longer."""
        row = {
            "project": rule.project,
            "after_s": rule.after_s,
            "by": rule.by,
            "at": rule.at_unix_us,
            "ver": rule.at_unix_us,
            "is_deleted": int(removed),
        }
        self._insert(tables.COLD_RULES, row)

    def list_rules(self, project: str = "") -> list[ColdRule]:
        """Return the rule of a project, or those of all."""
        parameters = Parameters()
        where = f"project = {parameters.text(project)}" if project else "true"
        sql = f"""
SELECT project, after_s, by, toUnixTimestamp64Micro(at)
FROM {self._raw}.{tables.COLD_RULES} FINAL WHERE {where} ORDER BY project"""
        return [ColdRule(*row) for row in self._clickhouse.query_rows(sql, parameters.values)]

    def _cold(self, where: str, parameters: Parameters) -> list[ColdRun]:
        sql = f"""
SELECT project, run_id, toString(roll_id), files, by, toUnixTimestamp64Micro(at)
FROM {self._raw}.{tables.COLD_RUNS} FINAL WHERE {where} ORDER BY project, run_id"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [
            ColdRun(RunRef(project, run_id), UUID(roll_id), files_of(files), by, at)
            for project, run_id, roll_id, files, by, at in rows
        ]

    def _newest(self, ref: RunRef) -> int:
        parameters = Parameters()
        sql = f"SELECT max(ver) FROM {self._raw}.{tables.COLD_RUNS} WHERE {of_runs([ref], parameters)}"
        return int(self._clickhouse.query_rows(sql, parameters.values)[0][0])

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        rows = pa.Table.from_pylist([row], schema=columns.BY_TABLE[table])
        self._inserter.insert({table: rows}, uuid.uuid4().hex)
