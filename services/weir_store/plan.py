"""Deciding where a thinned series is read from: the points, or the roll-up of 64 steps.

Pure. The roll-up is used only where it says exactly what the points say
(ADR 6). Every output bucket is read from one source as a whole, so that the
two never have to be put together.

    steps of one series, buckets of 256, sessions A and B both logged 700 … 900

    0        256       512       768       1024      1280      1536
    |  roll-up  |  roll-up  |  points   |  points   |  roll-up  |
                    A A A A A A A A A
                            B B B B B B B B B B B B B B B B B
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from weir_store.lineage import Lineage

ROLLUP_SHIFT = 6
SMALL_ROWS = 100_000  # below this many steps the points are as fast and simpler
MAX_SPLIT = 200  # series cut into ranges in one statement; more are read whole the careful way
MAX_RANGES = 16  # ranges that one series is cut around

SeriesKey: TypeAlias = tuple[str, str, str]
"""(project, run_id, metric), all ranks."""

StepRange: TypeAlias = tuple[int, int]
"""[first, end) steps."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a series (over its ranks) before any point is read.

    Attributes:
        first_step: Lowest step that is shown.
        last_step: Highest.
        ranks: How many ranks have it.
        unsafe: Steps that a rank may have logged twice, in order and apart.
        first_unix_us: Time of its earliest point, corrected ones included.
        last_unix_us: Time of its latest.
        lineage: Where its points lie, when its run was rewound or forked.
        depths: The pieces of the lineage that have any of them.
        cold: Whether points of its run may lie in files.
    """

    key: SeriesKey
    first_step: int
    last_step: int
    ranks: int
    unsafe: tuple[StepRange, ...] = ()
    first_unix_us: int = 0
    last_unix_us: int = 0
    lineage: Lineage | None = None
    depths: frozenset[int] = frozenset()
    cold: bool = False

    @property
    def blocked(self) -> tuple[StepRange, ...]:
        """Steps of which the roll-up knows too little: the unsafe ones, and where something is cut off."""
        edges = self.lineage.edges if self.lineage else ()
        return together([*self.unsafe, *((edge, edge + 1) for edge in edges)])


@dataclass(frozen=True, slots=True)
class Plan:
    """Which steps of which series come from which table; ranges with no steps are absent."""

    points: Mapping[StepRange, tuple[SeriesKey, ...]]
    rollup: Mapping[StepRange, tuple[SeriesKey, ...]]


@dataclass
class _Pieces:
    points: dict[StepRange, list[SeriesKey]] = field(default_factory=lambda: defaultdict(list))
    rollup: dict[StepRange, list[SeriesKey]] = field(default_factory=lambda: defaultdict(list))


def wants_rollup(spans: Iterable[Span], shift: int, steps: StepRange) -> bool:
    """Tell whether the roll-up can serve buckets of `1 << shift` steps, and is worth it."""
    return shift >= ROLLUP_SHIFT and estimated_rows(spans, steps) > SMALL_ROWS


def estimated_rows(spans: Iterable[Span], steps: StepRange) -> int:
    """Estimate how many points lie in [first, end), as if every step had been logged."""
    first, end = steps
    return sum(
        max(0, min(span.last_step + 1, end) - max(span.first_step, first)) * span.ranks
        for span in spans
    )


def make_plan(spans: Sequence[Span], shift: int, steps: StepRange) -> Plan:
    """Split the steps asked for between the two tables.

    Args:
        spans: The series of one metric.
        shift: Buckets are `1 << shift` steps wide.
        steps: Steps asked for.
    """
    pieces = _Pieces()
    if not wants_rollup(spans, shift, steps):
        pieces.points[steps] = [span.key for span in spans]
        return _plan(pieces)
    for number, span in enumerate(spans):
        if span.blocked and number >= MAX_SPLIT:
            pieces.points[steps].append(span.key)
        else:
            _split(pieces, span, shift, steps)
    return _plan(pieces)


def together(ranges: Iterable[StepRange]) -> tuple[StepRange, ...]:
    """Return the same steps as ranges in order and apart; as one range when they are too many."""
    joined: list[StepRange] = []
    for first, end in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    if len(joined) > MAX_RANGES:
        return ((joined[0][0], joined[-1][1]),)
    return tuple(joined)


def _split(pieces: _Pieces, span: Span, shift: int, steps: StepRange) -> None:
    """Cut at the ends asked for and around what is blocked, always between two buckets."""
    first, end = steps
    # A row of the roll-up is named by its first step, which may lie before `first`.
    before_all = first <= span.first_step
    inner_first = _down(first, ROLLUP_SHIFT) if before_all else _up(first, shift)
    inner_end = end if end > span.last_step else _down(end, shift)
    if inner_first >= inner_end:
        pieces.points[steps].append(span.key)
        return
    _add(pieces.points, (first, inner_first), span.key)
    at = inner_first
    for low, high in span.blocked:
        low = min(max(_down(low, shift), at), inner_end)
        high = max(min(_up(high, shift), inner_end), low)
        _add(pieces.rollup, (at, low), span.key)
        _add(pieces.points, (low, high), span.key)
        at = high
    _add(pieces.rollup, (at, inner_end), span.key)
    _add(pieces.points, (inner_end, end), span.key)


def _add(ranges: dict[StepRange, list[SeriesKey]], steps: StepRange, key: SeriesKey) -> None:
    if steps[0] < steps[1]:
        ranges[steps].append(key)


def _plan(pieces: _Pieces) -> Plan:
    return Plan(
        {steps: tuple(keys) for steps, keys in pieces.points.items() if keys},
        {steps: tuple(keys) for steps, keys in pieces.rollup.items() if keys},
    )


def _down(step: int, shift: int) -> int:
    return step >> shift << shift


def _up(step: int, shift: int) -> int:
    return -(-step >> shift) << shift
