"""One page of runs: which match, in which order, how many. A single statement over the small tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as _field

from weir_store.conditions import Condition, Field, fields_of
from weir_store.filter_sql import Columns, compile_condition
from weir_store.metric_field import LAST, MetricField, parse_metric_field
from weir_store.parameters import Parameters
from weir_store.reader_live import of_runs
from weir_store.records import RunRef
from weir_store.run_state import states_sql

_META_NAMES = ("name", "group", "job_type", "user", "notes")
_RUN_COLUMNS = {
    **{name: Columns(text=f"`{name}`") for name in _META_NAMES},
    "id": Columns(text="run_id"),
    "project": Columns(text="project"),
    "state": Columns(text="state"),
    "created": Columns(number="created_us"),
    "finished": Columns(number="nullIf(ended_us, 0)"),
    "duration": Columns(number="(if(ended_us = 0, seen_us, ended_us) - created_us) / 1e6"),
    "tags": Columns(),
}


@dataclass(frozen=True, slots=True)
class Override:
    """What a run has of a metric where the series table does not say it; None = nothing."""

    project: str
    run_id: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Runs of which the tables alone say something else than what is shown.

    Attributes:
        summaries: By metric: where a rule makes something other than the last value.
        last: By metric: the last values of runs that were rewound or forked.
        stats: By metric field (metric_field.py): what runs have of it that the tables tell wrongly.
        parents: For forked runs: whose config they have, themselves first.
    """

    summaries: Mapping[str, Sequence[Override]] = _field(default_factory=dict)
    last: Mapping[str, Sequence[Override]] = _field(default_factory=dict)
    parents: Mapping[RunRef, Sequence[RunRef]] = _field(default_factory=dict)
    stats: Mapping[str, Sequence[Override]] = _field(default_factory=dict)


def page_sql(
    database: str,
    scope: str,
    alive_since: str,
    condition: Condition,
    order: Field,
    descending: bool,
    exceptions: Exceptions,
    parameters: Parameters,
) -> str:
    """Return the statement that gives matching runs in order, ready for LIMIT.

    Columns: project, run_id, created_us, state, ended_us, seen_us, world_size,
    ranks, total.

    Args:
        database: Where the tables are.
        scope: Condition on `project`.
        alive_since: SQL of Unix µs; who was seen before it is silent.
        condition: Which runs.
        order: What to sort by; runs that do not have it come last.
        descending: Highest first.
        exceptions: Runs that the tables alone would not tell rightly.
        parameters: Where values are bound.
    """
    asked = {field for field in {*fields_of(condition), order} if field.space != "run"}
    columns = {field: _RUN_COLUMNS[field.name] for field in {*fields_of(condition), order} - asked}
    joins, selected = [], []
    for number, field in enumerate(sorted(asked, key=str)):
        columns[field] = Columns(f"number_{number}", f"text_{number}")
        selected.append(f"f{number}.number AS number_{number}, f{number}.text AS text_{number}, ")
        joined = _field_sql(database, scope, field, exceptions, parameters)
        joins.append(f"LEFT JOIN ({joined}) AS f{number} USING (project, run_id)\n")
    where = compile_condition(condition, columns, parameters)
    return f"""
SELECT project, run_id, created_us, toString(state) AS state, ended_us, seen_us, world_size, ranks,
  count() OVER () AS total
FROM (
  SELECT project, run_id, ranks, world_size,
    {"".join(selected)}attrs.tags AS tags, {_meta("attrs.")},
    toUnixTimestamp64Micro(created_at) AS created_us,
    multiIf(ranks > 0, run_state, created_us < {alive_since}, 'crashed', 'running') AS state,
    multiIf(ranks > 0, run_ended_us, state = 'running', 0, created_us) AS ended_us,
    if(ranks > 0, run_seen_us, created_us) AS seen_us
  FROM (SELECT project, run_id, created_at FROM {database}.runs FINAL WHERE {scope}) AS runs
  LEFT JOIN ({states_sql(database, scope, alive_since)}) AS states USING (project, run_id)
  LEFT JOIN ({_attrs_sql(database, scope)}) AS attrs USING (project, run_id)
  {"".join(joins)})
WHERE {where}
ORDER BY {_order(columns[order], descending)}, created_us DESC, project, run_id"""


