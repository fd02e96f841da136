"""ClickHouse as far as the laws care: parts, a window of tokens, and rows that collapse when read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Block
from weir_store.errors import StoreUnavailable, UnknownRun
from weir_store.memory import _SORT_KEYS, _VERSIONS
from weir_store.records import RunRef

Row = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Parts:
    """What is on disk: parts of rows by table, and the tokens that each table remembers."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    tokens: dict[str, set[str]] = field(default_factory=dict)

    def copy(self) -> Parts:
        """Return them as a backup keeps them."""
        return Parts(
            {table: list(rows) for table, rows in self.rows.items()},
            {table: set(tokens) for table, tokens in self.tokens.items()},
        )


class PartStore:
    """Both doors of the store, with every layer against doubles apart from the others.

    Args:
        window: Whether inserts whose token is known are dropped (without a look at their rows, as
            ClickHouse does).
        collapse: Whether reading collapses rows of one sort key, as FINAL does: across parts and
            partitions, to the highest version, the later one when versions are equal.
    """

    def __init__(self, *, window: bool = True, collapse: bool = True) -> None:
        self.away = False
        self.lose_replies = 0  # of the next inserts: they are done and nobody hears of it
        self.parts = Parts()
        self._window = window
        self._collapse = collapse
        self.restores = 0

    # ── what happens to it ─────────────────────────────────────────────────

    def restore(self, parts: Parts) -> None:
        """Be again what a backup says; inserts under way break off."""
        self.parts = parts.copy()
        self.restores += 1

    def forget_tokens(self) -> None:
        """The window is bounded: what is long ago is forgotten."""
        self.parts.tokens.clear()

    # ── the writer's door ──────────────────────────────────────────────────

    def insert(self, block: Block, token: str, gate: Callable[[str], None], *, since: int) -> None:
        """Insert table by table; `gate` is passed before each.

        Args:
            block: Rows by table.
            token: Its name.
            gate: Passed before each table.
            since: `restores` when the caller last knew that it may; a restore since then breaks
                its connection.
        """
        for table in tables.INSERT_ORDER:
            if table not in block:
                continue
            assert block[table].schema == columns.BY_TABLE[table]
            gate(f"insert {table}")
            self._answer_or_raise(since)
            self._insert_part(table, token, block[table])
        if self.lose_replies:
            self.lose_replies -= 1
            raise StoreUnavailable("the reply was lost")

    def read_committed(self, producers: Sequence[UUID]) -> dict[UUID, int]:
        """See `base.Inserter.read_committed`."""
        self._answer_or_raise(self.restores)
        wanted = {producer.bytes for producer in producers}
        found: dict[UUID, int] = {}
        for row in self.parts.rows.get(tables.INGEST_COMMITS, ()):
            if row["producer"] in wanted:
                name = UUID(bytes=row["producer"])
                found[name] = max(found.get(name, 0), row["seq"])
        return found

    def _insert_part(self, table: str, token: str, rows: pa.Table) -> None:
        known = self.parts.tokens.setdefault(table, set())
        if self._window and token in known:
            return
        known.add(token)
        self.parts.rows.setdefault(table, []).extend(rows.to_pylist(maps_as_pydicts="strict"))

    def _answer_or_raise(self, since: int) -> None:
        if self.away or since != self.restores:
            raise StoreUnavailable("the store is away")

    # ── the reader's door, as far as the gateway asks ──────────────────────

    def get_run(self, ref: RunRef) -> SimpleNamespace:
        """Return a run's birth."""
        self._answer_or_raise(self.restores)
        for row in self.rows(tables.RUNS):
            if (row["project"], row["run_id"]) == (ref.project, ref.run_id):
                return SimpleNamespace(created_unix_us=_unix_us(row["created_at"]))
        raise UnknownRun("no such run")

    def read_latest(self, runs: Sequence[RunRef]) -> pa.Table:
        """Return where the ranks of runs are."""
        wanted = {(ref.project, ref.run_id) for ref in runs}
        self._answer_or_raise(self.restores)
        found = [r for r in self.rows(tables.POINTS) if (r["project"], r["run_id"]) in wanted]
        return pa.table({name: [row[name] for row in found] for name in ("rank", "step")})

    def rows(self, table: str) -> list[Row]:
        """Return a table's rows as a reader sees them."""
        rows = self.parts.rows.get(table, [])
        if not self._collapse:
            return list(rows)
        key, version, newest = _SORT_KEYS[table], _VERSIONS[table], dict[Any, Row]()
        for row in rows:
            name = tuple(row[column] for column in key)
            if name not in newest or row[version] >= newest[name][version]:
                newest[name] = row
        return list(newest.values())


def _unix_us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
