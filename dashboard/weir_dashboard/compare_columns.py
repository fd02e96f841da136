"""What can stand on an axis: config, results and reductions of metrics, as one number for each run. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from weir_dashboard import words
from weir_dashboard.compare_seeds import is_seed
from weir_store.records import Json, Run, RunRef, Scalar

HOW: Final = ("last", "min", "max", "mean")
"""Reductions of a metric: `metric.val/loss@min`."""

_LOG_FROM: Final = 10.0  # highest / lowest; below this a linear axis shows as much

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Results: TypeAlias = Mapping[tuple[RunRef, str], Mapping[str, float | None]]
"""(run, metric) → what it came to, by `HOW`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One value of every run.

    Attributes:
        name: `config.…`, `summary.…`, `metric.…@how` or `run.…`.
        numbers: One for each run: the value, or the place of its category from 0;
            NaN where there is none that can be placed.
        categories: What the places mean; empty when the values are numbers.
        texts: One for each run, as people read it; "" where it has none.
        missing: Runs that do not have it.
        nonfinite: Runs whose value is NaN or infinite.
        log: The values ask for a logarithmic axis.
    """

    name: str
    numbers: Numbers
    categories: tuple[str, ...]
    texts: tuple[str, ...]
    missing: int
    nonfinite: int
    log: bool

    @property
    def placed(self) -> int:
        """How many runs have a value that can be drawn."""
        return int(np.isfinite(self.numbers).sum())


def label(name: str) -> str:
    """Write the name as people read it: without where it comes from."""
    space, _, rest = name.partition(".")
    return rest if space in ("config", "summary", "metric", "run") and rest else name


def offered(runs: Iterable[Run], metrics: Iterable[str]) -> list[str]:
    """List what there is to choose: config, results, reductions of metrics, facts of the run."""
    config: dict[str, None] = {}
    summary: dict[str, None] = {}
    for run in runs:
        config |= dict.fromkeys(run.config)
        summary |= dict.fromkeys(run.summary)
    names = [f"config.{path}" for path in sorted(config)]
    names += [f"summary.{path}" for path in sorted(summary)]
    names += [f"metric.{metric}@{how}" for metric in metrics for how in HOW]
    return [*names, "run.duration_s", "run.created_unix_s"]


def telling_config(runs: Sequence[Run]) -> list[str]:
    """List the config paths in which the runs differ, `config.…`; seeds, and what few runs have, come last.

    A path that most runs have for themselves alone says nothing but who they are: left out, unless
    it holds numbers.
    """
    found: list[tuple[bool, bool, str]] = []
    for path in sorted({path for run in runs for path in run.config}):
        values = [run.config[path] for run in runs if path in run.config]
        distinct = len(set(map(repr, values)))
        if distinct + (len(values) < len(runs)) < 2:
            continue
        if distinct > max(8, len(values) / 2) and not all(map(_is_number, values)):
            continue
        found.append((is_seed(path), len(values) < len(runs) / 2, f"config.{path}"))
    return [name for *_, name in sorted(found)]


def results_of(table: pa.Table) -> Results:
    """Read `compared.base.RESULTS` by run and metric."""
    names = ("project", "run_id", "metric", *HOW)
    columns = [table.column(name).to_pylist() for name in names]
    return {
        (RunRef(project, run_id), metric): dict(zip(HOW, values, strict=True))
        for project, run_id, metric, *values in zip(*columns, strict=True)
    }


def metric_of(name: str) -> tuple[str, str] | None:
    """Return metric and reduction of `metric.…@how`; None of anything else."""
    metric, at, how = name.removeprefix("metric.").rpartition("@")
    return (metric, how) if name.startswith("metric.") and at and how in HOW else None


def column(name: str, runs: Sequence[Run], results: Results) -> Column:
    """Return a column; a name that nothing has gives one in which every run is missing."""
    values = [_value(name, run, results) for run in runs]
    there = [value for value in values if value is not None]
    if all(map(_is_number, there)):
        return _of_numbers(name, values)
    texts = tuple("" if value is None else words.value(value) for value in values)
    categories = tuple(
        sorted({text for text, value in zip(texts, values, strict=True) if value is not None})
    )
    places = {category: float(place) for place, category in enumerate(categories)}
    numbers = [
        math.nan if value is None else places[text]
        for text, value in zip(texts, values, strict=True)
    ]
    return Column(
        name, np.array(numbers, np.float64), categories, texts, len(values) - len(there), 0, False
    )


def asks_for_log(numbers: Numbers) -> bool:
    """Tell whether positive values fill a logarithmic axis more evenly than a linear one.

    The middle value stands nearer to the middle of the axis that suits: 1e-4, 1e-3, 1e-2 asks for log.
    """
    values = numbers[np.isfinite(numbers)]
    if len(values) < 2 or values.min() <= 0 or values.max() < _LOG_FROM * values.min():
        return False
    off = [
        abs((np.median(each) - each.min()) / (each.max() - each.min()) - 0.5)
        for each in (values, np.log(values))
    ]
    return bool(off[1] < off[0])


def _of_numbers(name: str, values: Sequence[Scalar | Json]) -> Column:
    numbers = np.array([math.nan if value is None else value for value in values], np.float64)
    missing = sum(value is None for value in values)
    finite = np.isfinite(numbers)
    nonfinite = int((~finite).sum()) - missing
    texts = tuple("" if value is None else words.value(value) for value in values)
    placed = np.where(finite, numbers, math.nan)
    return Column(name, placed, (), texts, missing, nonfinite, asks_for_log(placed))


def _value(name: str, run: Run, results: Results) -> Scalar | Json:
    space, _, path = name.partition(".")
    match space:
        case "config":
            return run.config.get(path)
        case "summary":
            return run.summary.get(path)
        case "metric":
            asked = metric_of(name)
            return results.get((run.ref, asked[0]), {}).get(asked[1]) if asked else None
        case "run" if path == "created_unix_s":
            return run.created_unix_us / 1e6
        case "run" if path == "duration_s":
            end = run.finished_unix_us or run.last_seen_unix_us
            return (end - run.created_unix_us) / 1e6 if end else None
    return None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
