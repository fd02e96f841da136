"""Asking ClickHouse which ranks left the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa

from weir_store import answers
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.points_source import EVERY_STEP
from weir_store.ranks import checks, shapes
from weir_store.ranks.base import DivergenceQuery
from weir_store.ranks.divergence_sql import diverged_sql, nonfinite_sql
from weir_store.ranks.names import find_all
from weir_store.ranks.one_run import OneRun, OneRunReader
from weir_store.ranks.seats import node_name_sql

_BY_STEP: Final = [(name, "ascending") for name in ("step", "kind", "metric", "role", "rank")]


class DivergenceReader:
    """Answers `read_divergence`."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._runs = OneRunReader(clickhouse, database)

    def read_divergence(self, query: DivergenceQuery) -> pa.Table:
        """Return who left the others; see `RankReader.read_divergence`."""
        checks.check_divergence(query)
        run = self._runs.read(query.ref)
        watched = list(query.metrics) or find_all(run.names, query.names.watched)
        odd = [each.metric for each in run.logged if not each.is_finite]
        if query.metrics:
            odd = [metric for metric in odd if metric in query.metrics]
        tables = [
            self._ask(
                run,
                watched,
                lambda points: diverged_sql(points, query.window_steps, query.threshold),
            ),
            self._ask(run, odd, nonfinite_sql),
        ]
        return pa.concat_tables(tables).sort_by(_BY_STEP)

    def _ask(self, run: OneRun, metrics: Sequence[str], sql_of: Callable[[str], str]) -> pa.Table:
        spans = self._runs.spans(run, metrics) if metrics else []
        if not spans:
            return shapes.DIVERGENCE.empty_table()
        parameters = Parameters()
        points = self._runs.points(run, spans, EVERY_STEP, None, parameters)
        named = node_name_sql("node_no", run.seats, parameters)
        sql = f"SELECT *, {named} AS node FROM ({sql_of(points)})"
        table = self._clickhouse.query_arrow(sql, parameters.values)
        return answers.conform(table, shapes.DIVERGENCE)
