"""Random histories of runs that are rewound and forked, and what they show: a model without any cleverness."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.contract.small_stores import BIRTH_S, StoreBuilder
from weir_store.base import Block
from weir_store.records import RunRef

RUNS = ("a", "b", "c", "d")
METRICS = ("acc", "loss")
TEXT = "note"
GAP_S = 100  # between launches; the ranks of one are born within it

Point = tuple[str, int, int]  # metric, step, rank


@dataclass(frozen=True)
class Launch:
    """Processes that started together: one for each rank.

    Attributes:
        run: Whose they are.
        births: When each rank was born, seconds.
        name: What they have in common; "" = nobody told them.
        parent: The run they take up, at `step`; "" = none, they simply log on.
        logged: In this order: rank, metric, step, value.
        config: Set by rank 0; None removes.
    """

    run: str
    births: tuple[int, ...]
    name: str
    parent: str
    step: int
    logged: tuple[tuple[int, str, int, float], ...]
    config: Mapping[str, int | None]

    @property
    def is_rewind(self) -> bool:
        return self.parent == self.run

    def since(self, rank: int) -> int | None:
        """When a rewind began to hold for a rank; None = it does not."""
        if rank < len(self.births):
            return self.births[rank]
        return min(self.births) if self.name or len(self.births) == 1 else None


@st.composite
def histories(draw: st.DrawFn) -> list[Launch]:
    """Draw some launches, from old to new."""
    return [_launch(draw, number) for number in range(draw(st.integers(1, 7)))]


def _launch(draw: st.DrawFn, number: int) -> Launch:
    run = draw(st.sampled_from(RUNS))
    births = [
        BIRTH_S + GAP_S * number + draw(st.integers(0, 3)) for _ in range(draw(st.integers(1, 3)))
    ]
    logged = []
    for _ in range(draw(st.integers(0, 4))):
        rank, metric = (
            draw(st.integers(0, len(births) - 1)),
            draw(st.sampled_from((*METRICS, TEXT))),
        )
        first, stride = draw(st.integers(-5, 150)), draw(st.sampled_from((1, 7, 64)))
        for index in range(draw(st.integers(1, 12))):
            value = number * 100.0 + len(logged)
            logged.append((rank, metric, first + stride * index, value))
    return Launch(
        run,
        tuple(births),
        draw(st.sampled_from(("", f"launch {number}"))),
        draw(st.sampled_from(("", run, run, *RUNS, "unknown"))),
        draw(st.integers(-2, 160)),
        tuple(logged),
        draw(st.dictionaries(st.sampled_from(("lr", "seed")), st.none() | st.integers(0, 3))),
    )


def blocks_of(project: str, history: list[Launch], shuffle: random.Random) -> list[Block]:
    """Return the history's rows as blocks that arrive in any order, some of them twice."""
    blocks = list(_blocks(project, history, shuffle))
    blocks += shuffle.sample(blocks, len(blocks) // 3)
    shuffle.shuffle(blocks)
    return blocks


def _blocks(project: str, history: list[Launch], shuffle: random.Random) -> Iterator[Block]:
    builder = StoreBuilder()
    for launch in history:
        ref = RunRef(project, launch.run)
        builder.add_run(ref)
        for path, value in launch.config.items():
            ver = launch.births[0] << 32
            builder.add_attr(ref, "config", path, value or 0, ver=ver, deleted=value is None)
        for rank, born in enumerate(launch.births):
            if launch.parent:
                told = {"rank": rank, "world_size": len(launch.births), "launch": launch.name}
                builder.add_branch(ref, launch.parent, launch.step, birth_s=born, **told)
        for seq, (rank, metric, step, value) in enumerate(launch.logged):
            again = any(launch.logged[n][:3] == (rank, metric, step) for n in range(seq))
            shown = f"{value}" if metric == TEXT else value
            ver = launch.births[rank] << 32 | seq
            builder.add_point(ref, metric, step, shown, rank=rank, ver=ver, rewrite=int(again))
            if shuffle.random() < 0.1:
                yield builder.take_block()
        yield builder.take_block()


# ── the model ───────────────────────────────────────────────────────────────


def fork_of(history: list[Launch], run: str) -> Launch | None:
    """Return the launch that made a run the child of another: the first that says so."""
    return next(
        (each for each in history if each.run == run and each.parent not in ("", run)), None
    )


def shown(
    history: list[Launch], run: str, as_of_s: int = 1 << 40, seen: tuple[str, ...] = ()
) -> dict[Point, float]:
    """Return what a run shows to somebody who left it at `as_of_s`: the value of each point."""
    points: dict[Point, float] = {}
    rewinds = [each for each in history if each.run == run and each.is_rewind]
    fork = fork_of(history, run)
    if fork and fork.parent not in (*seen, run):
        parent = shown(history, fork.parent, min(fork.births), (*seen, run))
        held = [r for r in rewinds if min(fork.births) <= min(r.births) < as_of_s]
        for (metric, step, rank), value in parent.items():
            ends = [each.step for each in held if each.since(rank) is not None]
            if step <= min([fork.step, *ends]):
                points[metric, step, rank] = value
    for launch in history:
        for rank, metric, step, value in launch.logged:
            if launch.run == run and not any(
                _hides(rewind, as_of_s, rank, step, launch.births[rank]) for rewind in rewinds
            ):
                points[metric, step, rank] = value
    return points


def _hides(rewind: Launch, as_of_s: int, rank: int, step: int, born: int) -> bool:
    since = rewind.since(rank)
    if since is None or step <= rewind.step:
        return False
    return born < since if min(rewind.births) < as_of_s else born >= since


def config(history: list[Launch], run: str, seen: tuple[str, ...] = ()) -> dict[str, int | None]:
    """Return a run's config: its parent's, overlaid by what it said itself; None where that was removed."""
    fork = fork_of(history, run)
    held: dict[str, int | None] = {}
    if fork and fork.parent not in (*seen, run):
        held |= config(history, fork.parent, (*seen, run))
    for launch in history:
        held |= launch.config if launch.run == run else {}
    return held
