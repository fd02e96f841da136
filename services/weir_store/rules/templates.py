"""Rules that are ready to use: a SELECT, its parameters with good defaults, and when to ask it.

Each looks only at runs that gave a sign of life within the window, so that what it costs does not
grow with what was stored long ago.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from weir_store.errors import InvalidQuery
from weir_store.rules.records import Check
from weir_store.rules.records import Parameter as Value

_SINCE: Final = "{now:DateTime64(6, 'UTC')} - toIntervalSecond({window:UInt32})"
_ACTIVE: Final = f"run_id IN (SELECT run_id FROM runs WHERE last_seen_at >= {_SINCE})"
_RUNNING: Final = "run_id IN (SELECT run_id FROM runs WHERE state = 'running')"


@dataclass(frozen=True, slots=True)
class Parameter:
    """What can be set: its default, and what it means."""

    default: Value
    about: str


@dataclass(frozen=True, slots=True)
class Template:
    """A rule but for its name and actions.

    Attributes:
        name: As `template:` says it.
        about: When it fires, in one sentence.
        sql: The SELECT; "" for a built-in check.
        parameters: What `with:` may set.
        check: How it finds what fires.
        every_s: How often, unless the rule says.
        for_s: Likewise.
        window_s: Likewise.
        severity: Likewise.
    """

    name: str
    about: str
    sql: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    check: Check = Check.SQL
    every_s: float = 30.0
    for_s: float = 0.0
    window_s: float = 600.0
    severity: str = "warn"


_ALL: Final = (
    Template(
        "nan",
        "a value of a metric is NaN or infinite",
        f"""
SELECT run_id, rank, step AS value, concat(name, ' was ', toString(bad), ' at step ', toString(step)) AS message
FROM (
  SELECT run_id, rank, metric AS name, step, value AS bad FROM metrics
  WHERE {_ACTIVE} AND metric LIKE {{metric:String}} AND NOT isFinite(value)
    AND time >= {_SINCE}
  ORDER BY run_id, rank, step LIMIT 1 BY run_id, rank)""",
        {"metric": Parameter("%loss%", "which metrics: a name, % stands for anything")},
        severity="error",
    ),
    Template(
        "plateau",
        "a metric has not become better for many steps",
        f"""
SELECT run_id, newest - best_at AS value,
  concat('no better for ', toString(newest - best_at), ' steps, best at step ', toString(best_at)) AS message
FROM (
  SELECT run_id, max(step) AS newest, argMin(step, if({{goal:String}} = 'max', -value, value)) AS best_at
  FROM metrics WHERE {_RUNNING} AND metric = {{metric:String}} AND isFinite(value)
  GROUP BY run_id)
WHERE newest - best_at >= {{patience:Int64}}""",
        {
            "metric": Parameter("val/loss", "exact name"),
            "goal": Parameter("min", "what is better: min or max"),
            "patience": Parameter(10_000, "steps without a better value"),
        },
        every_s=60.0,
        severity="info",
    ),
    Template(
        "divergence",
        "all values of a metric in the window are far above the best it was",
        f"""
SELECT run_id, recent AS value,
  concat('lately at least ', toString(round(recent, 6)), ', at best ', toString(round(best, 6))) AS message
FROM (
  SELECT run_id, minIf(value, time >= {_SINCE}) AS recent, countIf(time >= {_SINCE}) AS lately,
    min(value) AS best, count() AS points
  FROM metrics WHERE {_ACTIVE} AND metric = {{metric:String}} AND isFinite(value)
  GROUP BY run_id)
WHERE points >= {{least_points:UInt64}} AND lately > 0 AND recent - best > {{factor:Float64}} * abs(best)""",
        {
            "metric": Parameter("loss", "exact name; lower is better"),
            "factor": Parameter(2.0, "how far above: times the size of the best value"),
            "least_points": Parameter(100, "runs with fewer points are left alone"),
        },
        window_s=120.0,
        severity="error",
    ),
    Template(
        "overfitting",
        "the validation metric stays above its best while the training metric still falls",
        f"""
SELECT run_id, val_recent AS value,
  concat('lately at least ', toString(round(val_recent, 6)), ', at best ', toString(round(val_best, 6)),
    ' at step ', toString(best_at)) AS message