def _order(columns: Columns, descending: bool) -> str:
    direction = "DESC NULLS LAST" if descending else "ASC NULLS LAST"
    number = f"if(isNaN({columns.number}), NULL, {columns.number}) {direction}"
    keys = [number] if columns.number else []
    return ", ".join([*keys, f"{columns.text} {direction}"] if columns.text else keys) or "project"


def _meta(prefix: str) -> str:
    return ", ".join(f"{prefix}`{name}` AS `{name}`" for name in _META_NAMES)


def _attrs_sql(database: str, scope: str) -> str:
    """Return what every run is searched and labelled by."""
    meta = ", ".join(
        f"anyIf(str, ns = 'meta' AND path = '{name}') AS `{name}`" for name in _META_NAMES
    )
    names = ", ".join(f"'{name}'" for name in _META_NAMES)
    return f"""
  SELECT project, run_id, arraySort(groupArrayIf(path, ns = 'tag')) AS tags, {meta}
  FROM {database}.run_attrs FINAL
  WHERE {scope} AND (ns = 'tag' OR (ns = 'meta' AND path IN ({names})))
  GROUP BY project, run_id"""


def _field_sql(
    database: str, scope: str, field: Field, exceptions: Exceptions, parameters: Parameters
) -> str:
    """Return one row per run that has the field: `number` and `text`, NULL where it is not that."""
    if field.space == "metrics":
        return _first_of(_last_parts(database, scope, field.name, exceptions, parameters))
    if field.space == "metric":
        return _first_of(_stat_parts(database, scope, field.name, exceptions, parameters))
    attribute = _attribute_sql(database, scope, field, parameters)
    if field.space == "summary":
        told = exceptions.summaries.get(field.name, ())
        ruled = [_overrides_sql(told, parameters)] if told else []
        last = _last_parts(database, scope, field.name, exceptions, parameters)
        return _first_of([attribute, *ruled, *last])
    if field.space == "config" and exceptions.parents:
        inherited = _inherited_sql(database, field.name, exceptions.parents, parameters)
        return _first_of([attribute, inherited])
    return attribute


def _first_of(parts: Sequence[str]) -> str:
    """Put sources together: of each run the row of the first that has one."""
    if len(parts) == 1:
        return parts[0]
    ranked = " UNION ALL ".join(
        f"SELECT project, run_id, tuple(number) AS number, tuple(text) AS text, {n} AS priority"
        f" FROM ({part})"
        for n, part in enumerate(parts)
    )
    return f"""
  SELECT project, run_id, argMin(number, priority).1 AS number, argMin(text, priority).1 AS text
  FROM ({ranked}) GROUP BY project, run_id"""


def _last_parts(
    database: str, scope: str, metric: str, exceptions: Exceptions, parameters: Parameters
) -> list[str]:
    """Return where the last value of a metric is to be had, the best first."""
    last = _last_sql(database, scope, metric, parameters)
    told = exceptions.last.get(metric, ())
    return [_overrides_sql(told, parameters), last] if told else [last]


def _stat_parts(
    database: str, scope: str, name: str, exceptions: Exceptions, parameters: Parameters
) -> list[str]:
    """Return where a metric field is to be had, the best first."""
    field = parse_metric_field(name)
    if field.stat == LAST:
        return _last_parts(database, scope, field.metric, exceptions, parameters)
    told, stat = exceptions.stats.get(name, ()), _stat_sql(database, scope, field, parameters)
    return [_overrides_sql(told, parameters), stat] if told else [stat]


