"""What hangs on runs: attributes, and what each metric came to. Asked for many runs at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from weir_store.attributes import (
    METRIC_RULE,
    Attributes,
    Rule,
    policy_of,
    read_rule,
    value_of,
)
from weir_store.clickhouse import ClickHouse
from weir_store.parameters import Parameters
from weir_store.plan import SeriesKey
from weir_store.reader_latest import LatestReader
from weir_store.reader_live import of_runs
from weir_store.reader_pages import Override
from weir_store.records import RunRef

LABELS = ("name", "group", "job_type", "user", "notes")
"""Metadata that every run is labelled by."""


class DetailsReader:
    """Fills runs that were found; every method asks a fixed number of questions."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._latest = LatestReader(clickhouse, database)

    def attributes(
        self, refs: Sequence[RunRef], paths: Mapping[str, Sequence[str]] | None
    ) -> dict[RunRef, Attributes]:
        """Return config, summary, metadata, tags and rules; only these paths when given.

        Args:
            refs: Runs that exist, at least one.
            paths: Paths by namespace (config, summary, meta); `None` = all.
        """
        parameters = Parameters()
        where = of_runs(refs, parameters) + _of_paths(paths, parameters)
        sql = f"""
SELECT project, run_id, toString(ns), path, toString(type), num, int, str, ver
FROM {self._database}.run_attrs FINAL WHERE {where} ORDER BY project, run_id, ns, path"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        found: dict[RunRef, Attributes] = {}
        for project, run_id, space, path, *typed, ver in rows:
            held = found.setdefault(RunRef(project, run_id), Attributes())
            held.put(space, path, value_of(*typed), ver)
        return found

    def automatic_summaries(
        self,
        refs: Sequence[RunRef],
        attributes: Mapping[RunRef, Attributes],
        metrics: Sequence[str] | None,
    ) -> dict[RunRef, dict[str, float]]:
        """Return what each metric came to, by the rules of its run; only these metrics when given."""
        rules = {(ref.project, ref.run_id): held.rules for ref, held in attributes.items()}
        policies: dict[SeriesKey, str] = {}
        summaries: dict[tuple[str, str], dict[str, float]] = {}
        for key, value in self._latest.last_values(refs, metrics).items():
            told = rules.get(key[:2])
            policy = policy_of(key[2], told) if told else "last"
            if policy == "last":
                summaries.setdefault(key[:2], {})[key[2]] = value
            else:
                policies[key] = policy
        for key, summary in self._latest.summarised(policies).items():
            if summary is not None:
                summaries.setdefault(key[:2], {})[key[2]] = summary
        return {RunRef(*run): held for run, held in summaries.items()}

    def overrides(
        self, scope: str, metrics: Iterable[str], parameters: Parameters
    ) -> dict[str, list[Override]]:
        """Return where a rule makes something other than the last value of these metrics.

        Args:
            scope: Condition on `project`.
            metrics: Metrics to look at; none asks nothing.
            parameters: What `scope` is bound to.
        """
        wanted = sorted(set(metrics))
        if not wanted:
            return {}
        sql = f"""
SELECT project, run_id, path, str, ver FROM {self._database}.run_attrs FINAL
WHERE {scope} AND ns = 'meta' AND startsWith(path, '{METRIC_RULE}')"""
        rules: dict[RunRef, list[Rule]] = {}
        for project, run_id, path, text, ver in self._clickhouse.query_rows(sql, parameters.values):
            if rule := read_rule(path, text, ver):
                rules.setdefault(RunRef(project, run_id), []).append(rule)
        policies = {
            (run.project, run.run_id, metric): policy
            for run, told in rules.items()
            for metric in wanted
            if (policy := policy_of(metric, told)) != "last"
        }
        overrides: dict[str, list[Override]] = {}
        for (project, run_id, metric), value in self._latest.summarised(policies).items():
            overrides.setdefault(metric, []).append(Override(project, run_id, value))
        return overrides


def _of_paths(paths: Mapping[str, Sequence[str]] | None, parameters: Parameters) -> str:
    """Return the condition on namespaces and paths, to be appended."""
    if paths is None:
        return ""
    chosen = [
        "ns = 'tag'",
        f"(ns = 'config' AND path IN {parameters.texts(paths['config'])})",
        f"(ns = 'summary' AND path IN {parameters.texts(paths['summary'])})",
        f"(ns = 'meta' AND path IN {parameters.texts([*LABELS, *paths['meta']])})",
        f"(ns = 'meta' AND startsWith(path, '{METRIC_RULE}'))",
    ]
    return f" AND ({' OR '.join(chosen)})"
