"""The words of the house at rest: what the store holds and what it answers.

Value types only; imports nothing of ours. Times are Unix microseconds (UTC),
`int`. A run is named by (project, run_id).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

_WRAPS_AT = 1 << 64

Scalar: TypeAlias = float | int | bool | str | None
"""A leaf of config or summary. Lists and other values are held as `Json`."""


@dataclass(frozen=True, slots=True)
class Json:
    """A config value that is no scalar, kept as JSON text."""

    text: str


class RunState(StrEnum):
    """Where a run, or one session of it, stands."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"


@dataclass(frozen=True, slots=True, order=True)
class RunRef:
    """Names one run."""

    project: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Project:
    """A project as the home page shows it; `last_activity_unix_us` is 0 when it never had any."""

    name: str
    runs: int
    running: int
    last_activity_unix_us: int


@dataclass(frozen=True, slots=True)
class Session:
    """One process life: a producer, the rank it was, and how it ended."""

    producer: UUID
    rank: int
    local_rank: int
    world_size: int
    node: str
    pid: int
    launcher: str
    role: str
    attempt: int
    state: RunState
    exit_code: int
    reason: str
    started_unix_us: int
    last_seen_unix_us: int
    committed_seq: int


@dataclass(frozen=True, slots=True)
class Run:
    """A run with everything a table row or an overview page needs.

    `config`, `summary` and `meta` are flat, keyed by path. `summary` holds the
    values set in code, and for every metric its last value under its name.
    `metrics` holds the metric fields a page was asked for, by their text (metric_field.py).
    `files` has JSON that names a blob (docs/formats/media.md) for each path; a
    page of runs leaves it out.
    """

    project: str
    run_id: str
    created_unix_us: int
    name: str = ""
    group: str = ""
    job_type: str = ""
    user: str = ""
    notes: str = ""
    state: RunState = RunState.RUNNING
    tags: tuple[str, ...] = ()
    finished_unix_us: int = 0
    last_seen_unix_us: int = 0
    world_size: int = 0
    ranks: int = 0
    parent_run_id: str = ""  # the run this one was forked from
    fork_step: int = 0  # the last step inherited, when there is a parent
    rewinds: tuple[int, ...] = ()  # steps the run was rewound to, oldest first
    config: Mapping[str, Scalar | Json] = field(default_factory=dict)
    summary: Mapping[str, Scalar | Json] = field(default_factory=dict)
    meta: Mapping[str, Scalar | Json] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def ref(self) -> RunRef:
        """The run's name in queries."""
        return RunRef(self.project, self.run_id)


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, and how many match in all."""

    runs: tuple[Run, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name and what is known of it over the runs asked for.

    `is_text`: some values are no numbers; `is_media`: some of these name files.
    """

    name: str
    runs: int
    min_step: int
    max_step: int
    has_nonfinite: bool
    is_text: bool
    is_media: bool = False


@dataclass(frozen=True, slots=True)
class MetricPage:
    """Some metrics by name, and how many match in all."""

    metrics: tuple[Metric, ...]
    total: int


class XAxis(StrEnum):
    """What runs along the horizontal axis."""

    STEP = "step"
    TIME = "time"  # Unix µs
    RELATIVE = "relative"  # µs since the run's first point
    METRIC = "metric"  # value of another metric at the same step and rank


