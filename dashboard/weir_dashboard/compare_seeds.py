"""Runs that are the same but for their seed, put together: mean and how sure one can be of it. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from weir_dashboard import words
from weir_store.ranks.student import t95
from weir_store.records import Json, Run

_SEED: Final = re.compile(r"(^|[._/\-])(random_?)?seeds?($|[._/\-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Group:
    """Runs of one project and one config, seeds aside.

    Attributes:
        label: Config in which the groups differ; the run's name where it is alone in saying so.
        places: Of its runs in the list that was given, in order.
    """

    label: str
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of the finite values of a group.

    Attributes:
        mean: NaN where there is none.
        half: Half of the 95 % confidence interval, mean ± half; NaN below two values.
        n: Finite values.
        left_out: Values that are NaN or infinite; runs without the value are in neither.
    """

    mean: float
    half: float
    n: int
    left_out: int


def is_seed(path: str) -> bool:
    """Tell whether a config path names a seed: `seed`, `data.seed`, `random_seed`, `train/seeds/0`."""
    return _SEED.search(path) is not None


def groups(runs: Sequence[Run]) -> list[Group]:
    """Put together runs whose config is equal but for seeds; in order of their first run."""
    found: dict[tuple[object, ...], list[int]] = {}
    for place, run in enumerate(runs):
        found.setdefault((run.project, _fingerprint(run)), []).append(place)
    telling = _telling([runs[places[0]] for places in found.values()])
    return [Group(_label(runs[places[0]], telling), tuple(places)) for places in found.values()]


def mean_of(values: Iterable[float | None]) -> Mean:
    """Return mean and 95 % confidence interval (Student's t) of the finite values; None is absent."""
    there = np.array([value for value in values if value is not None], dtype=np.float64)
    finite = there[np.isfinite(there)]
    n = len(finite)
    mean = float(finite.mean()) if n else math.nan
    half = t95(n - 1) * float(finite.std(ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return Mean(mean, half, n, len(there) - n)


def _fingerprint(run: Run) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted((path, _said(value)) for path, value in run.config.items() if not is_seed(path))
    )


def _said(value: object) -> str:
    """Tell values apart by kind as well: True is not 1, though 1 is 1.0."""
    if isinstance(value, Json):
        try:
            return json.dumps(json.loads(value.text), sort_keys=True)
        except ValueError:
            return value.text
    if isinstance(value, int | float) and not isinstance(value, bool):
        return repr(float(value))
    return f"{type(value).__name__} {value}"


def _telling(runs: Sequence[Run]) -> list[str]:
    paths = dict.fromkeys(path for run in runs for path in run.config if not is_seed(path))
    return [
        path
        for path in paths
        if len({_said(run.config[path]) if path in run.config else None for run in runs}) > 1
    ]


def _label(run: Run, telling: Sequence[str]) -> str:
    parts = [f"{path}={words.value(run.config[path])}" for path in telling if path in run.config]
    return ", ".join(parts) or run.group or run.name or run.run_id
