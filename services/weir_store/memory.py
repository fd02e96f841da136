"""The store in memory: the twin of ClickHouse for tests and for trying things out.

`MemoryStore` keeps rows as ClickHouse's ReplacingMergeTree shows them with
FINAL: of rows with the same sort key the one with the highest version, the
later one when versions are equal. memory_reader.py answers questions from it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from weir_store import columns, tables
from weir_store.base import Block
from weir_store.errors import StoreRejected

Row: TypeAlias = Mapping[str, Any]
"""One row by column: UUIDs are `bytes`, times aware `datetime`, dates days since 1970, as in columns.py."""

_SORT_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    tables.POINTS: ("project", "run_id", "metric", "step", "rank", "ver"),
    tables.TEXT_POINTS: ("project", "run_id", "metric", "step", "rank", "ver"),
    tables.SYSTEM_POINTS: ("project", "run_id", "metric", "node", "device", "ts", "ver"),
    tables.CONSOLE: ("project", "run_id", "rank", "ts", "process", "number", "ver"),
    tables.RUNS: ("project", "run_id"),
    tables.RUN_ATTRS: ("project", "run_id", "ns", "path"),
    tables.RUN_ATTR_HISTORY: ("project", "run_id", "ns", "path", "ver", "rank"),
    tables.BRANCHES: ("project", "run_id", "producer"),
    tables.SESSIONS: ("project", "run_id", "producer"),
    tables.EVENTS: ("project", "run_id", "event_id"),
    tables.DEAD_LETTERS: ("project", "run_id", "producer", "seq"),
    tables.LEDGER: ("project", "run_id", "producer", "kind", "account", "part"),
    tables.INGEST_COMMITS: ("project", "run_id", "producer"),
    tables.BLOBS: ("project", "sha256"),
    tables.BLOB_TOUCHES: ("project", "sha256"),
    tables.BLOB_MARKS: ("project", "sha256", "collection"),
    tables.BLOB_UPLOADS: ("project", "upload_id"),
    tables.ARTIFACT_FILES: ("project", "digest", "path"),
    tables.ARTIFACT_VERSIONS: ("project", "name", "version", "digest"),
    tables.ARTIFACT_TAGS: ("project", "name", "version", "tag"),
    tables.ALIASES: ("project", "kind", "name", "alias"),
    tables.LINEAGE: ("project", "run_id", "artifact_project", "name", "version", "is_output"),
    tables.MODELS: ("project", "model", "version", "artifact", "artifact_version"),
    tables.MODEL_CHANGES: ("project", "model", "version", "at", "change_id"),
    tables.WEBHOOKS: ("project", "url"),
    tables.RULES: ("project", "name"),
    tables.RULE_STATES: ("project", "rule_id", "run_id", "rank", "node"),
    tables.RULE_HEALTH: ("project", "rule_id"),
    tables.DELIVERIES: ("project", "delivery_id"),
    tables.CHANGES: ("project", "change_id"),
    tables.LEDGER_CHANGES: ("project", "run_id", "change_id", "kind", "rank", "session"),
    tables.HOLDS: ("project", "run_id"),
    tables.RETENTION: ("project", "what", "pattern"),
    tables.COLD_RUNS: ("project", "run_id"),
    tables.COLD_RULES: ("project",),
    tables.DOCUMENTS: ("project", "kind", "document_id", "version", "save_id"),
}
_VERSIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(_SORT_KEYS, "ver"),
    tables.DEAD_LETTERS: "at",
    tables.INGEST_COMMITS: "seq",
}


class MemoryStore:
    """Implements base.Inserter; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _rows
        self._rows: dict[str, dict[tuple[Any, ...], Row]] = {table: {} for table in _SORT_KEYS}

    def insert(self, block: Block, token: str) -> None:
        """Store a block; see `base.Inserter.insert`. Repeating is harmless whatever the token."""
        del token  # equal rows replace each other, so there is nothing to remember
        _check_shape(block)
        with self._lock:
            for table in tables.INSERT_ORDER:
                if table in block:
                    rows = block[table].to_pylist(maps_as_pydicts="strict")
                    self._merge(table, rows)
                    if table == tables.RUN_ATTRS:
                        self._merge(tables.RUN_ATTR_HISTORY, rows)  # as the view does

    def read_committed(self, producers: Sequence[UUID]) -> Mapping[UUID, int]:
        """Read each producer's committed seq; see `base.Inserter.read_committed`."""
        wanted = set(producers)
        committed: dict[UUID, int] = {}
        for row in self.list_rows(tables.INGEST_COMMITS):
            producer = UUID(bytes=row["producer"])
            if producer in wanted:
                committed[producer] = max(row["seq"], committed.get(producer, 0))
        return committed

    def list_rows(self, table: str, *, removed: bool = False) -> list[Row]:
        """Return a table's rows by sort key, newest versions only; removed ones when asked for."""
        with self._lock:
            by_key = sorted(self._rows[table].items(), key=lambda pair: pair[0])
        removed |= table == tables.RUN_ATTR_HISTORY  # which tells of removals too
        return [row for _, row in by_key if removed or not row.get("is_deleted")]

    def _merge(self, table: str, rows: Sequence[Row]) -> None:
        key, version, stored = _SORT_KEYS[table], _VERSIONS[table], self._rows[table]
        for row in rows:
            name = tuple(row[column] for column in key)
            if name not in stored or row[version] >= stored[name][version]:
                stored[name] = row


def _check_shape(block: Block) -> None:
    for table, rows in block.items():
        if rows.schema != columns.BY_TABLE[table]:
            raise StoreRejected(f"columns of {table} are {rows.schema}, not those of columns.py")
