"""Asking ClickHouse for console lines.

The table is sorted by (project, run_id, rank, ts, process, number), and an
answer goes by time over all ranks. So the moments that bound it are looked for
first, over `ts` and what is filtered by: 3 ms for a million lines, less where
the index on words or a rank leaves little to look at. The lines themselves are
then read from those granules of each rank that lie between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from weir_store import answers, tables
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import all_of
from weir_store.cold.book import cold_among
from weir_store.console import follow, limits
from weir_store.console.base import LinesQuery
from weir_store.console.cursor import Life, Marks, Position, born_s
from weir_store.console.search import search_sql
from weir_store.console.seen_sql import seen_sql
from weir_store.parameters import Parameters
from weir_store.reader_live import live_runs, of_runs
from weir_store.records import RunRef

_LINE: Final = "project, run_id, rank, ts, process, number"  # names one; as the table is sorted
_COLUMNS: Final = f"{_LINE}, stream, level, node, line, agent_rank, ver"
_AGENT: Final = "agent"  # role of the producers that write lines
_NONE: Final = follow.Page(follow.HELD.empty_table(), full=False)


class ClickHouseConsole:
    """Implements `base.ConsoleReader`; holds no state but the connection."""

    def __init__(self, clickhouse: ClickHouse, database: str = "weir") -> None:
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)

    def read_lines(self, query: LinesQuery) -> pa.Table:
        """Read lines by time; see `base.ConsoleReader.read_lines`."""
        limits.check(query)
        runs = live_runs(self._clickhouse, self._database, query.runs)
        if not runs:
            return follow.LINES.empty_table()
        return follow.read(query, self._lines(query, runs))

    def count_lines(self, query: LinesQuery) -> int:
        """Count the lines that match."""
        limits.check(query)
        runs = live_runs(self._clickhouse, self._database, query.runs)
        if not runs:
            return 0
        lines = self._lines(query, runs)
        return sum(lines.count(part) for part in follow.left_over(query))

    def _lines(self, query: LinesQuery, runs: Sequence[RunRef]) -> _StoredLines:
        is_cold = cold_among(self._clickhouse, self._database, runs)
        table = all_of(tables.CONSOLE) if is_cold else tables.CONSOLE
        return _StoredLines(self._clickhouse, self._database, query, runs, table)


@dataclass(frozen=True, slots=True)
class _StoredLines:
    """Implements `follow.Lines`."""

    clickhouse: ClickHouse
    database: str
    query: LinesQuery
    runs: Sequence[RunRef]  # that exist
    table: str  # has the lines of all of them

    def committed(self) -> Marks:
        """Return how far each agent's log is stored."""
        parameters = Parameters()
        where = of_runs(self.runs, parameters)
        sql = f"""
SELECT project, run_id, producer, any(rank), max(seq)
FROM (SELECT project, run_id, producer, seq FROM {self.database}.{tables.INGEST_COMMITS} WHERE {where}) AS stored
INNER JOIN (SELECT project, run_id, producer, rank FROM {self.database}.{tables.SESSIONS}
  WHERE {where} AND role = '{_AGENT}') AS logs USING (project, run_id, producer)
GROUP BY project, run_id, producer"""
        rows = self.clickhouse.query_rows(sql, parameters.values)
        far: dict[Life, int] = {}
        for project, run_id, producer, rank, seq in rows:
            life = Life(project, run_id, rank, born_s(UUID(str(producer))))
            far[life] = max(seq, far.get(life, 0))
        return far

    def fetch(self, wanted: follow.Wanted, limit: int, *, newest: bool) -> follow.Page:
        """Return the first or last lines that are wanted."""
        rows = limit
        while True:
            first, last, found = self._bounds(wanted, rows, newest=newest)
            if not found:
                return _NONE
            page = self._read_between(first, last, wanted, limit, newest=newest)
            # Copies were counted as lines of their own: look farther, unless that was the end.
            if page.full or found < rows:
                return replace(page, held=self._with_copies(page.held, wanted.seen))
            rows *= 4

    def count(self, wanted: follow.Wanted) -> int:
        """Count the lines that are wanted, each once."""
        parameters = Parameters()
        seen = seen_sql(wanted.seen, parameters)
        sql = f"""
SELECT sum(lines) FROM (
  SELECT groupBitmap(number) - groupBitmapIf(number, {seen}) AS lines
  FROM {self._table} WHERE {self._where(wanted, parameters, seen=True)} GROUP BY project, run_id, process)"""
        return int(self.clickhouse.query_rows(sql, parameters.values)[0][0])

    @property
    def _table(self) -> str:
        return f"{self.database}.{self.table}"

    def _bounds(self, wanted: follow.Wanted, rows: int, *, newest: bool) -> tuple[int, int, int]:
        """Return first and last time of so many rows from one end, and how many there are."""
        parameters = Parameters()
        sql = f"""
SELECT toUnixTimestamp64Micro(min(ts)), toUnixTimestamp64Micro(max(ts)), count() FROM (
  SELECT ts FROM {self._table} WHERE {self._where(wanted, parameters)}
  ORDER BY ts{" DESC" if newest else ""} LIMIT {rows})"""
        first, last, found = self.clickhouse.query_rows(sql, parameters.values)[0]
        return first, last, found

    def _read_between(
        self, first: int, last: int, wanted: follow.Wanted, limit: int, *, newest: bool
    ) -> follow.Page:
        parameters = Parameters()
        where = f"{self._where(wanted, parameters)} AND {_between(first, last, parameters)}"
        way = " DESC" if newest else ""
        order = (
            f"ts{way}, project{way}, run_id{way}, rank{way}, toString(process){way}, number{way}"
        )
        sql = f"""
SELECT toString(project) AS project, toString(run_id) AS run_id, rank, toString(node) AS node,
  toUnixTimestamp64Micro(ts) AS time_unix_us, toString(stream) AS stream, level, number,
  replaceAll(toString(process), '-', '') AS process, line, agent_rank, ver, false AS again, found
FROM (
  SELECT *, count() OVER () AS found, row_number() OVER by_place AS place,
    sum(length(line)) OVER by_place AS text_bytes
  FROM (SELECT {_COLUMNS} FROM {self._table} WHERE {where}
    ORDER BY {order} LIMIT 1 BY {_LINE} LIMIT {limit})
  WINDOW by_place AS (ORDER BY {order} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW))
WHERE place = 1 OR text_bytes <= {limits.MOST_TEXT_BYTES}"""
        answer = self.clickhouse.query_arrow(sql, parameters.values)
        held = answers.conform(answer, follow.HELD)
        found = answer["found"][0].as_py() if held.num_rows else 0
        return follow.Page(held, full=found == limit or held.num_rows < found)

    def _with_copies(self, held: pa.Table, seen: Marks) -> pa.Table:
        """Mark the lines of which another copy was seen: an agent that died may have stored some twice."""
        if not (seen and held.num_rows):
            return held
        parameters = Parameters()
        extent = pc.min_max(held["time_unix_us"]).as_py()
        where = f"{of_runs(self.runs, parameters)} AND {_between(extent['min'], extent['max'], parameters)}"
        within = seen_sql(seen, parameters)
        sql = f"""
SELECT DISTINCT toUnixTimestamp64Micro(ts), project, run_id, rank, replaceAll(toString(process), '-', ''), number
FROM {self._table} WHERE {where} AND ({within})
  AND ({_LINE}) IN (SELECT {_LINE} FROM {self._table} WHERE {where} AND NOT ({within}))"""
        copied = {Position(*row) for row in self.clickhouse.query_rows(sql, parameters.values)}
        if not copied:
            return held
        columns = [held[name].to_pylist() for name in Position._fields]
        again = [Position(*place) in copied for place in zip(*columns, strict=True)]
        return held.set_column(held.num_columns - 1, follow.HELD.field("again"), pa.array(again))

    def _where(
        self,
        wanted: follow.Wanted,
        parameters: Parameters,
        *,
        seen: bool = False,
    ) -> str:
        """Return the condition on rows; `seen` lets those pass that were seen."""
        query = self.query
        parts = [of_runs(self.runs, parameters)]
        if query.ranks is not None:
            parts.append(f"rank IN {parameters.wholes(query.ranks)}")
        if query.streams:
            parts.append(f"toString(stream) IN {parameters.texts(query.streams)}")
        if query.min_level:
            parts.append(f"level >= {parameters.whole(query.min_level)}")
        if query.from_unix_us is not None:
            parts.append(f"ts >= {_moment(query.from_unix_us, parameters)}")
        if query.to_unix_us is not None:
            parts.append(f"ts < {_moment(query.to_unix_us, parameters)}")
        if wanted.seen and not seen:
            parts.append(f"NOT ({seen_sql(wanted.seen, parameters)})")
        if wanted.within is not None:
            parts.append(f"({seen_sql(wanted.within, parameters)})")
        if wanted.at is not None:
            parts.append(_beyond(wanted.at, parameters))
        return " AND ".join(parts) + search_sql(query.search, parameters)


def _beyond(at: Position, parameters: Parameters) -> str:
    moment = _moment(at.time_unix_us, parameters)
    names = ", ".join(parameters.text(name) for name in (at.project, at.run_id))
    place = f"{names}, {at.rank}, {parameters.text(at.process)}, {at.number}"
    line = (
        "toString(project), toString(run_id), rank, replaceAll(toString(process), '-', ''), number"
    )
    return f"ts >= {moment} AND (ts > {moment} OR ({line}) > ({place}))"


def _between(first_unix_us: int, last_unix_us: int, parameters: Parameters) -> str:
    first, last = _moment(first_unix_us, parameters), _moment(last_unix_us, parameters)
    return f"ts >= {first} AND ts <= {last}"


def _moment(unix_us: int, parameters: Parameters) -> str:
    return f"fromUnixTimestamp64Micro({parameters.whole(unix_us)}, 'UTC')"
