"""Asking about groups of runs: the mean of their curves, and how far the runs lie apart.

Implemented for ClickHouse (clickhouse.py) and over any reader (memory.py), judged by one suite.

    curve   of a run: in each bucket the mean over its ranks of each rank's last finite value, as the
            wall draws it; buckets without a point lie on the straight line between their neighbours,
            unless these are too far apart (joining.py) or not finite
    band    of a group: over the curves of all its runs, bucket by bucket
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa

from weir_store import reader_series
from weir_store.errors import InvalidQuery
from weir_store.records import Reduce, RunRef, SeriesQuery, XAxis

MAX_RUNS: Final = 10_000
MAX_GROUPS: Final = 10_000
MAX_KEYS: Final = 10_000

_F64, _U32 = pa.float64(), pa.uint32()
BANDS: Final = pa.schema(
    [
        ("group", pa.string()),
        ("metric", pa.string()),
        ("x", _F64),
        ("x_min", _F64),
        ("x_max", _F64),
        ("mean", _F64),
        ("std", _F64),
        ("ci", _F64),
        ("n", _U32),
        ("min", _F64),
        ("max", _F64),
        ("nonfinite", pa.uint8()),
        ("bad", _U32),
    ]
)


@dataclass(frozen=True, slots=True)
class Group:
    """Runs that are drawn as one line; a run may be in several."""

    name: str
    runs: tuple[RunRef, ...]


@dataclass(frozen=True, slots=True)
class BandQuery:
    """Which groups, which metrics, on which axis.

    Attributes:
        groups: All of them, with different names: together they decide how wide the buckets are.
        metrics: 1 … 1 000 exact metric names.
        max_points: Buckets of a line.
        wanted: Names of the groups to read; `None` reads all. What is read of one does not depend on the others.
        x: The axis.
        x_metric: The metric on the axis when `x` is METRIC.
        x_min: In the unit of `x`, inclusive; `None` = from the start.
        x_max: In the unit of `x`, exclusive; `None` = to the end.
        log_x: Buckets grow with x, as in `SeriesQuery`; neighbours are not joined then, nor where x is METRIC.
    """

    groups: tuple[Group, ...]
    metrics: tuple[str, ...]
    max_points: int = 512
    wanted: tuple[str, ...] | None = None
    x: XAxis = XAxis.STEP
    x_metric: str = ""
    x_min: float | None = None
    x_max: float | None = None
    log_x: bool = False

    @property
    def joined(self) -> bool:
        """Whether curves go on as lines between buckets with points."""
        return self.x is not XAxis.METRIC and not self.log_x

    @property
    def runs(self) -> tuple[RunRef, ...]:
        """The runs of all groups, each once, in order."""
        return tuple(sorted({run for group in self.groups for run in group.runs}))

    @property
    def read(self) -> tuple[Group, ...]:
        """The groups that are read, in the order of `groups`."""
        if self.wanted is None:
            return self.groups
        chosen = set(self.wanted)
        return tuple(group for group in self.groups if group.name in chosen)

    def curves(self) -> SeriesQuery:
        """Return the question for the curves of all runs."""
        return SeriesQuery(
            self.runs,
            self.metrics,
            self.max_points,
            self.x,
            self.x_metric,
            None,
            Reduce.RANKS,
            self.x_min,
            self.x_max,
            self.log_x,
        )


@dataclass(frozen=True, slots=True)
class Key:
    """A path of config: how many runs have it, and how many different values they give it."""

    path: str
    runs: int
    values: int


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some keys, those with several values first, then by name; and how many there are."""

    keys: tuple[Key, ...]
    total: int


class GroupReader(Protocol):
    """Safe from any thread. Raises `InvalidQuery` and `StoreUnavailable` as `base.Reader` does."""

    def list_keys(self, projects: Sequence[str], *, search: str = "", limit: int = 100) -> KeyPage:
        """Return the config paths that runs of these projects were given themselves.

        Args:
            projects: No projects have no keys.
            search: Words that must all occur, any case.
            limit: 1 … 10 000.
        """
        ...

    def read_bands(self, query: BandQuery) -> pa.Table:
        """Read one line per group and metric.

        Returns BANDS, by group (in the order asked), metric, x; a row for each bucket in which some
        run of the group has a point: x, x_max float64 (of the group's last point in it), x_min; mean,
        std (of a sample; NaN of one run, and where squares are too large for a float), ci (half of
        the 95 % interval of the mean, Student's t; NaN where std is) over the finite values of the
        runs' curves, n uint32 of them; min, max float64 over the finite points, NaN when there is
        none; nonfinite uint8 (bit 0 NaN, bit 1 +Inf, bit 2 −Inf) and bad uint32, how many runs have
        such points in the bucket.
        """
        ...

    def read_state(self, runs: Sequence[RunRef], metrics: Sequence[str]) -> str:
        """Name the state of what these runs show of these metrics: another name, other bands."""
        ...


def check(query: BandQuery) -> None:
    """Raise `InvalidQuery` for a question that breaks a limit."""
    runs = query.runs
    if len(runs) > MAX_RUNS:
        raise InvalidQuery(f"{len(runs)} runs to put together", hint=f"at most {MAX_RUNS}: filter")
    names = [group.name for group in query.groups]
    if len(names) > MAX_GROUPS or len(set(names)) < len(names):
        raise InvalidQuery(f"{len(names)} groups", hint=f"at most {MAX_GROUPS}, of different names")
    some = SeriesQuery(
        runs[:1] or (RunRef("", ""),),
        query.metrics,
        query.max_points,
        query.x,
        query.x_metric,
        x_min=query.x_min,
        x_max=query.x_max,
        log_x=query.log_x,
    )
    reader_series.check(some)


def check_limit(limit: int) -> None:
    """Raise `InvalidQuery` for a page of keys that breaks a limit."""
    if not 1 <= limit <= MAX_KEYS:
        raise InvalidQuery(f"limit is {limit}", hint=f"1 … {MAX_KEYS}")
