"""What to break next. Pure: the same seed deals the same blows at the same times."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

PARTS: Final = ("redis", "engine", "writer", "gateway")
Target = Literal["trainer", "agent", "gateway", "writer", "engine", "redis", "up", "network"]
Action = Literal["kill", "pause", "cut"]

# All in all each server part is hit as often as the next; `up` takes all of them along.
_WEIGHTS: Final[dict[Target, float]] = {
    "trainer": 5, "agent": 4, "gateway": 3, "writer": 3, "engine": 3, "redis": 3, "up": 0.7, "network": 1,
}  # fmt: skip
KILLABLE: Final = tuple(target for target in _WEIGHTS if target != "network")
_PAUSE_SHARE: Final = 0.15
_LONGEST_PAUSE_S: Final = 8.0
_AT_ONCE_SHARE: Final = 0.1
_CAN_PAUSE: Final = frozenset({"agent", "network", *PARTS})


@dataclass(frozen=True, slots=True)
class Blow:
    """One thing to break.

    Attributes:
        due_s: When, in seconds since the campaign began.
        action: `cut` is for the network between agents and the gateway: its connections break.
        pause_s: How long the process (or the network) is stopped before it may go on; 0 for others.
        patient: Whether to wait until everything is well before the next blow; otherwise the next
            may fall into the recovery of this one.
        pick: 0 ≤ pick < 1: which of several processes.
    """

    due_s: float
    target: Target
    action: Action
    pause_s: float
    patient: bool
    pick: float


def deal(
    seed: int, per_minute: float, targets: tuple[Target, ...] = (), *, patience: float = 0.6
) -> Iterator[Blow]:
    """Deal blows for ever, on average so many a minute, at times of a Poisson process.

    Args:
        seed: Of everything random.
        per_minute: Blows a minute; about one in seven is a pause, the rest are kills.
        targets: What may be hit; empty = everything.
        patience: Share of blows after which everything may recover before the next one.
    """
    rng = random.Random(seed)
    names = targets or tuple(_WEIGHTS)
    due_s = 0.0
    while True:
        target = rng.choices(names, [_WEIGHTS[name] for name in names])[0]
        pauses = target in _CAN_PAUSE and rng.random() < _PAUSE_SHARE
        at_once = rng.random() < _AT_ONCE_SHARE
        gap_s = 0.0 if at_once else rng.expovariate(per_minute * (1 - _AT_ONCE_SHARE) / 60)
        yield Blow(
            due_s,
            target,
            "pause" if pauses else "cut" if target == "network" else "kill",
            rng.uniform(0.2, _LONGEST_PAUSE_S) if pauses else 0.0,
            not at_once and rng.random() < patience,
            rng.random(),
        )
        due_s += gap_s