class Reduce(StrEnum):
    """How ranks are put together."""

    NONE = "none"  # one series per rank
    RANKS = "ranks"  # min, mean and max over the ranks of each bucket


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs, in which order, which page.

    Attributes:
        project: Empty asks every project in `projects_allowed`.
        where: A filter, docs/filter.md; empty matches all.
        order_by: A field, `-` before it for descending, e.g. `-created`, `summary.loss`.
        limit: 1 … 10 000.
        offset: From 0.
        columns: `config.*`, `summary.*`, `meta.*` paths and `metric.*@…` to fill; `None` fills all
            but metric fields.
        projects_allowed: What the caller may see; `None` = everything.
        runs_allowed: The same, run by run; both have to allow it.
    """

    project: str = ""
    where: str = ""
    order_by: str = "-created"
    limit: int = 100
    offset: int = 0
    columns: tuple[str, ...] | None = None
    projects_allowed: tuple[str, ...] | None = None
    runs_allowed: tuple[RunRef, ...] | None = None


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """Which points, and how many of them.

    Attributes:
        runs: 1 … 1 000 runs.
        metrics: 1 … 1 000 exact metric names.
        max_points: Buckets per series; `None` reads every point.
        x: The axis.
        x_metric: The metric on the axis when `x` is METRIC.
        ranks: `None` reads all.
        reduce: Over ranks, at the server.
        x_min: In the unit of `x`, inclusive; `None` = from the start.
        x_max: In the unit of `x`, exclusive; `None` = to the end.
        log_x: Buckets grow with x, for a logarithmic axis of steps, relative times or a metric; x at
            zero and below is one bucket more.
        encoded: Names of projects, runs and metrics come as dictionaries: half of the bytes of a row.
    """

    runs: tuple[RunRef, ...]
    metrics: tuple[str, ...]
    max_points: int | None = None
    x: XAxis = XAxis.STEP
    x_metric: str = ""
    ranks: tuple[int, ...] | None = None
    reduce: Reduce = Reduce.NONE
    x_min: float | None = None
    x_max: float | None = None
    log_x: bool = False
    encoded: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a run."""

    event_id: UUID
    time_unix_us: int
    kind: str
    severity: str
    title: str
    body: str
    step: int | None
    rank: int
    attrs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Some events, newest first, and how many match in all."""

    events: tuple[Event, ...]
    total: int


class Kind(StrEnum):
    """What a ledger counts."""

    POINTS = "points"
    TEXTS = "texts"
    ATTRS = "attrs"
    EVENTS = "events"
    SYSTEM = "system"  # what nodes measured of themselves
    LINES = "lines"  # what processes printed


class Verdict(StrEnum):
    """What a ledger comes to; best first, a run has the worst of its lines'."""

    WHOLE = "whole"  # everything sent is stored, once and unchanged
    PENDING = "pending"  # so far; the rest is on its way
    UNCLAIMED = "unclaimed"  # the client keeps no ledger, nothing can be proved
    LOST = "lost"  # it adds up, and some of it is known to be gone
    CHANGED = "changed"  # as many as sent, but other values
    MISSING = "missing"  # fewer than sent, and nobody said so
    DOUBLED = "doubled"  # more than sent


@dataclass(frozen=True, slots=True)
class Tally:
    """How many things, and the sum of their digests mod 2^64 (docs/formats/ledger.md)."""

    count: int = 0
    digest: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.count + other.count, (self.digest + other.digest) % _WRAPS_AT)

    def __sub__(self, other: Tally) -> Tally:
        return Tally(self.count - other.count, (self.digest - other.digest) % _WRAPS_AT)


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One kind of thing from the producers of one rank that began in one second, usually one.

    Attributes:
        rank: Index of the process in the run.
        producers: Those that share the line.
        kind: What is counted.
        sent: Newest claim of the client that is stored; `None` when it keeps no ledger.
        stored: What the store holds of it now, up to the claim.
        rejected: Refused by the gateway, with a reason.
        dead: Set aside by the writer and not retried.
        gap_frames: Frames declared lost: what they held can only be inferred.
        open_gap_frames: Of these, the ones after the claim: what they held is not even in `sent`.
        dropped: Never sent: the client's queue or disk was full.
        refused: Never sent: `log()` took it for no number, text or name.
        removed: Deleted or thinned out since, by a person or a policy (docs/changes.md).
        added: Put there by a person: corrections. A line of nothing else has no producers.
    """

    rank: int
    producers: tuple[UUID, ...]
    kind: Kind
    sent: Tally | None
    stored: Tally
    rejected: Tally = Tally()
    dead: Tally = Tally()
    gap_frames: int = 0
    open_gap_frames: int = 0
    dropped: int = 0
    refused: int = 0
    removed: Tally = Tally()
    added: Tally = Tally()

    @property
    def is_claimed(self) -> bool:
        """Whether somebody said what there has to be: its producers, or the edits it is made of."""
        return self.sent is not None or (not self.producers and bool(self.added.count))


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames of a producer that are declared lost, both ends inclusive."""

    producer: UUID
    first_seq: int
    last_seq: int


@dataclass(frozen=True, slots=True)
class LedgerProducer:
    """How far a producer's claim and its rows reach."""

    producer: UUID
    rank: int
    claimed_seq: int
    committed_seq: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a run's producers say they sent, beside what lies in the store."""

    lines: tuple[LedgerLine, ...]  # by rank, then start, then kind
    gaps: tuple[Gap, ...]
    producers: tuple[LedgerProducer, ...]
    rows_at_rest: int  # points and texts, replays not merged yet included


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An entry that could not be stored. `state` is kept, retried or dropped."""

    project: str
    run_id: str
    producer: UUID
    seq: int
    reason: str
    at_unix_us: int
    entry_bytes: int
    state: str
    by: str
