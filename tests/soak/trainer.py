"""The program that trains in a soak: `python -m tests.soak.trainer FOLDER` (record.py says what is in it)."""

from __future__ import annotations

import math
import os
import random
import signal
import sys
import time
from pathlib import Path

import weir
from tests.soak.pauses import Pauses
from tests.soak.record import TEXT, Life, Recorder

CONFIRM_EVERY_S = 2.0
FLUSH_WITHIN_S = 10.0
ODD = (math.nan, math.inf, -math.inf, -0.0, 5e-324)


class Trainer:
    """Logs rows at a pace, writes each down first, and times every call."""

    def __init__(self, folder: Path) -> None:
        self.life = Life.read(folder)
        self.asked = False
        self._names = self.life.names()
        self._rng = random.Random(self.life.seed)
        self._recorder = Recorder(folder, self.life.metrics)
        self._pauses = Pauses(folder / "pauses.bin")
        self._idle = Pauses(folder / "idle.bin")
        self._step = self.life.first_step
        self._run = weir.init(
            self.life.project,
            id=self.life.run,
            rank=self.life.rank,
            config={"slot": self.life.slot, "life": self.life.number},
            resume="allow" if self.life.resumes else None,
        )

    def train(self) -> None:
        """Log until the time is up or somebody asks to stop."""
        began_s = due_s = time.monotonic()
        confirm_s, burst_s = began_s + CONFIRM_EVERY_S, began_s + self.life.burst_every_s
        while not self.asked and (now_s := time.monotonic()) - began_s < self.life.seconds:
            if now_s < due_s:
                time.sleep(due_s - now_s)
            due_s = max(due_s, now_s - 1) + 1 / self.life.rate  # a stall is not made up for
            self._log()
            if now_s >= burst_s:
                burst_s = now_s + self.life.burst_every_s
                for _ in range(self.life.burst):
                    self._log()
            if now_s >= confirm_s:
                confirm_s = now_s + CONFIRM_EVERY_S
                self._confirm()

    def end(self) -> None:
        """End as the life is meant to."""
        if self.life.ending == "vanish":
            os._exit(9)
        if self.life.ending == "finish":
            self._run.finish()

    def _log(self) -> None:
        values = [self._rng.random() for _ in self._names]
        if self._rng.random() < 0.01:
            values[0] = self._rng.choice(ODD)
        self._recorder.row(self._step, values)
        data: dict[str, float | str] = dict(zip(self._names, values, strict=True))
        if (text := self.life.text(self._step)) is not None:
            data[TEXT] = text
        clock = time.perf_counter_ns
        began = clock()
        self._run.log(data, step=self._step)
        ended = clock()
        self._pauses.add(ended - began)
        began = clock()
        _as_long_as_log()
        self._idle.add(clock() - began)
        self._step += 1

    def _confirm(self) -> None:
        if self.life.texts:
            self._run.config["seen"] = self._step
        if self._run.flush(level="spooled", timeout=FLUSH_WITHIN_S):
            self._recorder.confirm()


def _as_long_as_log() -> None:
    """Take as long as log() does and do nothing: what this call waits, the machine made it wait."""
    for _ in range(800):
        pass


def main(folder: Path) -> int:
    """Train one life."""
    asked = []
    signal.signal(signal.SIGUSR1, lambda *_: asked.append(True))
    trainer = Trainer(folder)
    signal.signal(signal.SIGUSR1, lambda *_: setattr(trainer, "asked", True))
    trainer.asked = bool(asked)
    trainer.train()
    trainer.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
