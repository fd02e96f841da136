"""What is known of series before any point is read: ranges of step, time and value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from weir_store import thinning
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.plan import ROLLUP_SHIFT, SeriesKey, Span, StepRange
from weir_store.reader_live import of_runs
from weir_store.records import RunRef

_ROLLUP_WIDTH = 1 << ROLLUP_SHIFT


class SpanReader:
    """Looks at the small tables so that the large ones are asked little."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self.database = database

    def read(
        self, runs: Sequence[RunRef], metrics: Sequence[str], ranks: Sequence[int] | None
    ) -> list[Span]:
        """Return the spans of all series that have points, by key."""
        if not runs:
            return []
        parameters = Parameters()
        where = self._where(runs, metrics, ranks, parameters)
        sql = f"""
SELECT {thinning.SERIES}, min(first_step), max(last_step), count(), min(one_session), max(rewritten),
  min(first_unix_us), max(last_unix_us)
FROM (
  SELECT {thinning.SERIES}, rank, min(min_step) AS first_step, max(max_step) AS last_step,
    min(min_session) = max(max_session) AS one_session, max(rewrite) AS rewritten,
    toUnixTimestamp64Micro(min(min_ts)) AS first_unix_us,
    toUnixTimestamp64Micro(max(max_ts)) AS last_unix_us
  FROM {self.database}.series WHERE {where} GROUP BY {thinning.SERIES}, rank)
GROUP BY {thinning.SERIES} ORDER BY {thinning.SERIES}"""
        return [
            Span(
                (project, run, metric), first, last, ranks_, bool(one), bool(rewritten), born, seen
            )
            for project, run, metric, first, last, ranks_, one, rewritten, born, seen in (
                self._clickhouse.query_rows(sql, parameters.values)
            )
        ]

    def overlaps(self, keys: Sequence[SeriesKey]) -> Mapping[SeriesKey, StepRange]:
        """Return where sessions meet, [first, end) steps in whole rows of the roll-up."""
        if not keys:
            return {}
        parameters = Parameters()
        sql = f"""
SELECT {thinning.SERIES}, min(bucket) AS low, max(bucket) AS high
FROM (
  SELECT {thinning.SERIES}, bucket FROM {self.database}.points_64
  WHERE {thinning.of_series(keys, parameters)}
  GROUP BY {thinning.SERIES}, bucket, rank HAVING min(session) != max(session))
GROUP BY {thinning.SERIES}"""
        return {
            (project, run, metric): (low * _ROLLUP_WIDTH, (high + 1) * _ROLLUP_WIDTH)
            for project, run, metric, low, high in self._clickhouse.query_rows(
                sql, parameters.values
            )
        }

    def births(self, runs: Sequence[RunRef]) -> Mapping[RunRef, int]:
        """Return when each run logged its first point, Unix µs; runs without points are absent."""
        if not runs:
            return {}
        parameters = Parameters()
        sql = f"""
SELECT project, run_id, toUnixTimestamp64Micro(min(min_ts)) FROM {self.database}.series
WHERE {of_runs(runs, parameters)} GROUP BY project, run_id"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return {RunRef(project, run): born for project, run, born in rows}

    def values(
        self, runs: Sequence[RunRef], metric: str, ranks: Sequence[int] | None
    ) -> tuple[float, float] | None:
        """Return the range of a metric's finite values; `None` when there is none."""
        if not runs:
            return None
        parameters = Parameters()
        where = self._where(runs, [metric], ranks, parameters)
        sql = f"""
SELECT minIf(value, isFinite(value)), maxIf(value, isFinite(value)), countIf(isFinite(value))
FROM {self.database}.points FINAL WHERE {where}"""
        low, high, found = self._clickhouse.query_rows(sql, parameters.values)[0]
        return (low, high) if found else None

    def _where(
        self,
        runs: Sequence[RunRef],
        metrics: Sequence[str],
        ranks: Sequence[int] | None,
        parameters: Parameters,
    ) -> str:
        chosen = f"{of_runs(runs, parameters)} AND metric IN {parameters.texts(metrics)}"
        return chosen + thinning.of_ranks(ranks, parameters)


def by_metric(spans: Iterable[Span]) -> dict[str, list[Span]]:
    """Group spans by the name of their metric."""
    groups: dict[str, list[Span]] = {}
    for span in spans:
        groups.setdefault(span.key[2], []).append(span)
    return groups
