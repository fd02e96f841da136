"""What the process lives of a series say together: which steps may have been logged twice. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from weir_store.buckets import INT64
from weir_store.plan import StepRange, together

LifeRow: TypeAlias = tuple[int, int, int, int, int, int, int]
"""Part of a life: rank, session, depth, first and last step, last step that is shown, rewrite (0 or 1)."""


@dataclass(frozen=True, slots=True)
class Life:
    """What one process life logged of a series at one rank.

    Attributes:
        first: Its first step, which is shown.
        last: The highest it logged.
        top: The highest that is shown, if it logged that.
        again: It may have logged a step twice.
    """

    first: int
    last: int
    top: int
    again: bool

    @property
    def reach(self) -> int:
        """No step after this one is shown."""
        return min(self.last, self.top)

    @property
    def is_cut_off(self) -> bool:
        """Whether some of it is hidden."""
        return self.last > self.top


def lives_by_rank(rows: Iterable[LifeRow]) -> list[list[Life]]:
    """Put rows together: of each rank its lives, by first step."""
    found: dict[int, dict[tuple[int, int], Life]] = {}
    for rank, session, depth, first, last, top, again in rows:
        lives = found.setdefault(rank, {})
        known = lives.get((session, depth), Life(first, last, top, bool(again)))
        lives[session, depth] = Life(
            min(first, known.first), max(last, known.last), top, bool(again) or known.again
        )
    return [
        sorted(lives.values(), key=lambda life: (life.first, life.reach))
        for lives in found.values()
    ]


def unsafe_steps(ranks: Iterable[Iterable[Life]]) -> tuple[StepRange, ...]:
    """Return the steps that a rank may have logged twice, in order and apart.

    Args:
        ranks: Of each rank its lives, by first step.
    """
    found: list[StepRange] = []
    for lives in ranks:
        reached = INT64[0]
        for life in lives:
            if life.again:
                found.append((life.first, life.reach + 1))
            elif life.first <= reached:
                found.append((life.first, min(life.reach, reached) + 1))
            reached = max(reached, life.reach)
    return together(found)


def ends_at_a_guess(lives: Iterable[Life]) -> bool:
    """Tell whether nobody may have logged the last step that could be shown: something is cut off there."""
    known = list(lives)
    sure = max(life.first if life.is_cut_off else life.last for life in known)
    return max(life.reach for life in known) > sure
