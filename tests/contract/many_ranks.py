"""A job of very many ranks as the writer would bring it: columns, not 512 processes.

One synchronous job of `steps` steps. What is wrong with it is said by the fields of `Job`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

import numpy as np
import pyarrow as pa

from tests.contract.small_stores import StoreBuilder
from weir_store import columns, tables
from weir_store.base import Block
from weir_store.records import RunRef

BEGAN_S = 1_799_990_000
STEP_S = 0.5  # of a usual step
RANKS_PER_NODE = 8


@dataclass(frozen=True)
class Job:
    """Who does what.

    Attributes:
        ref: The run.
        ranks: How many.
        steps: How many.
        slow: Rank whose data takes half a step longer, from a third of the steps on.
        hung: Rank that stops at four fifths of the steps; the others stop one step later.
        diverging: Rank whose loss leaves the others from half of the steps on.
        nan: Rank whose grad_norm is NaN from three quarters of the steps on.
        late: Rank that joins at a quarter of the steps.
        dead: Rank that logs nothing after the first tenth and is silent since.
        grows_at: Step at which the job is restarted with all ranks; before it only half of them run.
    """

    ref: RunRef
    ranks: int = 512
    steps: int = 2_000
    slow: int | None = None
    hung: int | None = None
    diverging: int | None = None
    nan: int | None = None
    late: int | None = None
    dead: int | None = None
    grows_at: int | None = None
    seed: int = 0

    @property
    def last_step(self) -> int:
        """The highest step of any rank."""
        return self.steps - 1 if self.hung is None else self.steps * 4 // 5

    @property
    def ends_s(self) -> int:
        """When the last point is logged, Unix seconds, rounded up."""
        return BEGAN_S + int(self.steps * STEP_S) + 2


def node_of(rank: int) -> str:
    """Return where a rank runs."""
    return f"node{rank // RANKS_PER_NODE:03d}"


def blocks_of(
    job: Job, metrics: tuple[str, ...] = ("step_time_s", "loss", "grad_norm")
) -> list[Block]:
    """Return the job as blocks, one for each metric; the first holds the run and its sessions too."""
    builder = StoreBuilder()
    builder.add_run(job.ref, created_s=BEGAN_S)
    for rank in range(job.ranks):
        for attempt, born_s in enumerate(_births(job, rank)):
            _add_session(builder, job, rank, attempt, born_s)
    facts = builder.take_block()
    points = [{tables.POINTS: _points(job, metric)} for metric in metrics]
    return [{**facts, **points[0]}, *points[1:]]


def last_step_of(job: Job, rank: int) -> int:
    """Return the highest step that a rank logs."""
    if rank == job.dead:
        return job.steps // 10
    return job.last_step - 1 if rank == job.hung else job.last_step


def _births(job: Job, rank: int) -> list[int]:
    if job.grows_at is None:
        return [BEGAN_S]
    grown_s = BEGAN_S + int(job.grows_at * STEP_S)
    return [grown_s] if rank >= job.ranks // 2 else [BEGAN_S, grown_s]


def _add_session(builder: StoreBuilder, job: Job, rank: int, attempt: int, born_s: int) -> None:
    is_newest = born_s == _births(job, rank)[-1]
    runs = job.hung is not None
    world = job.ranks if is_newest else job.ranks // 2
    first = 0 if born_s == BEGAN_S else 1
    builder.add_session(
        job.ref,
        uuid5(NAMESPACE_OID, f"{job.ref} {rank} {attempt}"),
        rank=rank,
        local_rank=rank % RANKS_PER_NODE,
        world_size=world,
        node=node_of(rank),
        role="trainer",
        attempt=attempt if is_newest and attempt else first,
        state="running" if runs else "finished",
        started_s=born_s,
        updated_s=born_s,
        seen_s=BEGAN_S + job.steps // 10 if rank == job.dead else job.ends_s + 600,
        ver=born_s << 32,
    )


def _points(job: Job, metric: str) -> pa.Table:
    rng = np.random.default_rng([job.seed, sum(metric.encode())])
    step, rank = (each.ravel() for each in np.indices((job.last_step + 1, job.ranks)))
    value = _values(job, metric, step, rank, rng)
    shown = np.isin(rank, [each for each in (job.late,) if each is not None], invert=True)
    shown |= step >= job.steps // 4
    for odd in (job.dead, job.hung):
        if odd is not None:
            shown &= (rank != odd) | (step <= last_step_of(job, odd))
    born = np.full(step.size, BEGAN_S)
    if job.grows_at is not None:
        shown &= (rank < job.ranks // 2) | (step >= job.grows_at)
        born[step >= job.grows_at] += int(job.grows_at * STEP_S)
    step, rank, value, born = step[shown], rank[shown], value[shown], born[shown]
    at_us = BEGAN_S * 1_000_000 + ((step + 1) * STEP_S * 1e6).astype(np.int64) + rank

    def constant(word: str) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(np.zeros(step.size, np.int32), pa.array([word]))

    day = (datetime.fromtimestamp(BEGAN_S, UTC) - datetime(1970, 1, 1, tzinfo=UTC)).days
    return pa.table(
        {
            "project": constant(job.ref.project),
            "run_id": constant(job.ref.run_id),
            "metric": constant(metric),
            "step": step.astype(np.int64),
            "rank": rank.astype(np.uint32),
            "value": value,
            "ts": pa.array(at_us, pa.int64()).cast(pa.timestamp("us", "UTC")),
            "ver": (born.astype(np.uint64) << np.uint64(32)) + step.astype(np.uint64),
            "rewrite": np.zeros(step.size, np.uint8),
            "run_date": np.full(step.size, day, np.uint16),
        },
        schema=columns.BY_TABLE[tables.POINTS],
    )


def _values(
    job: Job, metric: str, step: np.ndarray, rank: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    noise = rng.normal(0, 0.01, step.size)
    if metric in ("step_time_s", "data_time_s"):
        usual = STEP_S if metric == "step_time_s" else STEP_S / 10
        value = usual * (1 + np.abs(noise))
        if job.slow is not None:
            value[(rank == job.slow) & (step >= job.steps // 3)] += STEP_S / 2
        return value
    if metric == "compute_time_s":
        return STEP_S * 0.7 * (1 + np.abs(noise))
    value = 2.0 * np.exp(-step / job.steps) + noise
    if job.diverging is not None:
        value[(rank == job.diverging) & (step >= job.steps // 2)] += 1.0
    if job.nan is not None and metric == "grad_norm":
        value[(rank == job.nan) & (step >= job.steps * 3 // 4)] = np.nan
    return value
