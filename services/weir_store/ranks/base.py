"""Asking about the ranks of runs: put together, compared with each other, or missing.

Implemented for ClickHouse (clickhouse.py) and in memory (memory.py), judged by one suite. The
columns of every table are in shapes.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import pyarrow as pa

from weir_store.records import RunRef


class Over(StrEnum):
    """What is put together: each of these counts as one value."""

    RANKS = "ranks"
    NODES = "nodes"  # a node's ranks become one value first, by the metric's declared reduction
    ROLES = "roles"  # likewise
    ATTEMPTS = "attempts"  # likewise: restarts of the same rank
    RUNS = "runs"  # likewise
    SEEDS = (
        "seeds"  # runs, one line for those whose config is the same but for what is called a seed
    )


class Reduction(StrEnum):
    """How several values become one. Only finite values count."""

    MEAN = "mean"
    SUM = "sum"
    MAX = "max"
    MIN = "min"
    P99 = "p99"
    LAST = "last"  # the value at the highest step; of those the one of the highest rank
    MEDIAN = "median"
    IQM = "iqm"  # interquartile mean: without the lowest and the highest quarter


DECLARABLE: Final = (
    Reduction.MEAN,
    Reduction.SUM,
    Reduction.MAX,
    Reduction.MIN,
    Reduction.P99,
    Reduction.LAST,
)
"""What `define_metric(reduce=…)` takes; `mean` is the default."""


class Interval(StrEnum):
    """How the 95 % confidence interval is found."""

    T = "t"  # of the mean, Student's t
    BOOTSTRAP = (
        "bootstrap"  # of `value`, percentiles of 1 000 resamples that are always the same ones
    )


BY_SEAT: Final = ("role", "node", "attempt")
"""Keys of lines that a process has; the others are its run's."""

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 1_000


@dataclass(frozen=True, slots=True)
class ReduceQuery:
    """Which values, put together how.

    Attributes:
        runs: 1 … 1 000.
        metrics: 1 … 1 000 exact names.
        over: What is put together.
        by: What has a line of its own: any of `run`, `role`, `node`, `attempt`, `group`, `job_type`,
            `config.PATH`. None = each run for ranks, nodes, roles and attempts; for runs one line in
            all, for seeds one for each config.
        reduce: What `value` is. None = as declared for the metric (`mean` by default); over runs and
            seeds the mean.
        interval: What `ci_low` and `ci_high` are.
        quantiles: Between 0 and 1, interpolated; columns `q50`, `q99.9` …
        max_points: Buckets of steps per metric, powers of two wide and aligned at 0; None = every step.
        ranks: None = all.
        roles: None = all. A role's steps are its own.
        x_min: First step.
        x_max: The step to end before.
    """

    runs: tuple[RunRef, ...]
    metrics: tuple[str, ...]
    over: Over = Over.RANKS
    by: tuple[str, ...] | None = None
    reduce: Reduction | None = None
    interval: Interval = Interval.T
    quantiles: tuple[float, ...] = ()
    max_points: int | None = None
    ranks: tuple[int, ...] | None = None
    roles: tuple[str, ...] | None = None
    x_min: int | None = None
    x_max: int | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """Under which names runs log what the boards are made of; the first that a run has counts.

    A name without `/` also matches the last part of longer ones: `step_time_s` matches
    `perf/step_time_s`. Names that end in `_ms` hold milliseconds, all others seconds.
    """

    step_time: tuple[str, ...] = (
        "step_time_s",
        "step_time",
        "step_time_ms",
        "iter_time_s",
        "iter_time",
    )
    data: tuple[str, ...] = ("data_time_s", "data_time", "data_time_ms", "dataloader_time_s")
    compute: tuple[str, ...] = ("compute_time_s", "compute_time", "compute_time_ms")
    comm: tuple[str, ...] = ("comm_time_s", "comm_time", "comm_time_ms", "allreduce_time_s")
    watched: tuple[str, ...] = ("loss", "train_loss", "grad_norm", "gradient_norm")


@dataclass(frozen=True, slots=True)
class StragglerQuery:
    """What the straggler board is to show.

    Attributes:
        ref: The run.
        metric: What holds the time of a step; "" = found by name, else the distance of the points'
            times in the metric with most points.
        roles: None = all; ranks are compared within their role.
        half_life_steps: Of the persistence: a step so many steps ago counts half.
        max_points: Buckets of the timeline.
        x_min: First step.
        x_max: The step to end before.
        names: Where to look for times.
    """

    ref: RunRef
    metric: str = ""
    roles: tuple[str, ...] | None = None
    half_life_steps: float = 100.0
    max_points: int = 200
    x_min: int | None = None
    x_max: int | None = None
    names: Names = Names()


