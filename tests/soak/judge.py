"""What was stored against what was recorded: every (step, value) of every rank and metric.

Of the lives of a rank that logged the same step, the newest whose row was stored counts. So a stored
value is right when it is the newest row's, or that of an older row while every newer one lay in the
un-spooled tail of a killed trainer. A step may be missing only when no row of it was promised.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from tests.soak.record import Recorded
from tests.soak.tally import Tally

_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class Expected:
    """All rows of a rank, in the order in which they count: by step, oldest first.

    Attributes:
        steps: i64, ascending; a step that several lives logged is there several times.
        values: f64, rows × metrics.
        promised: Whether the row has to be stored.
    """

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    promised: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, lives: Sequence[Recorded]) -> Expected:
        """Lay lives end to end (oldest first) and sort them by step."""
        steps = np.concatenate([life.steps for life in lives])
        order = np.argsort(steps, kind="stable")
        promised = np.concatenate([np.arange(len(life.steps)) < life.safe for life in lives])
        values = np.concatenate([life.values for life in lives])
        return cls(steps[order], values[order], promised[order])


def judge(
    expected: Expected,
    column: int,
    steps: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    tally: Tally,
    who: str,
) -> None:
    """Compare one series with what was recorded of it. Pure but for the tally.

    Args:
        expected: Of its rank.
        column: Which metric.
        steps: As read, ascending.
        values: As read.
        tally: Grows.
        who: Names the series in examples.
    """
    tally.stored += len(steps)
    unique, first = np.unique(steps, return_index=True)
    if doubled := len(steps) - len(unique):
        tally.doubled += doubled
        tally.name(f"{who}: {doubled} steps are read twice, e.g. {_repeated(steps)[:_NAMED]}")
    known, starts, counts = np.unique(expected.steps, return_index=True, return_counts=True)
    tally.overwritten += len(expected.steps) - len(known)
    any_promised = np.maximum.reduceat(expected.promised, starts) if len(known) else starts > 0
    tally.promised += int(any_promised.sum())
    strange = np.setdiff1d(unique, known)
    if len(strange):
        tally.strange += len(strange)
        tally.name(f"{who}: steps that nobody logged: {strange[:_NAMED].tolist()}")
    there = np.isin(known, unique, assume_unique=True)
    lost = known[any_promised & ~there]
    if len(lost):
        tally.lost += len(lost)
        tally.name(f"{who}: {len(lost)} lost, steps {lost[:_NAMED].tolist()} … {lost[-1]}")
    tally.tail += int((~any_promised & ~there).sum())
    tally.tail_stored += int((~any_promised & there).sum())
    read = values[first][np.searchsorted(unique, known[there])] if there.any() else values[:0]
    newest = starts[there] + counts[there] - 1
    differs = ~_same(read, expected.values[newest, column])
    for index in np.flatnonzero(differs):
        candidates = range(newest[index], newest[index] - counts[there][index], -1)
        if not _may_be(read[index], expected, column, candidates):
            tally.changed += 1
            logged = [float(expected.values[row, column]) for row in candidates]
            tally.name(
                f"{who} step {known[there][index]}: read {read[index]}, logged {logged} (newest first)"
            )


def _may_be(value: float, expected: Expected, column: int, candidates: Iterable[int]) -> bool:
    """Whether a value is the newest row's, or an older one's while all newer are unpromised."""
    for row in candidates:
        if _same(np.float64(value), expected.values[row, column]):
            return True
        if expected.promised[row]:
            return False
    return False


def _same(left: Any, right: Any) -> Any:
    """Compare bits, but for NaN, which is one value."""
    same = np.asarray(left).view(np.int64) == np.asarray(right).view(np.int64)
    return same | (np.isnan(left) & np.isnan(right))


def _repeated(steps: npt.NDArray[np.int64]) -> list[int]:
    values, counts = np.unique(steps, return_counts=True)
    repeated: list[int] = values[counts > 1].tolist()
    return repeated
