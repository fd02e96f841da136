"""Which line of an answer a run belongs to. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from weir_store.attributes import Value
from weir_store.ranks.base import BY_SEAT, Over, ReduceQuery
from weir_store.ranks.checks import CONFIG
from weir_store.records import Json, RunRef

BETWEEN = " · "
_SEED = "seed"


@dataclass(frozen=True, slots=True)
class Labels:
    """What of a run tells it apart from others."""

    group: str = ""
    job_type: str = ""
    config: Mapping[str, Value] = field(default_factory=dict)


def keys_of(query: ReduceQuery) -> tuple[str, ...]:
    """Return what has a line of its own."""
    if query.by is not None:
        return query.by
    return () if query.over in (Over.RUNS, Over.SEEDS) else ("run",)


def needs_seats(query: ReduceQuery) -> bool:
    """Tell whether the answer depends on which process logged a point."""
    over_seats = query.over in (Over.NODES, Over.ROLES, Over.ATTEMPTS)
    return over_seats or query.roles is not None or any(k in BY_SEAT for k in keys_of(query))


def run_lines(query: ReduceQuery, labels: Mapping[RunRef, Labels]) -> dict[RunRef, str]:
    """Return the part of each run's line that the run decides, of seats nothing.

    Args:
        query: The question.
        labels: Of the runs that exist.
    """
    keys = [key for key in keys_of(query) if key not in BY_SEAT]
    seeds = _seed_lines(labels) if query.over is Over.SEEDS else {}
    lines: dict[RunRef, str] = {}
    for run, held in labels.items():
        parts = [_part(key, run, held) for key in keys]
        lines[run] = BETWEEN.join([*parts, *([seeds[run]] if seeds else [])])
    return lines


def needs_config(query: ReduceQuery) -> bool:
    """Tell whether config decides lines."""
    return query.over is Over.SEEDS or any(key.startswith(CONFIG) for key in keys_of(query))


def _part(key: str, run: RunRef, held: Labels) -> str:
    match key:
        case "run":
            return run.run_id
        case "group":
            return held.group
        case "job_type":
            return held.job_type
    path = key.removeprefix(CONFIG)
    return f"{path}={shown(held.config.get(path))}"


def shown(value: Value) -> str:
    """Return a config value as a line shows it."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case Json(text):
            return text
    return str(value)


def _seed_lines(labels: Mapping[RunRef, Labels]) -> dict[RunRef, str]:
    """Name each config by what tells it apart from the others; seeds do not count."""
    configs = {
        run: {path: shown(value) for path, value in held.config.items() if not is_seed(path)}
        for run, held in labels.items()
    }
    paths = sorted({path for config in configs.values() for path in config})
    apart = [path for path in paths if len({config.get(path) for config in configs.values()}) > 1]
    return {run: _told_apart(config, apart) for run, config in configs.items()}


def _told_apart(config: Mapping[str, str], apart: Sequence[str]) -> str:
    return BETWEEN.join(f"{path}={config[path]}" for path in apart if path in config) or "all"


def is_seed(path: str) -> bool:
    """Tell whether a config path names a seed: its last part is or ends in `seed`."""
    return path.replace("/", ".").rpartition(".")[2].lower().endswith(_SEED)
