"""Asking ClickHouse about ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from weir_store import tables
from weir_store.clickhouse import ClickHouse
from weir_store.ranks.base import (
    USUAL_NAMES,
    USUAL_PATIENCE,
    DivergenceQuery,
    Finding,
    Names,
    Patience,
    ReduceQuery,
    StragglerBoard,
    StragglerQuery,
)
from weir_store.ranks.divergence import DivergenceReader
from weir_store.ranks.listing import RankLister
from weir_store.ranks.nodes import NodeRanker
from weir_store.ranks.progress import HangReader
from weir_store.ranks.reduced import ReduceReader
from weir_store.ranks.stragglers import StragglerReader
from weir_store.reader_runs import unix_us
from weir_store.records import RunRef
from weir_store.run_state import SILENT_AFTER_S


class ClickHouseRanks:
    """Implements `base.RankReader`; holds no state but the connection."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str = "weir",
        *,
        now_unix_us: Callable[[], int] = unix_us,
    ) -> None:
        raw = tables.raw_database(database)
        self._now_unix_us = now_unix_us
        self._reduce = ReduceReader(clickhouse, raw)
        self._ranks = RankLister(clickhouse, raw)
        self._stragglers = StragglerReader(clickhouse, raw)
        self._nodes = NodeRanker(clickhouse, raw)
        self._divergence = DivergenceReader(clickhouse, raw)
        self._hangs = HangReader(clickhouse, raw)

    def read_reduced(self, query: ReduceQuery) -> pa.Table:
        """Put values together; see `RankReader.read_reduced`."""
        return self._reduce.read_reduced(query)

    def list_ranks(self, ref: RunRef) -> pa.Table:
        """Return one row per role and rank; see `RankReader.list_ranks`."""
        return self._ranks.list_ranks(ref, _alive_since(self._now_unix_us()))

    def read_stragglers(self, query: StragglerQuery) -> StragglerBoard:
        """Return whom the others wait for; see `RankReader.read_stragglers`."""
        return self._stragglers.read_stragglers(query)

    def rank_nodes(
        self, project: str, *, limit: int = 1_000, names: Names = USUAL_NAMES
    ) -> pa.Table:
        """Compare nodes; see `RankReader.rank_nodes`."""
        return self._nodes.rank_nodes(project, limit=limit, names=names)

    def read_divergence(self, query: DivergenceQuery) -> pa.Table:
        """Return who left the others; see `RankReader.read_divergence`."""
        return self._divergence.read_divergence(query)

    def find_hangs(
        self,
        now_unix_us: int,
        *,
        projects: Sequence[str] | None = None,
        patience: Patience = USUAL_PATIENCE,
    ) -> list[Finding]:
        """Return the runs that make no step; see `RankReader.find_hangs`."""
        since = _alive_since(now_unix_us)
        return self._hangs.find_hangs(
            now_unix_us, projects=projects, patience=patience, alive_since=since
        )


def _alive_since(now_unix_us: int) -> int:
    return now_unix_us - SILENT_AFTER_S * 1_000_000
