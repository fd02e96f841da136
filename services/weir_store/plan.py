"""Deciding where a thinned series is read from: the points, or the roll-up of 64 steps.

Pure. The roll-up is used only where it says exactly what the points say
(ADR 6). Every output bucket is read from one source as a whole, so that the
two never have to be put together.

    steps of one series, buckets of 256, sessions A and B meet at 700 … 900

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

ROLLUP_SHIFT = 6
SMALL_ROWS = 100_000  # below this many steps the points are as fast and simpler
MAX_SPLIT = 200  # series read from both sources in one statement; more go to the points whole

SeriesKey: TypeAlias = tuple[str, str, str]
"""(project, run_id, metric), all ranks."""

StepRange: TypeAlias = tuple[int, int]
"""[first, end) steps."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is known of a series (over its ranks) before any point is read.

    Attributes:
        first_step: Lowest step ever logged.
        last_step: Highest.
        ranks: How many ranks have it.
        one_session: Each rank was written by one process life.
        rewritten: A process may have logged a step twice.
        first_unix_us: Time of its earliest point, corrected ones included.
        last_unix_us: Time of its latest.
    """

    key: SeriesKey
    first_step: int
    last_step: int
    ranks: int
    one_session: bool
    rewritten: bool
    first_unix_us: int = 0
    last_unix_us: int = 0


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


def make_plan(
    spans: Sequence[Span],
    shift: int,
    steps: StepRange,
    overlaps: Mapping[SeriesKey, StepRange],
) -> Plan:
    """Split the steps asked for between the two tables.

    Args:
        spans: The series of one metric.
        shift: Buckets are `1 << shift` steps wide.
        steps: Steps asked for.
        overlaps: Where sessions meet, for series of several sessions; absent where they do not.
    """
    pieces = _Pieces()
    if not wants_rollup(spans, shift, steps):
        pieces.points[steps] = [span.key for span in spans]
        return _plan(pieces)
    for number, span in enumerate(spans):
        unsafe = overlaps.get(span.key)
        if span.rewritten or (unsafe is not None and number >= MAX_SPLIT):
            pieces.points[steps].append(span.key)
        else:
            _split(pieces, span, shift, steps, unsafe)
    return _plan(pieces)


def _split(
    pieces: _Pieces, span: Span, shift: int, steps: StepRange, unsafe: StepRange | None
) -> None:
    """Cut at the ends asked for and around the overlap, always between two buckets."""
    first, end = steps
    inner_first = first if first <= span.first_step else _up(first, shift)
    inner_end = end if end > span.last_step else _down(end, shift)
    if inner_first >= inner_end:
        pieces.points[steps].append(span.key)
        return
    _add(pieces.points, (first, inner_first), span.key)
    if unsafe is None:
        _add(pieces.rollup, (inner_first, inner_end), span.key)
    else:
        low = min(max(_down(unsafe[0], shift), inner_first), inner_end)
        high = max(min(_up(unsafe[1], shift), inner_end), low)
        _add(pieces.rollup, (inner_first, low), span.key)
        _add(pieces.points, (low, high), span.key)
        _add(pieces.rollup, (high, inner_end), span.key)
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
