"""What each series came to: its newest point, its extremes, and the run's summary of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from weir_store import answers, thinning
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey, Span, StepRange
from weir_store.points_source import EVERY_STEP, PointsSource
from weir_store.reader_lineage import LineageReader
from weir_store.reader_live import of_runs
from weir_store.reader_spans import SpanReader, few_pieces
from weir_store.records import RunRef
from weir_store.sight import Sight, bent_sql

_FINITE = "isFinite(value)"
_RANKED = f"{thinning.SERIES}, rank"

# No step was logged twice: by one process that never does, or by several one after the other.
_APART = """max(series.rewrite) = 0 AND (min(session) = max(session) OR arrayAll(
      (one, next) -> one.2 < next.1,
      arrayPopBack(arraySort(groupArray((series.min_step, series.max_step))) AS lives),
      arrayPopFront(lives)))"""


def apart_sql() -> str:
    """Return the condition, over the rows of `series` of one rank, that no step was logged twice."""
    return _APART


# What one process life logged of a series.
_LIFE = "min(min_step) AS low_step, max(max_step) AS last_step, any(top) AS upto"


class LatestReader:
    """Answers `read_latest`, and the automatic summaries of runs."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._lineages = LineageReader(clickhouse, database)
        self._spans = SpanReader(clickhouse, database)

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        """Read the newest point of every series; see `Reader.read_latest`."""
        return self._latest(self._lineages.live(runs), list(metrics) or None)

    def last_values(self, sight: Sight, metrics: Sequence[str] | None) -> Mapping[SeriesKey, float]:
        """Return the last value of each metric at the lowest rank that has it."""
        if metrics == []:
            return {}
        return {**self._plain_values(sight.plain, metrics), **self._bent_values(sight, metrics)}

    def summarised(
        self, sight: Sight, policies: Mapping[SeriesKey, str]
    ) -> dict[SeriesKey, float | None]:
        """Return what metrics come to whose policy is not `last`; None for `none`.

        Series without points are absent; the lowest rank that has the metric speaks for the run.
        """
        wanted: dict[str, list[SeriesKey]] = {}
        for key, policy in policies.items():
            wanted.setdefault(policy, []).append(key)
        found: dict[SeriesKey, float | None] = dict.fromkeys(wanted.pop("none", []))
        for policy, keys in wanted.items():
            found.update(self._summarised(sight, keys, policy))
        return found

    def at_step(
        self, sight: Sight, keys: Collection[SeriesKey], step: int
    ) -> Mapping[SeriesKey, float]:
        """Return the value at a step, at the lowest rank that has a point there; others are absent."""
        return self._at_lowest_rank(self._spans_of(sight, keys), "any(value)", (step, step + 1))

    def _summarised(
        self, sight: Sight, keys: Sequence[SeriesKey], policy: str
    ) -> Mapping[SeriesKey, float]:
        if policy == "mean":
            mean = f"ifNull(avgOrNullIf(value, {_FINITE}), nan)"
            return self._at_lowest_rank(self._spans_of(sight, keys), mean)
        some = sight.only(RunRef(*key[:2]) for key in keys)
        table = self._latest(some, sorted({metric for _, _, metric in keys}))
        column = policy if policy in ("min", "max") else "last"
        found: dict[SeriesKey, float] = {}
        for key, value in _rows(table, column):  # by rank: the first is of the lowest
            found.setdefault(key, value)
        return {key: found[key] for key in keys if key in found}

    def _plain_values(
        self, runs: Sequence[RunRef], metrics: Sequence[str] | None
    ) -> Mapping[SeriesKey, float]:
        if not runs:
            return {}
        parameters = Parameters()
        where = of_runs(runs, parameters) + _of_metrics(metrics, parameters)
        sql = f"""
SELECT {thinning.SERIES}, argMin(last_value, rank) AS value FROM (
  SELECT {_RANKED}, argMaxMerge(last) AS last_value
  FROM {self._database}.series WHERE {where} GROUP BY {_RANKED})
GROUP BY {thinning.SERIES} ORDER BY {thinning.SERIES}"""
        return dict(_rows(self._clickhouse.query_arrow(sql, parameters.values), "value"))

    def _bent_values(
        self, sight: Sight, metrics: Sequence[str] | None
    ) -> Mapping[SeriesKey, float]:
        """As `_plain_values`: of the newest life that is shown whole, or else from the points."""
        if not sight.bent:
            return {}
        parameters = Parameters()
        more = _of_metrics(metrics, parameters)
        source = f"SELECT * FROM {self._database}.series WHERE "
        whole = "last_step <= upto"
        sql = f"""
SELECT {thinning.SERIES}, argMin(last_value, rank) AS value, argMin(known, rank) AS is_known
FROM (
  SELECT {_RANKED}, argMaxIf(life_value, (last_step, -toInt64(depth), session), {whole}) AS last_value,
    countIf(NOT {whole}) = 0
      OR (countIf({whole}) > 0 AND maxIf(last_step, {whole}) > maxIf(upto, NOT {whole})) AS known
  FROM (
    SELECT {_RANKED}, session, depth, {_LIFE}, argMaxMerge(last) AS life_value
    FROM ({bent_sql(source, sight.bent, more, parameters)})
    GROUP BY {_RANKED}, session, depth HAVING low_step <= upto)
  GROUP BY {_RANKED})
GROUP BY {thinning.SERIES} ORDER BY {thinning.SERIES}"""
        table = self._clickhouse.query_arrow(sql, parameters.values)
        found = dict(_rows(table, "value"))
        unknown = [key for key, known in _rows(table, "is_known") if not known]
        if unknown:
            spans = self._spans_of(sight, unknown)
            found.update(self._at_lowest_rank(spans, "argMax(value, step)", None))
        return found

    def _latest(self, sight: Sight, metrics: Sequence[str] | None) -> pa.Table:
        """Answer from the summaries of series where they are exact, else from the points.

        A summary remembers extremes of points that were corrected or cut off
        later: it counts where all of it is shown, and no step was logged twice.
        """
        known = self._known(sight, metrics)
        if all(pc.min(table["exact"]).as_py() != 0 for table in known):
            return _ordered(known)
        table = pa.concat_tables(known)
        doubtful = {key for key, exact in _rows(table, "exact") if not exact}
        settled = pa.array([key not in doubtful for key, _ in _rows(table, "exact")], pa.bool_())
        read = [self._read(spans) for spans in few_pieces(self._spans_of(sight, doubtful))]
        return _ordered([table.filter(settled), *read])

    def _known(self, sight: Sight, metrics: Sequence[str] | None) -> list[pa.Table]:
        """Return what the summaries say, plain runs and bent ones apart, and where that is `exact`."""
        tables = []
        if sight.plain:
            parameters = Parameters()
            where = of_runs(sight.plain, parameters) + _of_metrics(metrics, parameters)
            source = f"{self._database}.series WHERE {where}"
            tables.append(self._summaries(source, _APART, parameters))
        if sight.bent:
            parameters = Parameters()
            select = f"SELECT * FROM {self._database}.series WHERE "
            rows = bent_sql(select, sight.bent, _of_metrics(metrics, parameters), parameters)
            source = f"({rows}) AS series WHERE min_step <= top"
            whole = f"max(series.max_step > top) = 0 AND {_APART}"
            tables.append(self._summaries(source, whole, parameters))
        return tables

    def _summaries(self, source: str, exact: str, parameters: Parameters) -> pa.Table:
        sql = f"""
SELECT {_RANKED}, step, time_unix_us, last, if(isFinite(low), low, nan) AS min,
  if(isFinite(high), high, nan) AS max, min_at, max_at, nonfinite, exact
FROM (
  SELECT {_RANKED}, max(max_step) AS step, argMaxMerge(series.last) AS last,
    toUnixTimestamp64Micro(argMaxMerge(last_ts)) AS time_unix_us,
    min(min_v) AS low, max(max_v) AS high,
    argMinMerge(series.min_at) AS min_at, argMaxMerge(series.max_at) AS max_at,
    toUInt8(max(has_nan) + 2 * max(has_pos_inf) + 4 * max(has_neg_inf)) AS nonfinite,
    {exact} AS exact
  FROM {source} GROUP BY {_RANKED})
ORDER BY {_RANKED}"""
        return self._clickhouse.query_arrow(sql, parameters.values)

    def _read(self, spans: Sequence[Span]) -> pa.Table:
        parameters = Parameters()
        points = PointsSource(self._database, spans)
        sql = f"""
SELECT {_RANKED}, max(step) AS last_step, toUnixTimestamp64Micro(argMax(ts, step)) AS time_unix_us,
  argMax(value, step) AS last, last_step AS step,
  ifNull(minOrNullIf(value, {_FINITE}), nan) AS min, ifNull(maxOrNullIf(value, {_FINITE}), nan) AS max,
  argMinIf(step, value, {_FINITE}) AS min_at, argMaxIf(step, value, {_FINITE}) AS max_at,
  groupBitOr({thinning.NONFINITE}) AS nonfinite
FROM {points.points({EVERY_STEP: [span.key for span in spans]}, parameters)} AS shown
GROUP BY {_RANKED}"""
        return self._clickhouse.query_arrow(sql, parameters.values)

    def _spans_of(self, sight: Sight, keys: Collection[SeriesKey]) -> list[Span]:
        some = sight.only({RunRef(*key[:2]) for key in keys})
        wanted = set(keys)
        spans = self._spans.read(some, sorted({metric for _, _, metric in keys}), None)
        return [span for span in spans if span.key in wanted]

    def _at_lowest_rank(
        self, spans: Sequence[Span], what: str, within: StepRange | None = EVERY_STEP
    ) -> Mapping[SeriesKey, float]:
        """Return an aggregate over the points of each series, of the lowest rank that has it.

        Args:
            spans: The series.
            what: The aggregate.
            within: Which steps; None = only those that can be the last.
        """
        found: dict[SeriesKey, float] = {}
        for pack in few_pieces(spans):
            parameters = Parameters()
            steps = self._spans.tail(pack, None) if within is None else within
            points = PointsSource(self._database, pack)
            sql = f"""
SELECT {thinning.SERIES}, argMin(of_rank, rank) AS value FROM (
  SELECT {_RANKED}, {what} AS of_rank
  FROM {points.points({steps: [span.key for span in pack]}, parameters)} GROUP BY {_RANKED})
GROUP BY {thinning.SERIES}"""
            found.update(_rows(self._clickhouse.query_arrow(sql, parameters.values), "value"))
        return found


def _ordered(parts: Sequence[pa.Table]) -> pa.Table:
    """Put parts together, each of which is in order, by project, run_id, metric, rank."""
    found = [answers.conform(part, answers.LATEST) for part in parts]
    if len(found) <= 1:
        return found[0] if found else answers.LATEST.empty_table()
    order = [(column, "ascending") for column in ("project", "run_id", "metric", "rank")]
    return pa.concat_tables(found).sort_by(order)


def _of_metrics(metrics: Sequence[str] | None, parameters: Parameters) -> str:
    return f" AND metric IN {parameters.texts(metrics)}" if metrics is not None else ""


def _rows(table: pa.Table, column: str) -> list[tuple[SeriesKey, Any]]:
    """Return a column beside the series it is of."""
    names = (table[name].to_pylist() for name in ("project", "run_id", "metric"))
    return list(zip(zip(*names, strict=True), table[column].to_pylist(), strict=True))