@dataclass(frozen=True, slots=True)
class StragglerBoard:
    """Which ranks and nodes the others wait for.

    Attributes:
        ref: The run.
        metric: Where the times are from; "" when nothing was found.
        from_times: Whether they are distances between the points' times, not values.
        steps: Steps that at least two ranks of a role logged.
        median_s: Seconds of a usual step: the median over steps of the ranks' median.
        lost_s: Seconds lost: the sum over steps of the slowest minus the median.
        half_life_steps: Of the persistence.
        ranks: `shapes.STRAGGLERS`, most lost first.
        nodes: `shapes.STRAGGLER_NODES`, most lost first.
        timeline: `shapes.STRAGGLER_STEPS`, by role and step.
    """

    ref: RunRef
    metric: str
    from_times: bool
    steps: int
    median_s: float
    lost_s: float
    half_life_steps: float
    ranks: pa.Table
    nodes: pa.Table
    timeline: pa.Table


@dataclass(frozen=True, slots=True)
class DivergenceQuery:
    """When a rank counts as having left the others.

    Attributes:
        ref: The run.
        metrics: What to watch; empty = names like loss and gradient norm (`Names.watched`).
        window_steps: Logged steps that are judged together; windows are aligned at the first step.
        threshold: Robust z that the window's median must pass: distance from the ranks' median in units
            of 1.4826 × their median absolute deviation.
        names: What is watched when `metrics` is empty.
    """

    ref: RunRef
    metrics: tuple[str, ...] = ()
    window_steps: int = 20
    threshold: float = 8.0
    names: Names = Names()


@dataclass(frozen=True, slots=True)
class Patience:
    """How long without a step is too long: the larger of `times` usual steps and `floor_s`."""

    times: float = 10.0
    floor_s: float = 120.0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the ranks of a run, now. Nobody stores it: ask again to see whether it is over.

    Attributes:
        kind: `hang`.
        ref: The run.
        role: Of the ranks.
        title: One line.
        body: What is known, in sentences.
        since_unix_us: Of the last step's points.
        step: The highest step that any of the ranks reached.
        suspects: Ranks behind the others; empty when all stopped at the same step.
        last_steps: Of every live rank.
        nodes: Of the suspects.
        silent_s: Since the last point of any rank that should be logging.
        limit_s: What was allowed.
    """

    kind: str
    ref: RunRef
    role: str
    title: str
    body: str
    since_unix_us: int
    step: int
    suspects: tuple[int, ...]
    last_steps: Mapping[int, int]
    nodes: tuple[str, ...] = ()
    silent_s: float = 0.0
    limit_s: float = 0.0
    attrs: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """The same as long as it is the same finding."""
        return self.kind, self.ref.project, self.ref.run_id, self.role, self.step


USUAL_NAMES: Final = Names()
USUAL_PATIENCE: Final = Patience()


class RankReader(Protocol):
    """Asks about ranks. Safe from any thread; deleted runs do not exist here.

    Every method raises `InvalidQuery` for a wrong question and `StoreUnavailable` when no answer
    comes in time.
    """

    def read_reduced(self, query: ReduceQuery) -> pa.Table:
        """Put values together at the server.

        Returns, by metric, project, line, step (`shapes.reduced(quantiles)`): one row per line and
        bucket of steps, over each unit's value in the bucket: of a rank its last one there (for
        `max` and `min` its highest and lowest), of several ranks what is declared for the metric.
        Statistics are over the finite ones; ranks that logged NaN or ±Inf are counted beside them. `min`
        and `max` are over every finite point of the bucket, with the run and rank that caused them.
        """
        ...

    def list_ranks(self, ref: RunRef) -> pa.Table:
        """Return one row per role and rank: `shapes.RANKS`. Raises `UnknownRun`."""
        ...

    def read_stragglers(self, query: StragglerQuery) -> StragglerBoard:
        """Return whom the others wait for. Raises `UnknownRun`."""
        ...

    def rank_nodes(
        self, project: str, *, limit: int = 1_000, names: Names = USUAL_NAMES
    ) -> pa.Table:
        """Compare nodes over the newest runs of a project that log the time of a step.

        Returns `shapes.NODES`, most slowed down first: over all steps of all runs, how a rank's
        time compares with the median of its run and role at that step. Forks count what they
        logged themselves; what was rewound over took its time as well.
        """
        ...

    def read_divergence(self, query: DivergenceQuery) -> pa.Table:
        """Return which ranks left the others, and the first NaN and ±Inf: `shapes.DIVERGENCE`, by step.

        Raises `UnknownRun`.
        """
        ...

    def find_hangs(
        self,
        now_unix_us: int,
        *,
        projects: Sequence[str] | None = None,
        patience: Patience = USUAL_PATIENCE,
    ) -> list[Finding]:
        """Return the running runs whose ranks live but make no step, by run and role.

        Args:
            now_unix_us: Server's clock. Points carry the clock of their node: one that is off by
                more than the floor makes this wrong.
            projects: None = all.
            patience: How long is too long.
        """
        ...
