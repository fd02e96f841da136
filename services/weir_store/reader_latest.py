"""What each series came to: its newest point, its extremes, and the run's summary of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from weir_store import answers, thinning
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey
from weir_store.reader_live import live_runs, of_runs
from weir_store.records import RunRef

_FINITE = "isFinite(value)"


class LatestReader:
    """Answers `read_latest`, and the automatic summaries of runs."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        """Read the newest point of every series; see `Reader.read_latest`."""
        live = live_runs(self._clickhouse, self._database, runs)
        if not live:
            return answers.LATEST.empty_table()
        parameters = Parameters()
        where = of_runs(live, parameters)
        where += f" AND metric IN {parameters.texts(metrics)}" if metrics else ""
        sql = f"{_latest_sql(self._database, where)} ORDER BY {thinning.SERIES}, rank"
        table = self._clickhouse.query_arrow(sql, parameters.values)
        return answers.conform(table, answers.LATEST)

    def last_values(
        self, runs: Sequence[RunRef], metrics: Sequence[str] | None
    ) -> Mapping[SeriesKey, float]:
        """Return the last value of each metric at the lowest rank that has it."""
        if not runs or metrics == []:
            return {}
        parameters = Parameters()
        where = of_runs(runs, parameters)
        where += f" AND metric IN {parameters.texts(metrics)}" if metrics is not None else ""
        sql = f"""
SELECT {thinning.SERIES}, argMin(last_value, rank) FROM (
  SELECT {thinning.SERIES}, rank, argMaxMerge(last) AS last_value
  FROM {self._database}.series WHERE {where} GROUP BY {thinning.SERIES}, rank)
GROUP BY {thinning.SERIES} ORDER BY {thinning.SERIES}"""
        return _by_key(self._clickhouse.query_arrow(sql, parameters.values))

    def summarised(self, policies: Mapping[SeriesKey, str]) -> dict[SeriesKey, float | None]:
        """Return what metrics come to whose policy is not `last`; None for `none`.

        Series without points are absent; the lowest rank that has the metric speaks for the run.
        """
        wanted: dict[str, list[SeriesKey]] = {}
        for key, policy in policies.items():
            wanted.setdefault(policy, []).append(key)
        found: dict[SeriesKey, float | None] = dict.fromkeys(wanted.pop("none", []))
        for policy, keys in wanted.items():
            found.update(self._summarised(keys, policy))
        return found

    def _summarised(self, keys: Sequence[SeriesKey], policy: str) -> Mapping[SeriesKey, float]:
        parameters = Parameters()
        where = thinning.of_series(keys, parameters)
        if policy == "mean":
            source = f"""
  SELECT {thinning.SERIES}, rank, ifNull(avgOrNullIf(value, {_FINITE}), nan) AS mean
  FROM {self._database}.points FINAL WHERE {where} GROUP BY {thinning.SERIES}, rank"""
        else:
            source = _latest_sql(self._database, where)
        column = policy if policy in ("min", "max", "mean") else "last"
        sql = f"""
SELECT {thinning.SERIES}, argMin({column}, rank) FROM ({source}) GROUP BY {thinning.SERIES}"""
        return _by_key(self._clickhouse.query_arrow(sql, parameters.values))


def _latest_sql(database: str, where: str) -> str:
    """Return one row per series (rank apart), from its summary where that is exact.

    The summary remembers extremes of points that were corrected later, so
    series that one process life may not have written alone, each step once,
    are read from the points.
    """
    known = f"""
  SELECT {thinning.SERIES}, rank, argMaxMerge(last) AS last_value,
    toUnixTimestamp64Micro(argMaxMerge(last_ts)) AS last_us, max(max_step) AS last_step,
    min(min_v) AS low, max(max_v) AS high,
    argMinMerge(series.min_at) AS low_at, argMaxMerge(series.max_at) AS high_at,
    toUInt8(max(has_nan) + 2 * max(has_pos_inf) + 4 * max(has_neg_inf)) AS flags,
    min(min_session) = max(max_session) AND max(rewrite) = 0 AS exact
  FROM {database}.series WHERE {where} GROUP BY {thinning.SERIES}, rank"""
    read = f"""
  SELECT {thinning.SERIES}, rank, argMax(value, step) AS last_value,
    toUnixTimestamp64Micro(argMax(ts, step)) AS last_us, max(step) AS last_step,
    min(if({_FINITE}, value, inf)) AS low, max(if({_FINITE}, value, -inf)) AS high,
    argMinIf(step, value, {_FINITE}) AS low_at, argMaxIf(step, value, {_FINITE}) AS high_at,
    groupBitOr({thinning.NONFINITE}) AS flags, true AS exact
  FROM {database}.points FINAL
  WHERE {where} AND ({thinning.SERIES}, rank) IN (
    SELECT {thinning.SERIES}, rank FROM ({known}) WHERE NOT exact)
  GROUP BY {thinning.SERIES}, rank"""
    return f"""
SELECT {thinning.SERIES}, rank, last_step AS step, last_us AS time_unix_us, last_value AS last,
  if(isFinite(low), low, nan) AS min, if(isFinite(high), high, nan) AS max,
  low_at AS min_at, high_at AS max_at, flags AS nonfinite
FROM (SELECT * FROM ({known}) WHERE exact UNION ALL {read})"""


def _by_key(table: pa.Table) -> dict[SeriesKey, float]:
    """Return the fourth column by the first three."""
    *names, values = (column.to_pylist() for column in table.columns)
    return dict(zip(zip(*names, strict=True), values, strict=True))
