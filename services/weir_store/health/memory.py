"""How a Weir in memory fares: plain loops over rows, as the model that ClickHouse is judged by."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from weir_store import columns, tables
from weir_store.health.base import (
    Allowed,
    Book,
    DeadReason,
    Flow,
    Loss,
    NodeHeard,
    Nonfinite,
    StoreState,
    TableSize,
)
from weir_store.health.clickhouse import STEADY_METRIC
from weir_store.memory import MemoryStore, Row
from weir_store.memory_rows import unix_us
from weir_store.records import Kind, RunRef
from weir_store.run_state import SILENT_AFTER_S

_FIELDS: Final = {"gap": "gap_frames"}  # an account's name in a book, where it is another


class MemoryHealth:
    """Implements `base.HealthReader`; what each method promises stands there."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def read_flow(self) -> Flow:
        """Return how much has come."""
        seen = [unix_us(row["at"]) for row in self._store.list_rows(tables.INGEST_COMMITS)]
        return Flow(max(seen, default=0), len(self._store.list_rows(tables.POINTS)))

    def list_books(self, allowed: Allowed = None) -> list[Book]:
        """Return the accounts by kind."""
        found = self._accounts(lambda row: row["kind"], allowed)
        return [Book(kind, **found[kind.value]) for kind in Kind if kind.value in found]

    def list_losses(self, allowed: Allowed = None, *, limit: int = 100) -> list[Loss]:
        """Return runs that lost something."""
        found = self._accounts(_ref, allowed)
        losses = [
            Loss(ref, sums["rejected"], sums["dead"], sums["gap_frames"], sums["dropped"])
            for ref, sums in found.items()
        ]
        losses = [one for one in losses if _lost(one)]
        return sorted(losses, key=lambda one: (-_lost(one), one.ref))[:limit]

    def list_dead(self, allowed: Allowed = None, *, limit: int = 100) -> list[DeadReason]:
        """Return dead letters that wait."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for row in self._rows(tables.DEAD_LETTERS, allowed):
            if row["state"] == "kept":
                found[row["project"], row["reason"]].append(unix_us(row["at"]))
        letters = [DeadReason(*key, len(times), max(times)) for key, times in found.items()]
        letters.sort(key=lambda one: (-one.newest_unix_us, one.project, one.reason))
        return letters[:limit]

    def list_nodes(
        self, now_unix_us: int, since_unix_us: int, allowed: Allowed = None
    ) -> list[NodeHeard]:
        """Return nodes that run something."""
        seen = {
            (_ref(row), row["producer"]): unix_us(row["at"])
            for row in self._rows(tables.INGEST_COMMITS, allowed)
        }
        lives: dict[str, list[tuple[Row, int]]] = defaultdict(list)
        for row in self._rows(tables.SESSIONS, allowed):
            never = max(unix_us(row["started_at"]), unix_us(row["updated_at"]))
            heard = seen.get((_ref(row), row["producer"]), never)
            if row["state"] == "running" and row["node"] and heard >= since_unix_us:
                lives[row["node"]].append((row, heard))
        runs = {_ref(row) for each in lives.values() for row, _ in each}
        sampled = self._sampled(runs)
        alive_since = now_unix_us - SILENT_AFTER_S * 1_000_000
        nodes = [_node(node, each, sampled[node], alive_since) for node, each in lives.items()]
        nodes = [one for one in nodes if one.processes]
        return sorted(nodes, key=lambda one: (one.heard_unix_us, one.node))

    def list_nonfinite(
        self, since_unix_us: int, allowed: Allowed = None, *, limit: int = 20
    ) -> list[Nonfinite]:
        """Return runs with NaN or ±Inf."""
        series: dict[tuple[RunRef, str, int, int], tuple[bool, int]] = {}
        for row in self._rows(tables.POINTS, allowed):
            key = (_ref(row), row["metric"], row["rank"], row["ver"] >> 32)
            bad, newest = series.get(key, (False, 0))
            series[key] = (
                bad or not math.isfinite(row["value"]),
                max(newest, unix_us(row["ts"])),
            )
        runs: dict[RunRef, dict[str, int]] = defaultdict(dict)
        for (ref, metric, _, _), (bad, newest) in series.items():
            if bad:
                runs[ref][metric] = max(newest, runs[ref].get(metric, 0))
        found = [
            Nonfinite(ref, min(known, key=_loss_first), len(known), max(known.values()))
            for ref, known in runs.items()
        ]
        found = [one for one in found if one.last_point_unix_us >= since_unix_us]
        return sorted(found, key=lambda one: (-one.last_point_unix_us, one.ref))[:limit]

    def read_store(self) -> StoreState:
        """Return how many rows there are; memory has no disks."""
        counted = {
            name: len(self._store.list_rows(name))
            for name in columns.BY_TABLE
            if name != tables.SHOWN
        }
        sizes = tuple(TableSize(name, rows, 0, 1) for name, rows in counted.items() if rows)
        return StoreState("memory", 0, "", sizes, ())

    def _accounts(self, key: Callable[[Row], Any], allowed: Allowed) -> dict[Any, Counter[str]]:
        found: dict[Any, Counter[str]] = defaultdict(Counter)
        for row in self._rows(tables.LEDGER, allowed):
            account = str(row["account"])
            found[key(row)][_FIELDS.get(account, account)] += row["count"]
        return found

    def _sampled(self, runs: set[RunRef]) -> Counter[str]:
        newest: Counter[str] = Counter()
        for row in self._store.list_rows(tables.SYSTEM_POINTS):
            if row["metric"] == STEADY_METRIC and _ref(row) in runs:
                newest[row["node"]] = max(newest[row["node"]], unix_us(row["ts"]))
        return newest

    def _rows(self, table: str, allowed: Allowed) -> Iterator[Row]:
        live = {_ref(row) for row in self._store.list_rows(tables.RUNS)}
        for row in self._store.list_rows(table):
            if _ref(row) in live and (allowed is None or row["project"] in allowed):
                yield row


def _ref(row: Row) -> RunRef:
    return RunRef(row["project"], row["run_id"])


def _lost(loss: Loss) -> int:
    return loss.rejected + loss.dead + loss.gap_frames + loss.dropped


def _loss_first(metric: str) -> tuple[bool, str]:
    return "loss" not in metric, metric


def _node(node: str, lives: Sequence[tuple[Row, int]], sampled: int, alive_since: int) -> NodeHeard:
    workers = [(row, heard) for row, heard in lives if row["role"] != "agent"]
    agents = [heard for row, heard in lives if row["role"] == "agent"]
    return NodeHeard(
        node,
        len({_ref(row) for row, _ in lives}),
        len(workers),
        sum(heard < alive_since for _, heard in workers),
        max(heard for _, heard in lives),
        sampled,
        max(agents, default=0),
    )
