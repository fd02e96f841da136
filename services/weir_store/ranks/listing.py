"""Asking ClickHouse for the ranks of a run: who they are, whether they live, how far they are."""

from __future__ import annotations

import pyarrow as pa

from weir_store.clickhouse import ClickHouse
from weir_store.errors import UnknownRun
from weir_store.parameters import Parameters
from weir_store.ranks.roll import Life, rank_table
from weir_store.reader_live import live_runs, of_runs
from weir_store.records import RunRef
from weir_store.run_state import lives_sql
from weir_store.sight import SESSION


class RankLister:
    """Answers `list_ranks`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database

    def list_ranks(self, ref: RunRef, alive_since: int) -> pa.Table:
        """Return one row per role and rank; see `RankReader.list_ranks`."""
        if not live_runs(self._clickhouse, self._database, [ref]):
            raise UnknownRun.of(ref.project, ref.run_id)
        parameters = Parameters()
        lives = lives_sql(self._database, of_runs([ref], parameters), parameters.whole(alive_since))
        sql = f"""
SELECT role, rank, local_rank, node, attempt, world_size, outcome, started_us, seen_us,
  toString(producer), {SESSION}
FROM ({lives})"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return rank_table((Life(*row) for row in rows), self._reached(ref))

    def _reached(self, ref: RunRef) -> dict[tuple[int, int], tuple[int, int]]:
        parameters = Parameters()
        sql = f"""
SELECT rank, session, max(max_step), toUnixTimestamp64Micro(max(max_ts))
FROM {self._database}.series WHERE {of_runs([ref], parameters)} GROUP BY rank, session"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return {(rank, session): (step, last_us) for rank, session, step, last_us in rows}
