"""Real data-parallel training on one machine: four processes, one model, one run.

Every rank is a process of its own with its share of scikit-learn's handwritten digits. Each step it
computes gradients by hand (an MLP in NumPy), averages them with the other ranks through shared memory
as DistributedDataParallel does through NCCL, and logs what it saw. All ranks join one run because they
are given the same id; *rank* stays a dimension of the data, so one slow or diverging rank shows.

    python examples/02_digits_ddp.py                       # about three minutes
    python examples/02_digits_ddp.py --seconds 20 --ranks 2
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import pairwise
from multiprocessing import shared_memory
from multiprocessing.synchronize import Barrier
from pathlib import Path

# Four processes share the cores already: each does its algebra on one thread.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

import numpy as np  # noqa: E402 - reads the variables above
from sklearn.datasets import load_digits  # noqa: E402

import weir  # noqa: E402

Array = np.ndarray
BARRIER_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Job:
    """What to train, and how long."""

    run_id: str
    project: str = "digits"
    ranks: int = 4
    seconds: float = 180.0
    hidden: int = 256
    batch: int = 32  # per rank
    lr: float = 0.08
    warmup_steps: int = 200
    weight_decay: float = 1e-4
    noise: float = 0.35
    seed: int = 7
    steps: int = 0  # 0 = as many as fit into the time
    record: str = ""  # folder for what each rank has logged, for those who count


# ── data ─────────────────────────────────────────────────────────────────────


def load(job: Job, rank: int) -> tuple[Array, Array, Array, Array]:
    """Return this rank's training images and labels, and the validation set that all share."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype(np.float32)
    order = np.random.default_rng(job.seed).permutation(len(images))
    validation, training = order[:360], order[360:]
    share = training[rank :: job.ranks]
    return images[share], labels[share], images[validation], labels[validation]


# ── model ────────────────────────────────────────────────────────────────────


class Mlp:
    """64 pixels → hidden → hidden → 10 digits; all parameters lie in one flat vector."""

    def __init__(self, hidden: int, seed: int) -> None:
        widths = [64, hidden, hidden, 10]
        shapes = [
            s for fan_in, fan_out in pairwise(widths) for s in ((fan_in, fan_out), (fan_out,))
        ]
        self.flat = np.zeros(sum(int(np.prod(s)) for s in shapes), dtype=np.float32)
        self.parts, offset = [], 0
        rng = np.random.default_rng(seed)
        for shape in shapes:
            size = int(np.prod(shape))
            part = self.flat[offset : offset + size].reshape(shape)  # a view
            if len(shape) == 2:
                part[:] = rng.normal(0, np.sqrt(2 / shape[0]), shape)
            self.parts.append(part)
            offset += size

    def forward(self, x: Array) -> list[Array]:
        """Return every layer's activations, the logits last."""
        w1, b1, w2, b2, w3, b3 = self.parts
        first = np.maximum(x @ w1 + b1, 0)
        second = np.maximum(first @ w2 + b2, 0)
        return [x, first, second, second @ w3 + b3]

    def backward(self, activations: list[Array], labels: Array) -> Array:
        """Return the gradient of the mean cross entropy, flat."""
        x, first, second, logits = activations
        _, _, w2, _, w3, _ = self.parts
        error = softmax(logits)
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        error2 = (error @ w3.T) * (second > 0)
        error1 = (error2 @ w2.T) * (first > 0)
        gradients = [
            x.T @ error1, error1.sum(0), first.T @ error2, error2.sum(0), second.T @ error, error.sum(0),
        ]  # fmt: skip
        return np.concatenate([g.ravel() for g in gradients]).astype(np.float32)


