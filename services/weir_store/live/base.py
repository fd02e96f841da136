"""The words of looking on: who looks at what, and what there was to tell.

A frame is told once its producer's watermark is past it: what is told is stored (G2) and stays.
How far it was told is a mark for every process life, the same as a follower of the console has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

import pyarrow as pa

from weir_store.console.cursor import Life, Marks
from weir_store.records import Event, RunRef

POINTS = pa.schema(
    {
        "metric": pa.string(),
        "rank": pa.uint32(),
        "step": pa.int64(),
        "time_unix_us": pa.int64(),
        "value": pa.float64(),
    }
)
TEXTS = pa.schema([*POINTS.remove(4), ("value", pa.string()), ("is_media", pa.bool_())])
DELETED = "deleted"
"""The state of a run that was there and is no more."""


class Kind(StrEnum):
    """What can be told."""

    POINTS = "points"
    TEXTS = "texts"
    EVENTS = "events"
    STATES = "states"


@dataclass(frozen=True, slots=True)
class Scope:
    """Which runs: those named, and all of the projects named, also those to come."""

    runs: frozenset[RunRef] = frozenset()
    projects: frozenset[str] = frozenset()

    def has(self, run: RunRef) -> bool:
        """Return whether it looks at this run."""
        return run in self.runs or run.project in self.projects

    def __or__(self, other: Scope) -> Scope:
        return Scope(self.runs | other.runs, self.projects | other.projects)


@dataclass(frozen=True, slots=True)
class Wants:
    """What of it.

    Attributes:
        kinds: Which kinds.
        metrics: Exact names of points and texts; None = all.
        ranks: Of points, texts and events; None = all.
    """

    kinds: frozenset[Kind] = frozenset(Kind)
    metrics: frozenset[str] | None = None
    ranks: frozenset[int] | None = None

    def __or__(self, other: Wants) -> Wants:
        return Wants(
            self.kinds | other.kinds,
            _either(self.metrics, other.metrics),
            _either(self.ranks, other.ranks),
        )


def _either(one: frozenset | None, other: frozenset | None) -> frozenset | None:  # type: ignore[type-arg]
    return None if one is None or other is None else one | other


@dataclass(frozen=True, slots=True)
class Rows:
    """Points or texts of one run; columns as `POINTS` or `TEXTS`."""

    kind: Kind
    run: RunRef
    table: pa.Table


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a run."""

    run: RunRef
    event: Event


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands.

    Attributes:
        state: As in `RunState`, or `DELETED`.
        world_size: Processes it said it has.
        ranks: Ranks that were seen.
    """

    run: RunRef
    state: str
    world_size: int = 0
    ranks: int = 0


Told: TypeAlias = Rows | Happened | Standing


@dataclass(frozen=True, slots=True)
class Start:
    """Where to go on.

    Attributes:
        marks: Frames up to these were told; lives that are not here from their first.
        events_unix_us: Events that people or Weir itself made since then were not told.
    """

    marks: Marks = field(default_factory=dict)
    events_unix_us: int = 0


def marks_by_run(marks: Marks) -> Mapping[RunRef, dict[Life, int]]:
    """Return marks apart by run."""
    runs: dict[RunRef, dict[Life, int]] = {}
    for life, seq in marks.items():
        runs.setdefault(RunRef(life.project, life.run_id), {})[life] = seq
    return runs


def within(marks: Marks, scope: Scope) -> dict[Life, int]:
    """Return the marks of runs that are looked at."""
    return {life: seq for life, seq in marks.items() if scope.has(RunRef(*life[:2]))}


def moved(before: Marks, after: Marks) -> dict[Life, int]:
    """Return the marks of `after` that lie beyond those of `before`."""
    return {life: seq for life, seq in after.items() if seq > before.get(life, 0)}


def runs_of(marks: Iterable[Life]) -> list[RunRef]:
    """Return whose lives these are, sorted, each once."""
    return sorted({RunRef(life.project, life.run_id) for life in marks})
