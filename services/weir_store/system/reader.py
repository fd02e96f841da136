"""Asking ClickHouse for system telemetry."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from weir_store import answers, tables
from weir_store.buckets import step_shift
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import all_of
from weir_store.cold.book import cold_among
from weir_store.parameters import Parameters
from weir_store.points_source import newest_sql
from weir_store.reader_live import live_runs, of_runs
from weir_store.records import RunRef
from weir_store.system import limits, shapes
from weir_store.system.base import SystemQuery
from weir_store.system.usage import METRICS, Took, usage_table
from weir_store.system.usage_sql import took_sql

_SERIES: Final = ", ".join(shapes.SERIES)
_NAMES: Final = ", ".join(f"toString({name}) AS {name}" for name in shapes.SERIES)
_MEASUREMENT: Final = f"{_SERIES}, ts"
_UNIX_US: Final = "toUnixTimestamp64Micro({})"


class ClickHouseSystem:
    """Implements `base.SystemReader`; holds no state but the connection."""

    def __init__(self, clickhouse: ClickHouse, database: str = "weir") -> None:
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)

    def list_system(self, ref: RunRef) -> pa.Table:
        """Return one row per series; see `base.SystemReader.list_system`."""
        if not self._lives(ref):
            return shapes.LISTED.empty_table()
        parameters = Parameters()
        sql = f"""
SELECT {_NAMES}, count() AS samples, {_UNIX_US.format("min(ts)")} AS first_unix_us,
  {_UNIX_US.format("max(ts)")} AS last_unix_us,
  ifNull(argMaxOrNullIf(value, ts, isFinite(value)), nan) AS last, {_extremes()}
FROM ({self._newest(SystemQuery(ref), parameters)}) GROUP BY {_SERIES} ORDER BY {_SERIES}"""
        return self._answer(sql, parameters, shapes.LISTED)

    def read_system(self, query: SystemQuery) -> pa.Table:
        """Read measurements, every one of them or thinned; see `base.SystemReader.read_system`."""
        limits.check(query)
        if not self._lives(query.ref):
            return (shapes.THINNED if query.max_points else shapes.FULL).empty_table()
        if query.max_points is not None:
            return self._read_thinned(query, query.max_points)
        parameters = Parameters()
        sql = f"""
SELECT {_NAMES}, {_UNIX_US.format("ts")} AS time_unix_us, value
FROM ({self._newest(query, parameters)}) ORDER BY {_MEASUREMENT} LIMIT {limits.MOST_ROWS + 1}"""
        return self._answer(sql, parameters, shapes.FULL)

    def read_usage(self, ref: RunRef) -> pa.Table:
        """Add up what the run took; see `base.SystemReader.read_usage`."""
        if not self._lives(ref):
            return usage_table(())
        parameters = Parameters()
        newest = self._newest(SystemQuery(ref, metrics=METRICS), parameters)
        rows = self._clickhouse.query_rows(took_sql(newest), parameters.values)
        return usage_table(Took(*row) for row in rows)

    def _read_thinned(self, query: SystemQuery, max_points: int) -> pa.Table:
        parameters = Parameters()
        sql = f"""
SELECT {_UNIX_US.format("min(ts)")}, {_UNIX_US.format("max(ts)")}, count()
FROM {self._table(query.ref)} WHERE {_where(query, parameters)}"""
        first, last, found = self._clickhouse.query_rows(sql, parameters.values)[0]
        if not found:
            return shapes.THINNED.empty_table()
        parameters = Parameters()
        bucket = f"bitShiftRight({_UNIX_US.format('ts')}, {step_shift(first, last, max_points)})"
        sql = f"""
SELECT {_NAMES}, {_UNIX_US.format("max(ts)")} AS time_unix_us,
  argMin(value, ts) AS first, argMax(value, ts) AS last, {_extremes()}
FROM ({self._newest(query, parameters)}) GROUP BY {_SERIES}, {bucket}
ORDER BY {_SERIES}, time_unix_us LIMIT {limits.MOST_ROWS + 1}"""
        return self._answer(sql, parameters, shapes.THINNED)

    def _newest(self, query: SystemQuery, parameters: Parameters) -> str:
        """Return a SELECT of what was measured, each moment once."""
        table = f"{self._table(query.ref)} WHERE {_where(query, parameters)}"
        return newest_sql(f"{_MEASUREMENT}, value", table, _MEASUREMENT)

    def _table(self, ref: RunRef) -> str:
        """Return where a run's rows lie: the table, or that and files."""
        is_cold = cold_among(self._clickhouse, self._database, [ref])
        name = all_of(tables.SYSTEM_POINTS) if is_cold else tables.SYSTEM_POINTS
        return f"{self._database}.{name}"

    def _lives(self, ref: RunRef) -> bool:
        return bool(live_runs(self._clickhouse, self._database, [ref]))

    def _answer(self, sql: str, parameters: Parameters, schema: pa.Schema) -> pa.Table:
        table = self._clickhouse.query_arrow(sql, parameters.values)
        return limits.check_size(answers.conform(table, schema))


def _extremes() -> str:
    """Return min, max and mean over the finite values; the columns' names are no column's of the table."""
    finite = "isFinite(value)"
    return ", ".join(
        f"ifNull({function}OrNullIf(value, {finite}), nan) AS {name}"
        for function, name in (("min", "min"), ("max", "max"), ("avg", "mean"))
    )


def _where(query: SystemQuery, parameters: Parameters) -> str:
    parts = [of_runs([query.ref], parameters)]
    for column, names in zip(
        shapes.SERIES, (query.metrics, query.nodes, query.devices), strict=True
    ):
        if names:
            parts.append(f"{column} IN {parameters.texts(names)}")
    if query.from_unix_us is not None:
        parts.append(f"ts >= fromUnixTimestamp64Micro({parameters.whole(query.from_unix_us)})")
    if query.to_unix_us is not None:
        parts.append(f"ts < fromUnixTimestamp64Micro({parameters.whole(query.to_unix_us)})")
    return " AND ".join(parts)