FROM (
  SELECT run_id,
    minIf(value, metric = {{val:String}} AND time >= {_SINCE}) AS val_recent,
    countIf(metric = {{val:String}} AND time >= {_SINCE}) AS lately,
    minIf(value, metric = {{val:String}}) AS val_best,
    argMinIf(step, value, metric = {{val:String}}) AS best_at,
    avgIf(value, metric = {{train:String}} AND time >= {_SINCE}) AS train_recent,
    avgIf(value, metric = {{train:String}} AND time < {_SINCE}) AS train_before
  FROM metrics WHERE {_ACTIVE} AND metric IN ({{train:String}}, {{val:String}}) AND isFinite(value)
  GROUP BY run_id)
WHERE lately > 0 AND val_recent - val_best > {{by:Float64}} * abs(val_best) AND train_recent < train_before""",
        {
            "train": Parameter("train/loss", "exact name; lower is better"),
            "val": Parameter("val/loss", "likewise"),
            "by": Parameter(0.05, "how far the validation metric is above its best, as a share"),
        },
        every_s=60.0,
        window_s=1_800.0,
    ),
    Template(
        "straggler",
        "a rank's steps take longer than those of the others",
        f"""
SELECT run_id, rank, mean AS value,
  concat(toString(round(mean, 4)), ' a step, usual are ', toString(round(usual, 4))) AS message
FROM (
  SELECT run_id, rank, mean, median(mean) OVER (PARTITION BY run_id) AS usual
  FROM (
    SELECT run_id, rank, avg(value) AS mean FROM metrics
    WHERE {_RUNNING} AND metric = {{metric:String}} AND isFinite(value) AND time >= {_SINCE}
    GROUP BY run_id, rank))
WHERE mean > {{factor:Float64}} * usual""",
        {
            "metric": Parameter("step_time_s", "time of a step, logged by every rank; exact name"),
            "factor": Parameter(1.3, "times the median of the ranks"),
        },
        for_s=60.0,
    ),
    Template(
        "hang",
        "no rank, or not every rank, goes on although the processes live",
        check=Check.HANG,
        severity="error",
    ),
    Template(
        "idle_gpu",
        "a GPU of a run that runs does nothing",
        f"""
SELECT run_id, node, min(mean) AS value,
  concat(toString(count()), ' idle: ', arrayStringConcat(arraySort(groupArray(device)), ', ')) AS message
FROM (
  SELECT run_id, node, device, avg(value) AS mean, count() AS samples FROM system
  WHERE {_RUNNING} AND metric = 'gpu.utilization' AND time >= {_SINCE}
  GROUP BY run_id, node, device)
WHERE mean < {{below:Float64}} AND samples >= {{least_samples:UInt64}}
GROUP BY run_id, node""",
        {
            "below": Parameter(5.0, "percent of utilisation, on the average of the window"),
            "least_samples": Parameter(10, "measurements that there must be"),
        },
        every_s=60.0,
        window_s=900.0,
    ),
    Template(
        "disk_full",
        "a disk that a run uses has little room left",
        f"""
SELECT run_id, node, min(free) AS value,
  concat(toString(round(min(free) / 1e9, 2)), ' GB left on ', argMin(device, free)) AS message
FROM (
  SELECT run_id, node, device, argMax(value, time) AS free FROM system
  WHERE {_RUNNING} AND metric = 'disk.free_bytes' AND time >= {_SINCE}
  GROUP BY run_id, node, device)
WHERE free < {{below_bytes:Float64}}
GROUP BY run_id, node""",
        {"below_bytes": Parameter(5e9, "bytes")},
        every_s=60.0,
        severity="error",
    ),
    Template(
        "crashed_run",
        "a run ended badly: it fell silent, or failed",
        f"""
SELECT run_id, toFloat64(ranks) AS value, concat(if(name = '', run_id, name), ' ', state) AS message
FROM runs WHERE state IN {{states:Array(String)}} AND last_seen_at >= {_SINCE}""",
        {"states": Parameter(["crashed", "failed"], "which: crashed, failed, interrupted")},
        window_s=86_400.0,
        severity="error",
    ),
)

TEMPLATES: Final[Mapping[str, Template]] = {template.name: template for template in _ALL}
"""By name, in the order people read them."""


def template_of(name: str) -> Template:
    """Return a template. Raises `InvalidQuery` where there is none of that name."""
    if name in TEMPLATES:
        return TEMPLATES[name]
    near = difflib.get_close_matches(name, TEMPLATES, 1)
    hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(TEMPLATES)}"
    raise InvalidQuery(f"there is no template {name!r}", hint=hint)
