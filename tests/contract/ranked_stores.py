"""Random small stores in which ranks have roles, nodes and attempts, come late, restart, and log NaN."""

from __future__ import annotations

import math
import random
from uuid import UUID

from tests.contract.small_stores import BIRTH_S, StoreBuilder
from weir_store.base import Block
from weir_store.records import RunRef

METRICS = ("step_time_s", "perf/data_time_ms", "loss", "opt/grad_norm")
ROLES = ("trainer", "rollout")
ODD = (math.nan, math.inf, -math.inf)


def random_blocks(project: str, seed: int) -> list[Block]:
    """Return the blocks of a random project."""
    draw = random.Random(seed)
    builder, blocks = StoreBuilder(), []
    for number in range(draw.randint(1, 3)):
        ref = RunRef(project, f"run{number}")
        builder.add_run(ref, created_s=BIRTH_S + draw.randint(0, 3))
        _add_facts(builder, ref, draw)
        for attempt in range(draw.randint(1, 3)):
            _add_attempt(builder, ref, attempt, draw)
            blocks.append(builder.take_block())
        if number and draw.random() < 0.3:
            told = {"birth_s": BIRTH_S + 5_000, "launch": "again"}
            builder.add_branch(ref, f"run{number - 1}", draw.randint(0, 20), **told)
        if draw.random() < 0.3:
            told = {"birth_s": BIRTH_S + 1_000, "launch": "back"}
            builder.add_branch(ref, ref.run_id, draw.randint(0, 20), **told)
        if draw.random() < 0.1:
            builder.add_run(ref, deleted=True)
    blocks.append(builder.take_block())
    return [block for block in blocks if block]


def _add_facts(builder: StoreBuilder, ref: RunRef, draw: random.Random) -> None:
    builder.add_attr(ref, "config", "seed", draw.randint(0, 9))
    builder.add_attr(ref, "config", "opt.lr", draw.choice((0.1, 0.01)))
    builder.add_attr(ref, "meta", "group", draw.choice(("a", "b")))
    for glob in ("*", "loss", "step*"):
        if draw.random() < 0.4:
            word = draw.choice(("mean", "sum", "max", "min", "p99", "last", "median", "nonsense"))
            text = f'{{"reduce": "{word}"}}'
            builder.add_attr(ref, "meta", f"metric/{glob}", text, ver=draw.randint(1, 1 << 30))


def _add_attempt(builder: StoreBuilder, ref: RunRef, attempt: int, draw: random.Random) -> None:
    born_s = BIRTH_S + attempt * 1_000
    first = attempt * draw.randint(0, 30)
    stride = draw.choice((1, 1, 5))
    count = draw.randint(1, 40)
    for rank in range(draw.randint(1, 6)):
        role = ROLES[draw.random() < 0.3]
        told = {
            "rank": rank,
            "role": role,
            "node": f"n{draw.randint(0, 2)}",
            "attempt": attempt,
            "world_size": 6,
            "started_s": born_s,
            "state": draw.choice(("running", "running", "finished")),
            "seen_s": draw.choice((BIRTH_S + 20_000, born_s + 10)),
            "ver": born_s << 32 | 3,
        }
        builder.add_session(ref, UUID(int=draw.getrandbits(128)), **told)
        if draw.random() < 0.1:  # a child that was forked in the same second
            builder.add_session(
                ref, UUID(int=draw.getrandbits(128)), **told | {"role": f"{role}/fork"}
            )
        if draw.random() < 0.1:
            continue
        steps = range(first, first + stride * draw.randint(1, count), stride)
        for metric in METRICS:
            if draw.random() < 0.85:
                _add_series(builder, ref, metric, rank, born_s, steps, draw)


def _add_series(
    builder: StoreBuilder,
    ref: RunRef,
    metric: str,
    rank: int,
    born_s: int,
    steps: range,
    draw: random.Random,
) -> None:
    apart = draw.choice((0.0, 0.0, 5.0))
    for seq, step in enumerate(steps):
        value = draw.choice((0.5, 1.0, draw.gauss(1, 0.1))) + apart
        if draw.random() < 0.05:
            value = draw.choice(ODD)
        at_us = (born_s - BIRTH_S) * 1_000_000 + step * 500_000 + draw.randint(0, 1_000) * rank
        builder.add_point(ref, metric, step, value, rank=rank, ver=born_s << 32 | seq, at_us=at_us)
    if draw.random() < 0.2:
        step = draw.choice(steps)
        again = {"rank": rank, "ver": born_s << 32 | 1_000, "rewrite": 1}
        builder.add_point(ref, metric, step, 2.0, at_us=step * 500_000, **again)
