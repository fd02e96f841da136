"""Blocks into ClickHouse: one insert per table, each with a token bound to its content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final
from uuid import UUID

from weir_store.base import Block
from weir_store.clickhouse import ClickHouse
from weir_store.shown_refresh import refresh
from weir_store.tables import BRANCHES, INGEST_COMMITS, INSERT_ORDER, POINTS, raw_database

# Explicit, because these defaults changed in 26.2 (and `async_insert` would ack before the part exists).
_SETTINGS: Final[Mapping[str, str | int]] = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # A block may hold runs of many months; refusing it for that would block the shard for ever.
    "max_partitions_per_insert_block": 0,
}
_CLUSTER_SETTINGS: Final[Mapping[str, str | int]] = {
    "insert_quorum": "auto",
    "insert_quorum_parallel": 1,
    "insert_quorum_timeout": 60_000,
}
# Collapsing a block before it is written costs a fifth of the insert and saves nothing: FINAL
# collapses across blocks anyway, and merges do so for good.
_TABLE_SETTINGS: Final[Mapping[str, Mapping[str, str | int]]] = {POINTS: {"optimize_on_insert": 0}}


def _ignore(_table: str) -> None:
    pass


class ClickHouseInserter:
    """The writer's door (base.Inserter) to a ClickHouse server or cluster.

    Args:
        clickhouse: May insert into and select from `<database>_raw`.
        database: Name of the store.
        cluster: Cluster name; when set, an insert waits for a majority of replicas.
        on_stored: Called with the table's name after each of a block's tables is stored.
    """

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        *,
        cluster: str = "",
        on_stored: Callable[[str], None] = _ignore,
    ) -> None:
        self._clickhouse = clickhouse
        self._database = raw_database(database)
        self._settings = {**_SETTINGS, **(_CLUSTER_SETTINGS if cluster else {})}
        self._on_stored = on_stored

    def insert(self, block: Block, token: str) -> None:
        """Store a block durably; see `base.Inserter.insert`."""
        for table in INSERT_ORDER:
            rows = block.get(table)
            if rows is None or not rows.num_rows:
                continue
            # One record batch is one ClickHouse block is one part: a token then means all of it.
            self._clickhouse.insert_arrow(
                f"{self._database}.{table}",
                rows.combine_chunks(),
                {
                    **self._settings,
                    **_TABLE_SETTINGS.get(table, {}),
                    "insert_deduplication_token": f"{token}-{table}",
                },
            )
            if table == BRANCHES:
                refresh(self._clickhouse, self._database, rows, settings=self._settings)
            self._on_stored(table)

    def read_committed(self, producers: Sequence[UUID]) -> Mapping[UUID, int]:
        """Read each producer's committed seq; see `base.Inserter.read_committed`."""
        if not producers:
            return {}
        rows = self._clickhouse.query_rows(
            f"SELECT producer, max(seq) FROM {self._database}.{INGEST_COMMITS}"
            " WHERE producer IN {producers:Array(UUID)} GROUP BY producer",
            {"producers": list(producers)},
        )
        return {UUID(str(producer)): int(seq) for producer, seq in rows}
