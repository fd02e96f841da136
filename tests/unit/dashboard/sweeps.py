"""A sweep over learning rate, optimizer and depth, in memory: results that follow from config, and holes."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

from tests.contract.small_stores import BIRTH_S, NOW_UNIX_US, StoreBuilder
from weir_dashboard.sources import Sources
from weir_store.compared.memory import MemoryCompare
from weir_store.errors import StoreUnavailable
from weir_store.memory import MemoryStore
from weir_store.memory_reader import MemoryReader
from weir_store.records import RunRef

PROJECT = "sweep"
HOSTILE = "<img src=x onerror=alert(1)>🔥" + "x" * 5_000
STEPS = 6


def loss_of(lr: float, optimizer: str, depth: int, noise: float) -> float:
    """The truth behind the sweep: lr matters most, best at 1e-3; then the optimizer, then depth."""
    return (math.log10(lr) + 3) ** 2 + (0.8 if optimizer == "sgd" else 0.0) + 0.01 * depth + noise


@dataclass
class Down:
    """A reader that can fall silent."""

    inner: Any
    silent: list[bool]

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self.inner, name)

        def answer(*args: Any, **more: Any) -> Any:
            if self.silent:
                raise StoreUnavailable("connection refused")
            return asked(*args, **more)

        return answer


@dataclass
class Sweep:
    """Runs `r000`… of `sweep` and one of `other`; `go_down` silences the store."""

    runs: int = 40
    holes: bool = True
    silent: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryStore()
        draw = random.Random(7)
        for at in range(self.runs):
            self._run(RunRef(PROJECT, f"r{at:03d}"), at, draw)
        if self.runs > 1:
            self._run(RunRef("other", "o0"), 1, draw)

    @property
    def sources(self) -> Sources:
        reader = MemoryReader(self.store, now_unix_us=lambda: NOW_UNIX_US)
        compared = MemoryCompare(self.store, now_unix_us=lambda: NOW_UNIX_US)
        return Sources(Down(reader, self.silent), compared=Down(compared, self.silent))

    def go_down(self) -> None:
        self.silent.append(True)

    def _run(self, ref: RunRef, at: int, draw: random.Random) -> None:
        rows = StoreBuilder()
        lr = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2)[at % 5]
        optimizer = ("adamw", "lion", "sgd")[at % 3]
        depth = 4 * draw.randint(1, 6)
        rows.add_run(ref, created_s=BIRTH_S + at)
        name = HOSTILE if self.holes and at == 5 else f"{optimizer}-{lr:g}-{at}"
        rows.add_attr(ref, "meta", "name", name)
        rows.add_attr(ref, "meta", "metric/val/*", b'{"goal": "minimize"}')
        if not (self.holes and at == 7):
            rows.add_attr(ref, "config", "lr", lr)
        rows.add_attr(ref, "config", "optimizer", optimizer)
        rows.add_attr(ref, "config", "model.depth", depth)
        rows.add_attr(ref, "config", "seed", at)
        rows.add_attr(ref, "config", "data", "tokens-v1")
        final = loss_of(lr, optimizer, depth, draw.gauss(0, 0.05))
        for step in range(STEPS):
            value = final + 2.0 * (STEPS - 1 - step)
            last = step == STEPS - 1
            rows.add_point(
                ref, "val/loss", step, math.nan if self.holes and at == 9 and last else value
            )
            rows.add_point(ref, "train/loss", step, value * 0.9)
        self.store.insert(rows.take_block(), "")
