"""Every version of points there ever was: what was logged, corrected and deleted, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from weir_store import answers, tables
from weir_store.changes.base import MAX_RANGES, Steps
from weir_store.changes.sql import of_points
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import all_of
from weir_store.cold.book import cold_among
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.records import RunRef

MAX_VERSIONS: Final = 10_000_000

VERSIONS: Final = pa.schema(
    {
        "rank": pa.uint32(),
        "step": pa.int64(),
        "time_unix_us": pa.int64(),
        "value": pa.float64(),
        "version": pa.uint64(),
        "edited_unix_us": pa.int64(),
        "removed_unix_us": pa.int64(),
        "edited_by": pa.string(),
        "removed_by": pa.string(),
    }
)
"""By rank, step, then version, oldest first. `edited_unix_us` is 0 of what a process logged, `removed_unix_us` of
what was not deleted; the last two are ids of receipts, or empty."""


class VersionReader:
    """Answers `read_versions`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        """Prepare; `database` is as in the settings."""
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)

    def read_versions(
        self,
        ref: RunRef,
        metric: str,
        steps: Steps = (),
        ranks: Sequence[int] = (),
        *,
        limit: int = 1_000_000,
    ) -> pa.Table:
        """Read all versions of a metric's points that lie with this run; columns as `VERSIONS`.

        What retention removed is gone and not here; neither is what the run inherits.

        Raises:
            InvalidQuery: A limit is exceeded, or there are more versions than `limit`.
        """
        if not 1 <= limit <= MAX_VERSIONS or len(steps) > MAX_RANGES:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_VERSIONS}")
        parameters = Parameters()
        where = of_points(ref, metric, steps, ranks, parameters)
        sql = f"""
SELECT v.rank AS rank, v.step AS step, toUnixTimestamp64Micro(v.ts) AS time_unix_us,
  v.value AS value, v.ver AS version, toInt64(e.at_us) AS edited_unix_us,
  v.removed_us AS removed_unix_us, e.edited_by AS edited_by, v.removed_by AS removed_by
FROM (
  SELECT rank, step, ts, value, ver, toInt64(0) AS removed_us, '' AS removed_by
  FROM {self._points(ref)} WHERE {where}
  UNION ALL
  SELECT rank, step, ts, value, ver, toUnixTimestamp64Micro(removed_at), {_hex("change_id")}
  FROM {self._database}.{tables.REMOVED_POINTS} FINAL WHERE {where}) AS v
LEFT JOIN (
  SELECT rank, session, ver AS at_us, {_hex("change_id")} AS edited_by
  FROM {self._database}.{tables.LEDGER_CHANGES} FINAL
  WHERE project = {parameters.text(ref.project)} AND run_id = {parameters.text(ref.run_id)}
    AND kind = 'points' AND added > 0) AS e
ON e.rank = v.rank AND e.session = bitShiftRight(v.ver, 32)
  AND e.at_us % 1000000 = bitAnd(v.ver, 0xFFFFFFFF)
ORDER BY rank, step, version LIMIT {limit + 1}"""
        table = self._clickhouse.query_arrow(sql, parameters.values)
        if table.num_rows > limit:
            raise InvalidQuery(f"more than {limit} versions", hint="ask for fewer steps or ranks")
        return answers.conform(table, VERSIONS)

    def _points(self, ref: RunRef) -> str:
        """Return where the run's points lie, replays gone: the table, or that and a file."""
        if cold_among(self._clickhouse, self._database, [ref]):
            return f"{self._database}.{all_of(tables.POINTS)}"
        return f"{self._database}.{tables.POINTS} FINAL"


def _hex(column: str) -> str:
    return f"replaceAll(toString({column}), '-', '')"