def softmax(logits: Array) -> Array:
    """Return probabilities, row by row."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def loss_and_accuracy(logits: Array, labels: Array) -> tuple[float, float]:
    """Return mean cross entropy and the share of right answers."""
    picked = softmax(logits)[np.arange(len(labels)), labels]
    right = logits.argmax(axis=1) == labels
    return float(-np.log(np.maximum(picked, 1e-12)).mean()), float(right.mean())


def learning_rate(job: Job, step: int, progress: float) -> float:
    """Return a linear warm-up followed by a cosine down to a hundredth; `progress` in [0, 1]."""
    warm = min(1.0, (step + 1) / job.warmup_steps)
    return job.lr * warm * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * min(1.0, progress))))


# ── ranks working together ───────────────────────────────────────────────────


class AllReduce:
    """Averages a vector over all ranks: each writes its row, waits, reads all rows, waits."""

    def __init__(
        self, memory: shared_memory.SharedMemory, barrier: Barrier, job: Job, rank: int, size: int
    ) -> None:
        self._rows = np.ndarray((job.ranks, size), dtype=np.float32, buffer=memory.buf)
        self._barrier = barrier
        self._rank = rank

    def mean(self, vector: Array) -> Array:
        """Return the mean over the ranks; every rank gets the same bits."""
        self._rows[self._rank] = vector
        self._barrier.wait(BARRIER_TIMEOUT_S)
        averaged = self._rows.mean(axis=0)
        self._barrier.wait(BARRIER_TIMEOUT_S)
        return averaged


def train(job: Job, rank: int, memory_name: str, barrier: Barrier) -> None:
    """Train as one rank; ends when the time, or the number of steps, is up."""
    images, labels, val_images, val_labels = load(job, rank)
    model = Mlp(job.hidden, job.seed)
    rng = np.random.default_rng(job.seed + 1 + rank)
    memory = shared_memory.SharedMemory(name=memory_name)
    # Loss and "is the time up?" travel with the gradient, so that all ranks stop at the same step.
    reduce = AllReduce(memory, barrier, job, rank, len(model.flat) + 1)
    run = weir.init(
        job.project,
        id=job.run_id,
        config=asdict(job),
        rank=rank,
        world_size=job.ranks,
        local_rank=rank,
    )
    run.define_metric("val/accuracy", summary="max", goal="maximize")
    logged: dict[str, list[tuple[int, float]]] = defaultdict(list)

    def log(values: dict[str, float], step: int) -> None:
        run.log(values, step=step)
        if job.record:
            for name, value in values.items():
                logged[name].append((step, value))

    epoch_steps = len(images) // job.batch
    began_s, step, best = time.perf_counter(), 0, 0.0
    while True:
        step_began_s = time.perf_counter()
        elapsed_s = step_began_s - began_s
        progress = step / job.steps if job.steps else elapsed_s / job.seconds
        picked = rng.integers(0, len(images), job.batch)
        x = images[picked] + rng.normal(0, job.noise, (job.batch, 64)).astype(np.float32)
        activations = model.forward(x)
        gradient = model.backward(activations, labels[picked])
        averaged = reduce.mean(np.append(gradient, np.float32(progress)))
        gradient, progress = averaged[:-1], float(averaged[-1])
        lr = learning_rate(job, step, progress)
        model.flat -= lr * (gradient + job.weight_decay * model.flat)
        loss, accuracy = loss_and_accuracy(activations[-1], labels[picked])
        log(
            {
                "train/loss": loss,
                "train/accuracy": accuracy,
                "lr": lr,
                "grad_norm": float(np.linalg.norm(gradient)),
                "step_time_ms": (time.perf_counter() - step_began_s) * 1e3,
            },
            step,
        )
        done = progress >= 1 or (job.steps and step + 1 >= job.steps)
        if rank == 0 and (done or step % epoch_steps == 0):
            val_loss, val_accuracy = loss_and_accuracy(model.forward(val_images)[-1], val_labels)
            best = max(best, val_accuracy)
            log(
                {"val/loss": val_loss, "val/accuracy": val_accuracy, "epoch": step / epoch_steps},
                step,
            )
        step += 1
        if done:
            break
    if rank == 0:
        run.summary["best_val_accuracy"] = best
        run.summary["steps"] = step
        print(f"{step} steps, best validation accuracy {best:.4f}", flush=True)
    if job.record:
        Path(job.record, f"rank-{rank}.json").write_text(json.dumps(logged))
    run.finish()
    memory.close()


# ── starting them ────────────────────────────────────────────────────────────


def main(arguments: list[str] | None = None) -> int:
    """Start the ranks and wait for them; returns 0 when every one ended well."""
    job = read_arguments(arguments)
    size = len(Mlp(job.hidden, job.seed).flat) + 1
    memory = shared_memory.SharedMemory(create=True, size=job.ranks * size * 4)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(job.ranks)
    ranks = [
        context.Process(target=train, args=(job, rank, memory.name, barrier), name=f"rank {rank}")
        for rank in range(job.ranks)
    ]
    print(f"run {job.run_id} in project {job.project}, {job.ranks} ranks", flush=True)
    try:
        for process in ranks:
            process.start()
        for process in ranks:
            process.join()
    except KeyboardInterrupt:
        for process in ranks:
            process.join()
    finally:
        memory.close()
        memory.unlink()
    return 0 if all(process.exitcode == 0 for process in ranks) else 1


def read_arguments(arguments: list[str] | None) -> Job:
    """Return the job that the command line describes."""
    known = Job(run_id=f"digits-{time.strftime('%m%d-%H%M%S')}")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in asdict(known).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return Job(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    sys.exit(main())
