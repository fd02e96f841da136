"""Numbers of metrics as columns of runs: for one page of runs, and for sorting and filtering all of a project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from weir_store.clickhouse import ClickHouse
from weir_store.metric_field import AT_STEP, LAST, MetricField
from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey
from weir_store.reader_latest import LatestReader, apart_sql
from weir_store.reader_pages import Override
from weir_store.records import RunRef
from weir_store.sight import Sight


class StatsReader:
    """Answers for metric fields other than the last value over a scope, and for all of them over a page."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._latest = LatestReader(clickhouse, database)

    def of_runs(
        self, sight: Sight, fields: Sequence[MetricField]
    ) -> dict[RunRef, dict[str, float]]:
        """Return what the runs have of these fields, by the field's text; what they lack is absent."""
        found: dict[RunRef, dict[str, float]] = {run: {} for run in (*sight.plain, *sight.bent)}
        asked: dict[tuple[str, int], list[str]] = {}
        for field in fields:
            asked.setdefault((field.stat, field.step), []).append(field.metric)
        for (stat, step), metrics in asked.items():
            for key, value in self._values(sight, metrics, stat, step).items():
                if value is not None:
                    found[RunRef(*key[:2])][str(MetricField(key[2], stat, step))] = value
        return found

    def overrides(
        self, scope: str, bent: Sight, fields: Iterable[MetricField], parameters: Parameters
    ) -> dict[str, list[Override]]:
        """Return, by the field's text, the runs that the tables would not tell rightly.

        These are bent runs, and those that logged a step twice: the small tables remember what was corrected.

        Args:
            scope: Condition on `project`.
            bent: The runs of the scope that are rewound or forked.
            fields: None of them the last value.
            parameters: What `scope` is bound to.
        """
        found: dict[str, list[Override]] = {}
        for field in fields:
            doubtful = sorted(self._doubtful(scope, field.metric, parameters) - set(bent.bent))
            sight = Sight(tuple(doubtful), bent.bent, bent.cold)
            values = self._values(sight, [field.metric], field.stat, field.step)
            found[str(field)] = [
                Override(*run_of(run), values.get((*run_of(run), field.metric)))
                for run in (*sight.plain, *sight.bent)
            ]
        return found

    def _values(
        self, sight: Sight, metrics: Sequence[str], stat: str, step: int
    ) -> Mapping[SeriesKey, float | None]:
        """Ask a fixed number of questions for all runs and metrics of one kind of number."""
        if not (sight.plain or sight.bent):
            return {}
        if stat == LAST:
            return self._latest.last_values(sight, metrics)
        runs = (*sight.plain, *sight.bent)
        keys: list[SeriesKey] = [(*run_of(run), metric) for run in runs for metric in metrics]
        if stat == AT_STEP:
            return self._latest.at_step(sight, keys, step)
        return self._latest.summarised(sight, dict.fromkeys(keys, stat))

    def _doubtful(self, scope: str, metric: str, parameters: Parameters) -> set[RunRef]:
        sql = f"""
SELECT DISTINCT project, run_id FROM (
  SELECT project, run_id, rank FROM {self._database}.series
  WHERE {scope} AND metric = {parameters.text(metric)}
  GROUP BY project, run_id, rank HAVING NOT ({apart_sql()}))"""
        return {RunRef(*row) for row in self._clickhouse.query_rows(sql, parameters.values)}


def run_of(run: RunRef) -> tuple[str, str]:
    """Return a run as the first two parts of a series' key."""
    return run.project, run.run_id
