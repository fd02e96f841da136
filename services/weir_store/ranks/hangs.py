"""Deciding that ranks hang: alive, and no step for too long. Pure.

    every rank stopped            → a hang; suspects are those that are behind the others
    some stopped, others go on    → a hang of these: they are the suspects

Ranks that never logged a point are left out: in many jobs only rank 0 logs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from weir_store.ranks.base import Finding, Patience
from weir_store.records import RunRef

HANG: Final = "hang"
_MAX_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the newest process of a rank is; it is alive.

    Attributes:
        step: Its highest, of any metric.
        last_unix_us: Time of its newest point.
        usual_s: Between two of its points, on the average; NaN when it has but one.
    """

    ref: RunRef
    role: str
    rank: int
    node: str
    step: int
    last_unix_us: int
    usual_s: float


def find(progress: Iterable[Progress], now_unix_us: int, patience: Patience) -> list[Finding]:
    """Return the hangs among the live ranks of any runs, by project, run and role."""
    groups: dict[tuple[RunRef, str], list[Progress]] = {}
    for each in progress:
        groups.setdefault((each.ref, each.role), []).append(each)
    found = (judge(group, now_unix_us, patience) for _, group in sorted(groups.items()))
    return [finding for finding in found if finding]


def judge(ranks: Sequence[Progress], now_unix_us: int, patience: Patience) -> Finding | None:
    """Return what is wrong with the live ranks of one role of a run; None = nothing."""
    limit_s = allowed_s(ranks, patience)
    stopped = [each for each in ranks if silent_s(each, now_unix_us) > limit_s]
    reached = max(each.step for each in ranks)
    suspects = [each for each in stopped if each.step < reached]
    if len(stopped) < len(ranks) and not suspects:
        return None
    return _finding(ranks, stopped, suspects, now_unix_us, limit_s)


def allowed_s(ranks: Sequence[Progress], patience: Patience) -> float:
    """Return how long these ranks may be silent: by the slowest of their usual paces."""
    return max(patience.times * max(_paces(ranks), default=0.0), patience.floor_s)


def silent_s(rank: Progress, now_unix_us: int) -> float:
    """Return seconds since its newest point."""
    return (now_unix_us - rank.last_unix_us) / 1e6


def may_hang(progress: Iterable[Progress], now_unix_us: int, patience: Patience) -> set[RunRef]:
    """Return the runs that have a rank silent for the floor at least: only these need a second look."""
    return {each.ref for each in progress if silent_s(each, now_unix_us) > patience.floor_s}


def _finding(
    ranks: Sequence[Progress],
    stopped: Sequence[Progress],
    suspects: Sequence[Progress],
    now_unix_us: int,
    limit_s: float,
) -> Finding:
    newest = max(each.last_unix_us for each in stopped)
    reached = max(each.step for each in ranks)
    ref, role = ranks[0].ref, ranks[0].role
    quiet_s = (now_unix_us - newest) / 1e6
    whole = len(stopped) == len(ranks)
    who = f"all {len(ranks)} ranks" if whole else f"{len(stopped)} of {len(ranks)} ranks"
    if whole and len(ranks) == 1:
        who = f"rank {ranks[0].rank}"
    suspects = sorted(suspects, key=lambda each: (each.step, each.rank))
    return Finding(
        kind=HANG,
        ref=ref,
        role=role,
        title=f"{who} of {role or 'the run'} made no step for {quiet_s:.0f} s",
        body=f"{_last_steps(ranks)} {_whom(suspects)} Allowed were {limit_s:.0f} s.",
        since_unix_us=newest,
        step=reached,
        suspects=tuple(each.rank for each in suspects),
        last_steps={each.rank: each.step for each in sorted(ranks, key=lambda each: each.rank)},
        nodes=tuple(sorted({each.node for each in suspects})),
        silent_s=quiet_s,
        limit_s=limit_s,
        attrs={
            "usual_s": f"{_usual_s(ranks):.3g}",
            "ranks": str(len(ranks)),
            "stopped": str(len(stopped)),
        },
    )


def _paces(ranks: Iterable[Progress]) -> list[float]:
    return [each.usual_s for each in ranks if not math.isnan(each.usual_s)]


def _usual_s(ranks: Iterable[Progress]) -> float:
    paces = _paces(ranks)
    return median(paces) if paces else math.nan


def _last_steps(ranks: Sequence[Progress]) -> str:
    low, high = min(each.step for each in ranks), max(each.step for each in ranks)
    if low == high:
        return f"Last step {high}."
    ahead = sum(each.step == high for each in ranks)
    return f"Last step {high} ({ahead} ranks), the last of all at {low}."


def _whom(suspects: Sequence[Progress]) -> str:
    if not suspects:
        return "None is behind the others."
    named = [
        f"rank {each.rank} on {each.node or '?'} (step {each.step})"
        for each in suspects[:_MAX_NAMED]
    ]
    more = f" and {len(suspects) - _MAX_NAMED} more" if len(suspects) > _MAX_NAMED else ""
    return f"Behind the others: {', '.join(named)}{more}."
