"""What a trainer leaves behind for those who count: files of its own that survive its SIGKILL.

    <life>/life.json    who it was and what it was told to do
           rows.bin     one row per log(): i64 step, then a f64 per metric; written BEFORE log()
           safe         u64: rows that flush(level="spooled") has confirmed so far
           pauses.bin, idle.bin   how long log() took, and how long nothing took (pauses.py)

A row in rows.bin may be stored; a row below `safe` must be. What lies between is the un-spooled tail.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

TEXT_EVERY: Final = 10  # steps
TEXT: Final = "note"


@dataclass(frozen=True, slots=True)
class Life:
    """One process that trains: a rank of a run, or one of several lives of that rank.

    Attributes:
        slot: The place in the load that it fills.
        number: Lives of this slot before it.
        root: Its spool root, by name.
        rate: Steps per second.
        burst: Steps logged at once every `burst_every_s`, on top of the rate.
        first_step: Where its steps begin; lower than the last life's end is a rewind.
        ending: `finish`, `leave` (exit without finish()) or `vanish` (os._exit).
        seconds: How long it trains unless it is killed before.
    """

    slot: str
    number: int
    project: str
    run: str
    rank: int
    root: str
    metrics: int
    rate: float
    first_step: int
    seconds: float
    seed: int
    texts: bool = False
    burst: int = 0
    burst_every_s: float = 10.0
    resumes: bool = False
    ending: str = "finish"

    def names(self) -> tuple[str, ...]:
        """Return its metrics."""
        return tuple(f"train/m{index:02d}" for index in range(self.metrics))

    def text(self, step: int) -> str | None:
        """Return the text logged at a step, if any."""
        due = self.texts and step % TEXT_EVERY == 0
        return f"{self.slot} life {self.number} at {step}" if due else None

    @classmethod
    def read(cls, folder: Path) -> Life:
        """Read it from its folder."""
        return cls(**json.loads((folder / "life.json").read_text()))

    def write(self, folder: Path) -> None:
        """Begin its folder."""
        folder.mkdir(parents=True)
        (folder / "life.json").write_text(json.dumps(asdict(self)))


class Recorder:
    """Writes rows and how many of them are safe. The page cache keeps both through a SIGKILL."""

    def __init__(self, folder: Path, metrics: int) -> None:
        self._row = struct.Struct(f"<q{metrics}d")
        self._rows = os.open(folder / "rows.bin", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        (folder / "safe").write_bytes(bytes(8))
        with (folder / "safe").open("r+b") as file:
            self._safe = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")
        self.rows = 0

    def row(self, step: int, values: list[float]) -> None:
        """Write one row down."""
        os.write(self._rows, self._row.pack(step, *values))
        self.rows += 1

    def confirm(self) -> None:
        """Note that every row so far is promised."""
        self._safe[0] = self.rows


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one life wrote down.

    Attributes:
        steps: i64, in the order logged.
        values: f64, steps × metrics.
        safe: Rows from the first that are promised.
    """

    life: Life
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    safe: int


def read_recorded(folder: Path, *, all_promised: bool) -> Recorded:
    """Read what a life wrote down; a row torn by a kill was never logged, so it is left out."""
    life = Life.read(folder)
    row = np.dtype([("step", "<i8"), ("values", "<f8", (life.metrics,))])
    path = folder / "rows.bin"
    raw = path.read_bytes() if path.exists() else b""
    rows = np.frombuffer(raw[: len(raw) - len(raw) % row.itemsize], dtype=row)
    safe = int.from_bytes((folder / "safe").read_bytes(), "little") if raw else 0
    return Recorded(life, rows["step"], rows["values"], len(rows) if all_promised else safe)