def _stat_sql(database: str, scope: str, field: MetricField, parameters: Parameters) -> str:
    """The field of every run that logged no step twice."""
    where = f"{scope} AND metric = {parameters.text(field.metric)}"
    match field.stat:
        case "min" | "max" as stat:
            value = f"if(isFinite({stat}({stat}_v)), {stat}({stat}_v), nan)"
            source = f"{database}.series WHERE {where}"
        case "mean":
            value = "ifNull(avgOrNullIf(value, isFinite(value)), nan)"
            source = f"{database}.points FINAL WHERE {where}"
        case _:
            value = "any(value)"
            step = parameters.whole(field.step)
            source = f"{database}.points FINAL WHERE {where} AND step = {step}"
    return f"""
  SELECT project, run_id, CAST(argMin(of_rank, rank), 'Nullable(Float64)') AS number,
    CAST(NULL, 'Nullable(String)') AS text
  FROM (SELECT project, run_id, rank, {value} AS of_rank FROM {source} GROUP BY project, run_id, rank)
  GROUP BY project, run_id"""


def _attribute_sql(database: str, scope: str, field: Field, parameters: Parameters) -> str:
    path = parameters.text(field.name)
    return f"""
  SELECT project, run_id,
    if(type IN ('float', 'int', 'bool'), num, CAST(NULL, 'Nullable(Float64)')) AS number,
    if(type IN ('str', 'json'), str, CAST(NULL, 'Nullable(String)')) AS text
  FROM {database}.run_attrs FINAL
  WHERE {scope} AND ns = '{field.space}' AND path = {path}"""


def _inherited_sql(
    database: str, path: str, parents: Mapping[RunRef, Sequence[RunRef]], parameters: Parameters
) -> str:
    """The nearest ancestor's word, the run's own included; what was removed is no more."""
    pairs = [
        (run.project, run.run_id, each.run_id, depth)
        for run, whose in parents.items()
        for depth, each in enumerate(whose)
    ]
    bound = parameters.rows(pairs, "Tuple(String, String, String, UInt32)")
    where = of_runs(sorted({each for whose in parents.values() for each in whose}), parameters)
    return f"""
  SELECT pair.1 AS project, pair.2 AS run_id, argMin(told.value, pair.4) AS nearest,
    if(nearest.2 IN ('float', 'int', 'bool'), nearest.3, CAST(NULL, 'Nullable(Float64)')) AS number,
    if(nearest.2 IN ('str', 'json'), nearest.4, CAST(NULL, 'Nullable(String)')) AS text
  FROM (SELECT arrayJoin({bound}) AS pair, pair.1 AS of_project, pair.3 AS of_run) AS shown
  INNER JOIN (
    SELECT project, run_id, argMax((is_deleted, toString(type), num, str), (ver, is_deleted)) AS value
    FROM {database}.run_attrs
    WHERE {where} AND ns = 'config' AND path = {parameters.text(path)}
    GROUP BY project, run_id) AS told
  ON shown.of_project = told.project AND shown.of_run = told.run_id
  GROUP BY pair.1, pair.2 HAVING nearest.1 = 0"""


def _last_sql(database: str, scope: str, metric: str, parameters: Parameters) -> str:
    """The metric's last value at the lowest rank that has it."""
    return f"""
  SELECT project, run_id, CAST(argMin(last_value, rank), 'Nullable(Float64)') AS number,
    CAST(NULL, 'Nullable(String)') AS text
  FROM (
    SELECT project, run_id, rank, argMaxMerge(last) AS last_value FROM {database}.series
    WHERE {scope} AND metric = {parameters.text(metric)} GROUP BY project, run_id, rank)
  GROUP BY project, run_id"""


def _overrides_sql(overrides: Sequence[Override], parameters: Parameters) -> str:
    runs = parameters.tuples([(each.project, each.run_id) for each in overrides], 2)
    values = parameters.numbers([each.value for each in overrides])
    return f"""
  SELECT pair.1.1 AS project, pair.1.2 AS run_id, pair.2 AS number,
    CAST(NULL, 'Nullable(String)') AS text
  FROM (SELECT arrayJoin(arrayZip({runs}, {values})) AS pair)"""
