"""What hangs on runs: attributes, and what each metric came to. Asked for many runs at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from weir_store.attributes import (
    METRIC_RULE,
    Attributes,
    Rule,
    Value,
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
from weir_store.sight import Sight

LABELS = ("name", "group", "job_type", "user", "notes")
"""Metadata that every run is labelled by."""


class DetailsReader:
    """Fills runs that were found; every method asks a fixed number of questions."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database
        self._latest = LatestReader(clickhouse, database)

    def attributes(
        self,
        refs: Sequence[RunRef],
        sight: Sight,
        paths: Mapping[str, Sequence[str]] | None,
        *,
        files: bool = False,
    ) -> dict[RunRef, Attributes]:
        """Return config, summary, metadata, tags and rules; only these paths when given.

        Args:
            refs: Runs that exist, at least one.
            sight: Of the same runs: config comes from ancestors, too.
            paths: Paths by namespace (config, summary, meta); `None` = all.
            files: Whether files are wanted, too; without `paths`. A run may have thousands.
        """
        parameters = Parameters()
        where = of_runs(refs, parameters) + _of_paths(paths, parameters)
        where += "" if files else " AND ns != 'file'"
        sql = f"""
SELECT project, run_id, toString(ns), path, toString(type), num, int, str, ver
FROM {self._database}.run_attrs FINAL WHERE {where} ORDER BY project, run_id, ns, path"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        found: dict[RunRef, Attributes] = {}
        for project, run_id, space, path, *typed, ver in rows:
            held = found.setdefault(RunRef(project, run_id), Attributes())
            held.put(space, path, value_of(*typed), ver)
        for run, config in self._inherited(sight, paths).items():
            found.setdefault(run, Attributes()).config = config
        return found

    def _inherited(
        self, sight: Sight, paths: Mapping[str, Sequence[str]] | None
    ) -> dict[RunRef, dict[str, Value]]:
        """Return the config of forked runs: each ancestor's, overlaid by its child's."""
        sources = {run: whose for run, whose in sight.sources().items() if len(whose) > 1}
        if not sources:
            return {}
        parameters = Parameters()
        where = of_runs(sorted({each for whose in sources.values() for each in whose}), parameters)
        where += "" if paths is None else f" AND path IN {parameters.texts(paths['config'])}"
        # Not FINAL: what a child removed hides what its parent has.
        sql = f"""
SELECT project, run_id, path, is_deleted, toString(type), num, int, str
FROM {self._database}.run_attrs WHERE {where} AND ns = 'config'
ORDER BY path, ver DESC, is_deleted DESC LIMIT 1 BY project, run_id, path"""
        told: dict[RunRef, list[tuple[str, bool, Value]]] = {}
        for project, run_id, path, gone, *typed in self._clickhouse.query_rows(
            sql, parameters.values
        ):
            told.setdefault(RunRef(project, run_id), []).append((path, gone, value_of(*typed)))
        return {
            run: overlaid(told.get(each, ()) for each in reversed(whose))
            for run, whose in sources.items()
        }

    def automatic_summaries(
        self,
        sight: Sight,
        attributes: Mapping[RunRef, Attributes],
        metrics: Sequence[str] | None,
    ) -> dict[RunRef, dict[str, float]]:
        """Return what each metric came to, by the rules of its run; only these metrics when given."""
        rules = {(ref.project, ref.run_id): held.rules for ref, held in attributes.items()}
        policies: dict[SeriesKey, str] = {}
        summaries: dict[tuple[str, str], dict[str, float]] = {}
        for key, value in self._latest.last_values(sight, metrics).items():
            told = rules.get(key[:2])
            policy = policy_of(key[2], told) if told else "last"
            if policy == "last":
                summaries.setdefault(key[:2], {})[key[2]] = value
            else:
                policies[key] = policy
        for key, summary in self._latest.summarised(sight, policies).items():
            if summary is not None:
                summaries.setdefault(key[:2], {})[key[2]] = summary
        return {RunRef(*run): held for run, held in summaries.items()}

    def overrides(
        self, scope: str, bent: Sight, metrics: Iterable[str], parameters: Parameters
    ) -> dict[str, list[Override]]:
        """Return where a rule makes something other than the last value of these metrics.

        Args:
            scope: Condition on `project`.
            bent: The runs of the scope that are rewound or forked.
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
        ruled = {RunRef(*key[:2]) for key in policies} - set(bent.bent)
        sight = Sight(tuple(ruled), bent.bent, bent.cold)
        return _by_metric(self._latest.summarised(sight, policies))

    def last_values(self, bent: Sight, metrics: Iterable[str]) -> dict[str, list[Override]]:
        """Return the last values of rewound and forked runs; None where such a run shows none."""
        wanted = sorted(set(metrics))
        if not (wanted and bent.bent):
            return {}
        unseen = {(run.project, run.run_id, each): None for run in bent.bent for each in wanted}
        return _by_metric({**unseen, **self._latest.last_values(bent, wanted)})


def overlaid(told: Iterable[Iterable[tuple[str, bool, Value]]]) -> dict[str, Value]:
    """Put config together, from the oldest ancestor to the run: (path, whether it was removed, value)."""
    config: dict[str, Value] = {}
    for of_run in told:
        for path, gone, value in of_run:
            config[path] = value
            if gone:
                del config[path]
    return dict(sorted(config.items()))


def _by_metric(values: Mapping[SeriesKey, float | None]) -> dict[str, list[Override]]:
    overrides: dict[str, list[Override]] = {}
    for (project, run_id, metric), value in values.items():
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
