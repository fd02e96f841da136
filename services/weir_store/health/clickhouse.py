"""Asking ClickHouse how a Weir fares: sums over its small tables, and its own `system` tables."""

from __future__ import annotations

from typing import Final

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.health.base import (
    Allowed,
    Book,
    DeadReason,
    Disk,
    Flow,
    Loss,
    NodeHeard,
    Nonfinite,
    StoreState,
    TableSize,
)
from weir_store.parameters import Parameters
from weir_store.records import Kind, RunRef
from weir_store.run_state import SILENT_AFTER_S, lives_sql

STEADY_METRIC: Final = "cpu.percent"
"""Every agent samples it on every node, so its newest sample tells how far the node's spool is."""

_ACCOUNTS: Final = ("sent", "rejected", "dead", "gap", "dropped", "refused")
_LOST: Final = ("rejected", "dead", "gap", "dropped")


class ClickHouseHealth:
    """Implements `base.HealthReader`; holds no state but the connection."""

    def __init__(self, clickhouse: ClickHouse, database: str = "weir") -> None:
        self._clickhouse = clickhouse
        self._raw = tables.raw_database(database)

    def read_flow(self) -> Flow:
        """Return how much has come; see `HealthReader.read_flow`."""
        p = Parameters()
        sql = f"""
SELECT
  (SELECT toUnixTimestamp64Milli(max(at)) * 1000 FROM {self._raw}.ingest_commits),
  (SELECT sum(rows) FROM system.parts
   WHERE active AND database = {p.text(self._raw)} AND table = {p.text(tables.POINTS)})"""
        ((accepted, points),) = self._clickhouse.query_rows(sql, p.values)
        return Flow(max(0, accepted), points)

    def list_books(self, allowed: Allowed = None) -> list[Book]:
        """Return the accounts by kind; see `HealthReader.list_books`."""
        p = Parameters()
        sums = ", ".join(f"sumIf(count, account = '{name}')" for name in _ACCOUNTS)
        sql = f"""
SELECT toString(kind), {sums} FROM {self._raw}.ledger FINAL
WHERE {self._live(allowed, p)} GROUP BY kind ORDER BY toInt8(kind)"""
        rows = self._clickhouse.query_rows(sql, p.values)
        return [Book(Kind(kind), *counts) for kind, *counts in rows]

    def list_losses(self, allowed: Allowed = None, *, limit: int = 100) -> list[Loss]:
        """Return runs that lost something; see `HealthReader.list_losses`."""
        p = Parameters()
        sums = ", ".join(f"sumIf(count, account = '{name}') AS {name}" for name in _LOST)
        sql = f"""
SELECT project, run_id, {sums} FROM {self._raw}.ledger FINAL
WHERE account IN {_LOST} AND {self._live(allowed, p)}
GROUP BY project, run_id HAVING {" + ".join(_LOST)} > 0
ORDER BY {" + ".join(_LOST)} DESC, project, run_id LIMIT {limit}"""
        rows = self._clickhouse.query_rows(sql, p.values)
        return [Loss(RunRef(project, run_id), *counts) for project, run_id, *counts in rows]

    def list_dead(self, allowed: Allowed = None, *, limit: int = 100) -> list[DeadReason]:
        """Return dead letters that wait; see `HealthReader.list_dead`."""
        p = Parameters()
        sql = f"""
SELECT project, reason, count(), toUnixTimestamp64Milli(max(at)) * 1000 AS newest
FROM {self._raw}.dead_letters FINAL WHERE state = 'kept' AND {self._live(allowed, p)}
GROUP BY project, reason ORDER BY newest DESC, project, reason LIMIT {limit}"""
        return [DeadReason(*row) for row in self._clickhouse.query_rows(sql, p.values)]

    def list_nodes(
        self, now_unix_us: int, since_unix_us: int, allowed: Allowed = None
    ) -> list[NodeHeard]:
        """Return nodes that run something; see `HealthReader.list_nodes`."""
        p = Parameters()
        alive = p.whole(now_unix_us - SILENT_AFTER_S * 1_000_000)
        lives = lives_sql(self._raw, self._live(allowed, p), alive)
        running = f"""
SELECT project, run_id, node, role = 'agent' AS is_agent, silent, seen_us FROM ({lives})
WHERE state = 'running' AND node != '' AND seen_us >= {p.whole(since_unix_us)}"""
        sql = f"""
SELECT lives.node AS node, uniqExact(project, run_id), countIf(NOT is_agent), countIf(NOT is_agent AND silent),
  max(seen_us) AS heard, any(samples.sampled) AS sampled, maxIf(seen_us, is_agent)
FROM ({running}) AS lives LEFT JOIN (
  SELECT node, max(toUnixTimestamp64Micro(ts)) AS sampled FROM {self._raw}.system_points
  WHERE metric = {p.text(STEADY_METRIC)} AND (project, run_id) IN (SELECT project, run_id FROM ({running}))
  GROUP BY node) AS samples ON lives.node = samples.node
GROUP BY lives.node HAVING countIf(NOT is_agent) > 0 ORDER BY heard, node"""
        return [NodeHeard(*row) for row in self._clickhouse.query_rows(sql, p.values)]

    def list_nonfinite(
        self, since_unix_us: int, allowed: Allowed = None, *, limit: int = 20
    ) -> list[Nonfinite]:
        """Return runs with NaN or ±Inf; see `HealthReader.list_nonfinite`."""
        p = Parameters()
        sql = f"""
SELECT project, run_id, argMin(metric, (position(metric, 'loss') = 0, metric)), uniqExact(metric),
  toUnixTimestamp64Micro(max(max_ts)) AS newest
FROM {self._raw}.series
WHERE (has_nan OR has_pos_inf OR has_neg_inf) AND {self._live(allowed, p)}
GROUP BY project, run_id HAVING newest >= {p.whole(since_unix_us)}
ORDER BY newest DESC, project, run_id LIMIT {limit}"""
        rows = self._clickhouse.query_rows(sql, p.values)
        return [Nonfinite(RunRef(project, run_id), *rest) for project, run_id, *rest in rows]

    def read_store(self) -> StoreState:
        """Return how large the store is; see `HealthReader.read_store`."""
        p = Parameters()
        ((version, uptime_s, schema),) = self._clickhouse.query_rows(
            f"""
SELECT version(), uptime(), (SELECT concat(toString(max(number)), ' ', argMax(name, number))
  FROM {self._raw}.{tables.SCHEMA_VERSIONS})"""
        )
        sizes = self._clickhouse.query_rows(
            f"""
SELECT table, sum(rows), sum(bytes_on_disk) AS bytes, count() FROM system.parts
WHERE active AND database = {p.text(self._raw)} GROUP BY table ORDER BY bytes DESC, table""",
            p.values,
        )
        disks = self._clickhouse.query_rows(
            "SELECT name, path, free_space, total_space FROM system.disks ORDER BY name"
        )
        return StoreState(
            version,
            uptime_s,
            schema,
            tuple(TableSize(*row) for row in sizes),
            tuple(Disk(*row) for row in disks),
        )

    def _live(self, allowed: Allowed, p: Parameters) -> str:
        """Return the condition that a row is of a run that exists, and may be seen."""
        seen = "" if allowed is None else f" AND project IN {p.texts(allowed)}"
        runs = f"SELECT project, run_id FROM {self._raw}.{tables.RUNS} FINAL"
        return f"(project, run_id) IN ({runs}){seen}"
