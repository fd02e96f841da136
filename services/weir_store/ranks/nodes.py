"""Asking ClickHouse which nodes are slow for everyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa

from weir_store import answers
from weir_store.clickhouse import ClickHouse
from weir_store.cold.book import cold_among
from weir_store.errors import InvalidQuery
from weir_store.parameters import Parameters
from weir_store.plan import Span, estimated_rows
from weir_store.points_source import EVERY_STEP, PointsSource
from weir_store.ranks import shapes
from weir_store.ranks.base import Names
from weir_store.ranks.names import find_metric, seconds_in
from weir_store.ranks.node_sql import nodes_sql
from weir_store.ranks.seats import seated_sql, seats_sql
from weir_store.reader_spans import SpanReader
from weir_store.records import RunRef
from weir_store.sight import Sight

MAX_RUNS: Final = 1_000
MAX_ROWS: Final = 30_000_000
"""Points that are looked at, roughly: older runs are left out beyond that."""


class NodeRanker:
    """Answers `rank_nodes`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._spans = SpanReader(clickhouse, database)

    def rank_nodes(self, project: str, *, limit: int, names: Names) -> pa.Table:
        """Compare nodes; see `RankReader.rank_nodes`."""
        if not 1 <= limit <= MAX_RUNS:
            raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_RUNS}")
        times = self._newest_with_times(project, limit, names)
        # What a fork inherits took its parent's time, and what was rewound over took time as well.
        cold = cold_among(self._clickhouse, self._database, list(times))
        sight = Sight(plain=tuple(times), cold=frozenset(cold))
        spans = within_reason(self._wanted(times, sight))
        if not spans:
            return shapes.NODES.empty_table()
        shown = sight.only(RunRef(*span.key[:2]) for span in spans)
        parameters = Parameters()
        sql = nodes_sql(
            self._points(spans, shown, parameters), seats_sql(self._database, shown, parameters)
        )
        return answers.conform(self._clickhouse.query_arrow(sql, parameters.values), shapes.NODES)

    def _newest_with_times(self, project: str, limit: int, names: Names) -> dict[RunRef, str]:
        """Return where each run has the time of its steps; newest first."""
        parameters = Parameters()
        own = parameters.text(project)
        sql = f"""
SELECT run_id, groupUniqArray(toString(metric)), any(created_at)
FROM {self._database}.series INNER JOIN (
  SELECT run_id, created_at FROM {self._database}.runs FINAL WHERE project = {own}) AS runs USING (run_id)
WHERE project = {own} AND (metric IN {parameters.texts(names.step_time)}
  OR splitByChar('/', toString(metric))[-1] IN {parameters.texts(names.step_time)})
GROUP BY run_id ORDER BY any(created_at) DESC, run_id LIMIT {limit}"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        found = {RunRef(project, run): find_metric(held, names.step_time) for run, held, _ in rows}
        return {run: metric for run, metric in found.items() if metric}

    def _wanted(self, times: dict[RunRef, str], sight: Sight) -> list[Span]:
        """Return the spans of each run's own metric, newest run first."""
        spans = self._spans.read(sight, sorted(set(times.values())), None)
        own = {
            RunRef(*span.key[:2]): span
            for span in spans
            if times[RunRef(*span.key[:2])] == span.key[2]
        }
        return [own[run] for run in times if run in own]

    def _points(self, spans: Sequence[Span], sight: Sight, parameters: Parameters) -> str:
        keys = [span.key for span in spans]
        points = PointsSource(self._database, spans).points({EVERY_STEP: keys}, parameters)
        seats = seats_sql(self._database, sight, parameters)
        columns = "project, run_id, metric, rank, step, value"
        seated = seated_sql(points, columns, seats, None, parameters)
        scaled = sorted({key[2] for key in keys if seconds_in(key[2]) != 1})
        scale = f"if(metric IN {parameters.texts(scaled)}, 1e-3, 1)" if scaled else "1"
        return f"SELECT run_id, role, node, rank, step, held.value * {scale} AS value FROM ({seated}) AS held"


def within_reason(spans: Iterable[Span]) -> list[Span]:
    """Return the first of these until there are `MAX_ROWS` points, and at least one."""
    kept: list[Span] = []
    rows = 0
    for span in spans:
        rows += estimated_rows([span], EVERY_STEP)
        if kept and rows > MAX_ROWS:
            break
        kept.append(span)
    return kept
