"""A Reader over made-up training runs, thinned as the real one thins: for pages and browser tests."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
import pyarrow as pa

from tests.unit.dashboard.filtering import fits
from weir_store.comparison import compare
from weir_store.errors import InvalidQuery, StoreUnavailable, UnknownRun
from weir_store.filter import parse
from weir_store.log_buckets import log_ruler
from weir_store.records import (
    Event,
    EventPage,
    Json,
    Kind,
    Ledger,
    LedgerLine,
    LedgerProducer,
    Metric,
    MetricPage,
    Project,
    Reduce,
    Run,
    RunPage,
    RunQuery,
    RunRef,
    RunState,
    Scalar,
    SeriesQuery,
    Session,
    Tally,
    XAxis,
)

METRICS = (
    "train/loss", "train/acc", "train/grad_norm", "train/lr", "train/tokens_per_s", "train/step_time",
    "val/loss", "val/acc", "val/bleu", "system/gpu.0/util", "system/gpu.0/memory_bytes", "system/cpu_percent",
)  # fmt: skip
STEP_US = 180_000
START_US = int((time.time() - 3600) * 1e6)
KEYS = ("project", "run_id", "metric", "rank")


@dataclass
class SyntheticReader:
    """Runs of one or more projects; `down` silences the store, `lost` points are missing, `grow` logs more."""

    runs: list[Run] = field(default_factory=list)
    steps: int = 10_000
    down: bool = False
    lost: int = 0
    asked: list[SeriesQuery] = field(default_factory=list)

    def grow(self, steps: int) -> None:
        self.steps += steps

    def list_projects(self) -> list[Project]:
        self._check()
        names = dict.fromkeys(run.project for run in self.runs)
        return [self._project(name) for name in names]

    def list_runs(self, query: RunQuery) -> RunPage:
        self._check()
        condition = parse(query.where)
        found = [
            run
            for run in self.runs
            if query.project in ("", run.project)
            and (query.projects_allowed is None or run.project in query.projects_allowed)
            and (query.runs_allowed is None or run.ref in query.runs_allowed)
            and fits(run, condition)
        ]
        found.sort(key=_sort_key(query.order_by), reverse=query.order_by.startswith("-"))
        return RunPage(tuple(found[query.offset : query.offset + query.limit]), len(found))

    def get_run(self, ref: RunRef) -> Run:
        self._check()
        for run in self.runs:
            if run.ref == ref:
                return run
        raise UnknownRun(f"no run {ref.run_id!r} in project {ref.project!r}")

    def list_sessions(self, ref: RunRef) -> list[Session]:
        run = self.get_run(ref)
        return [
            Session(
                UUID(int=rank + 1), rank, rank % 8, run.ranks, f"node-{rank // 8:02d}", 4000 + rank,
                "torchrun", "", 0, run.state, 0, "", run.created_unix_us, run.last_seen_unix_us, 900 + rank,
            )
            for rank in range(run.ranks)
        ]  # fmt: skip

    def list_events(
        self,
        ref: RunRef,
        *,
        kinds: Sequence[str] = (),
        min_severity: str = "debug",
        limit: int = 1_000,
    ) -> EventPage:
        run = self.get_run(ref)
        if run.state is not RunState.CRASHED:
            return EventPage((), 0)
        title = "train/acc was not logged: <b>str</b> is not a number"
        event = Event(UUID(int=1), run.last_seen_unix_us, "rejected", "warn", title, "", 7, 0, {})
        return EventPage((event,), 1)

    def read_ledger(self, ref: RunRef) -> Ledger:
        run = self.get_run(ref)
        sent = Tally(1_000 + self.lost, 77)
        lines = [
            LedgerLine(rank, (UUID(int=rank + 1),), Kind.POINTS, sent, Tally(1_000, 77))
            for rank in range(max(1, run.ranks))
        ]
        producers = [LedgerProducer(UUID(int=line.rank + 1), line.rank, 9, 9) for line in lines]
        return Ledger(tuple(lines), (), tuple(producers), 1_000 * len(lines))

    def list_metrics(
        self,
        runs: Sequence[RunRef],
        *,
        project: str = "",
        search: str = "",
        limit: int = 1_000,
        after: str = "",
    ) -> MetricPage:
        self._check()
        names = sorted(n for n in METRICS if all(w in n for w in search.split()) and n > after)
        found = [Metric(n, len(runs), 0, self.steps, n == "train/loss", False) for n in names]
        return MetricPage(tuple(found[:limit]), len(found))

    def read_series(self, query: SeriesQuery) -> pa.Table:
        self._check()
        self.asked.append(query)
        if not query.runs or not query.metrics:
            raise InvalidQuery("no run or no metric", hint="name at least one of each")
        tables = []
        for ref in sorted(query.runs):
            run = self.get_run(ref)
            for metric in sorted(query.metrics):
                ranks = range(max(1, run.ranks)) if not metric.startswith("val/") else range(1)
                points = [(rank, *self._points(run, metric, rank)) for rank in ranks]
                tables += _thinned(run, metric, points, query)
        return pa.concat_tables(tables) if tables else _empty(query)

    def stream_series(self, query: SeriesQuery) -> Iterator[pa.RecordBatch]:
        yield from self.read_series(query).to_batches()

    def read_latest(self, runs: Sequence[RunRef], metrics: Sequence[str] = ()) -> pa.Table:
        self._check()
        pairs = [(r, m) for r in runs for m in (metrics or METRICS)]
        steps = np.array([self._steps(self.get_run(r)) for r, _ in pairs], dtype=np.int64)
        ones = np.ones(len(pairs))
        return pa.table({
            "project": [r.project for r, _ in pairs], "run_id": [r.run_id for r, _ in pairs],
            "metric": [m for _, m in pairs], "rank": np.zeros(len(pairs), np.uint32), "step": steps,
            "time_unix_us": START_US + steps * STEP_US, "last": ones, "min": ones, "max": ones,
        })  # fmt: skip

    def compare_runs(self, runs: Sequence[RunRef], *, only_different: bool = False) -> pa.Table:
        return compare([self.get_run(ref) for ref in runs], only_different=only_different)

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("connection refused by 127.0.0.1:7702", hint="run: weir status")

    def _project(self, name: str) -> Project:
        mine = [run for run in self.runs if run.project == name]
        running = sum(run.state is RunState.RUNNING for run in mine)
        return Project(name, len(mine), running, max(run.last_seen_unix_us for run in mine))

    def _steps(self, run: Run) -> int:
        if run.state is RunState.RUNNING:
            return int(self.steps * 0.8)
        return int(self.steps * 0.6) if run.state is RunState.CRASHED else 10_000

    def _points(self, run: Run, metric: str, rank: int) -> tuple[np.ndarray, np.ndarray]:
        every = 250 if metric.startswith("val/") else 1
        step = np.arange(0, self._steps(run), every, dtype=np.int64)
        seed = _seed(run.run_id, metric, rank)
        return step, _curve(
            metric, step, np.random.default_rng(seed), float(run.config.get("lr", 1e-3)), run, rank
        )


def _seed(*parts: object) -> int:
    return zlib.crc32(repr(parts).encode())


def _curve(
    metric: str, step: np.ndarray, rng: np.random.Generator, lr: float, run: Run, rank: int
) -> np.ndarray:
    n, t = len(step), step / 10_000
    quality = _seed(run.run_id) % 1000 / 1000
    noise = rng.standard_normal(n)
    if metric.endswith("loss"):
        base = 0.35 + 0.5 * quality + (2.6 + 0.3 * quality) * np.exp(-t * (3 + 3 * quality))
        value = base * (1 + 0.035 * noise)
        if run.state is RunState.CRASHED:
            value[int(n * 0.93) :] *= np.linspace(1, 6, n - int(n * 0.93))
            value[-max(1, n // 150) :] = np.nan
        return value
    if metric.endswith("acc"):
        return 0.95 - 0.7 * np.exp(-t * (2 + 2 * quality)) + 0.012 * noise
    if metric.endswith("grad_norm"):
        value = 0.8 + 0.6 * np.exp(-3 * t) + 0.1 * np.abs(noise)
        value[rng.integers(0, n, 4)] *= rng.uniform(8, 30, 4)
        return value
    if metric.endswith("lr"):
        return lr * np.minimum(1, t / 0.05) * 0.5 * (1 + np.cos(np.pi * np.minimum(1, t)))
    if metric.endswith("step_time"):
        return 0.18 + 0.004 * np.abs(noise) + (0.06 if rank == 5 else 0) * (t > 0.3)
    if metric.endswith("bleu"):
        return 32 * (1 - np.exp(-2.5 * t)) + 0.4 * noise + 4 * quality
    if metric.endswith("memory_bytes"):
        return np.full(n, 61.2e9) + 2e8 * noise
    if metric.endswith(("util", "percent")):
        return np.clip(93 + 4 * noise - 60 * (rng.random(n) < 0.002), 0, 100)
    return 41_000 + 4_000 * quality + 600 * noise


def _axis(query: SeriesQuery, step: np.ndarray) -> np.ndarray:
    if query.x is XAxis.TIME:
        return (START_US + step * STEP_US).astype(float)
    return step * float(STEP_US) if query.x is XAxis.RELATIVE else step.astype(float)


def _thinned(run: Run, metric: str, points: list, query: SeriesQuery) -> list[pa.Table]:
    buckets = [(rank, _buckets(query, step, value)) for rank, step, value in points]
    head = {"project": run.project, "run_id": run.run_id, "metric": metric}
    if query.reduce is Reduce.NONE:
        return [
            _table({**head, "rank": rank}, b, {"first": b["first"], "last": b["last"]})
            for rank, b in buckets
            if len(b["x"])
        ]
    lowest = min(len(b["x"]) for _, b in buckets)
    if lowest == 0:
        return []
    stack = {
        name: np.stack([b[name][:lowest] for _, b in buckets]) for name in ("min", "max", "mean")
    }
    joined = {k: v[:lowest] for k, v in buckets[0][1].items()}
    joined |= {"min": stack["min"].min(0), "max": stack["max"].max(0)}
    return [
        _table(
            head,
            joined,
            {"mean": stack["mean"].mean(0), "ranks": np.full(lowest, len(buckets), np.uint32)},
        )
    ]


def _buckets(query: SeriesQuery, step: np.ndarray, value: np.ndarray) -> dict[str, np.ndarray]:
    x = _axis(query, step)
    keep = (x >= (query.x_min if query.x_min is not None else -np.inf)) & (
        x < (query.x_max if query.x_max is not None else np.inf)
    )
    x, step, value = x[keep], step[keep], value[keep]
    if len(x) == 0:
        return {
            name: np.zeros(0)
            for name in (
                "x",
                "x_min",
                "x_max",
                "first",
                "last",
                "min",
                "max",
                "mean",
                "nonfinite",
                "step",
            )
        }
    span = (query.x_max or x[-1] + 1) - (query.x_min or x[0])
    width = 1.0
    while span / width > (query.max_points or 512):
        width *= 2
    slots = np.floor(x / width)
    if query.log_x:
        ruler = log_ruler(x[0], x[-1], query.max_points or 512)
        slots = np.array([ruler.slot(each) for each in x])
    starts = np.flatnonzero(np.diff(slots, prepend=-2))
    ends = np.append(starts[1:], len(x)) - 1
    finite = np.isfinite(value)
    low = np.minimum.reduceat(np.where(finite, value, np.inf), starts)
    high = np.maximum.reduceat(np.where(finite, value, -np.inf), starts)
    last = np.where(finite[ends], value[ends], np.nan)
    total = np.add.reduceat(np.where(finite, value, 0), starts) / np.maximum(
        1, np.add.reduceat(finite.astype(int), starts)
    )
    none = ~np.isfinite(low)
    return {
        "x": x[ends], "x_min": x[starts], "x_max": x[ends], "step": step[ends], "first": value[starts], "last": last,
        "min": np.where(none, np.nan, low), "max": np.where(none, np.nan, high), "mean": np.where(none, np.nan, total),
        "nonfinite": (np.add.reduceat((~finite).astype(int), starts) > 0).astype(np.uint8),
    }  # fmt: skip


def _table(
    head: dict[str, object], b: dict[str, np.ndarray], more: dict[str, np.ndarray]
) -> pa.Table:
    n = len(b["x"])
    keys = {
        k: pa.array([v] * n, pa.uint32() if k == "rank" else pa.string()) for k, v in head.items()
    }
    same = {k: b[k] for k in ("x", "x_min", "x_max", "min", "max")}
    return pa.table(
        {
            **keys,
            **same,
            "step": b["step"].astype(np.int64),
            **more,
            "nonfinite": b["nonfinite"].astype(np.uint8),
        }
    )


def _empty(query: SeriesQuery) -> pa.Table:
    centre = ("mean",) if query.reduce is Reduce.RANKS else ("first", "last")
    return pa.table(
        {
            **{key: pa.array([], pa.string()) for key in KEYS[:3]},
            "rank": pa.array([], pa.uint32()),
            **{
                name: pa.array([], pa.float64())
                for name in ("x", "x_min", "x_max", "min", "max", *centre)
            },
            "nonfinite": pa.array([], pa.uint8()),
        }
    )


def _sort_key(order_by: str):
    field_name = order_by.lstrip("-")
    names = {
        "created": "created_unix_us",
        "name": "name",
        "state": "state",
        "user": "user",
        "group": "group",
    }
    if field_name not in names:
        return lambda run: run.created_unix_us
    return lambda run: getattr(run, names[field_name])


def many_runs(project: str, count: int) -> list[Run]:
    """Runs as a sweep makes them: optimizer × learning rate × batch size."""
    return [
        _run(project, i, running=i >= count - 3, created=START_US - (count - i) * 600_000_000)
        for i in range(count)
    ]


def _run(project: str, i: int, *, running: bool, created: int) -> Run:
    optimizer = ("adamw", "lion", "muon")[i % 3]
    lr = (1e-4, 3e-4, 1e-3, 3e-3)[i % 4]
    batch = (64, 128, 256)[i % 7 % 3]
    ended = created + 1_800_000_000
    over = RunState.CRASHED if i % 9 == 4 else RunState.FINISHED
    quality = _seed(f"r{i:04d}") % 1000 / 2000
    return Run(
        project,
        f"r{i:04d}",
        created,
        name=f"{optimizer}-lr{lr:g}-bs{batch}-{i}",
        user="ada",
        state=RunState.RUNNING if running else over,
        tags=("baseline",) if i % 5 == 0 else (),
        finished_unix_us=0 if running else ended,
        last_seen_unix_us=int(time.time() * 1e6) if running else ended,
        world_size=1,
        ranks=1,
        config={
            "optimizer": optimizer,
            "lr": lr,
            "batch_size": batch,
            "seed": i,
            "model.depth": 12,
            "warmup": 500,
        },
        summary={
            "train/loss": 0.35 + quality,
            "val/acc": 0.9 - i % 7 / 100,
            "val/bleu": 30 + i % 5,
        },
        meta=_meta(i),
    )


def _meta(i: int) -> dict[str, Scalar | Json]:
    """Facts as docs/formats/inputs.md and docs/formats/system.md name them."""
    packages = {"numpy": "1.26.4", "torch": "2.9.1" if i % 2 else "2.8.0", "weir": "0.1.0"}
    return {
        "git/commit": f"{_seed('commit', i // 3):08x}0aa11",
        "git/branch": "main",
        "git/dirty": bool(i % 2),
        "git/remote": "https://git.example/team/train.git",
        "command/line": f"python train.py --seed {i}",
        "command/directory": "/home/ada/train",
        "environment/python": "3.11.7",
        "environment/packages": Json(json.dumps(packages)),
        "library/torch": packages["torch"],
        "library/cuda": "12.8",
        "machine/cpu": "AMD EPYC 9654",
        "machine/gpu": "NVIDIA H100 80GB HBM3",
        "machine/gpu_count": 8,
        "variables/SLURM_JOB_ID": str(4_000 + i),
        "seed/given": i,
        "seed/PYTHONHASHSEED": "random",
        "data/imagenet/kind": "directory",
        "data/imagenet/fingerprint": "sha256:8bee9df0aa118bee9df0aa11",
        "data/imagenet/size_bytes": 147_000_000_000,
        "inputs/problem/container": "no cgroup can be read",
        "node/node-00/gpu0.name": "NVIDIA H100 80GB HBM3",
    }


def two_projects(count: int = 52) -> SyntheticReader:
    """A sweep and a run of sixteen ranks."""
    sweep = many_runs("gpt-small", count)
    wide = replace(
        many_runs("ddp", 1)[0], run_id="ddp16", name="ddp-16gpu", ranks=16, world_size=16
    )
    return SyntheticReader([*sweep, wide])
