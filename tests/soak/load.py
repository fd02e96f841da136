"""The load: places for trainers that are filled again and again, with every kind of life and ending."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.e2e.fixtures_up import ROOT
from tests.soak.record import Life, read_recorded

# Two lives of one rank born in the same second are the one thing that has no order (guarantees.md).
BETWEEN_LIVES_S: Final = 2.5
_STOP_WITHIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Place:
    """What the lives of one slot have in common.

    Attributes:
        follows: How a life may follow another: `new` run, `on` (resume) or `back` (rewind).
        endings: How a life may end by itself.
        killable: Whether the campaign may kill its trainer.
    """

    slot: str
    project: str
    root: str
    rank: int = 0
    run: str = ""  # empty = the slot's name
    metrics: int = 8
    rate: float = 25.0
    texts: bool = False
    burst: int = 0
    longest_s: float = 60.0
    follows: tuple[str, ...] = ("new", "on", "back")
    endings: tuple[str, ...] = ("finish",)
    killable: bool = True


PLACES: Final = (
    Place("pair-0", "jobs", "a", 0, "pair", follows=("on", "back")),
    Place("pair-1", "jobs", "a", 1, "pair", follows=("on", "back")),
    Place("solo", "jobs", "b", texts=True, endings=("finish", "leave", "vanish")),
    Place("again", "jobs", "b", texts=True, follows=("on", "back", "back")),
    Place("short", "jobs", "b", metrics=3, longest_s=8, follows=("new",), endings=("finish", "leave")),
    Place("flood", "flood", "a", metrics=40, rate=10, burst=500, follows=("new", "on")),
)  # fmt: skip
WITNESSES: Final = tuple(
    Place(f"witness-{root}", "witness", root, metrics=10, rate=20, killable=False)
    for root in ("a", "b")
)


@dataclass(slots=True)
class Alive:
    """A life and its process."""

    life: Life
    folder: Path
    process: subprocess.Popen[bytes]


@dataclass(frozen=True, slots=True)
class Ended:
    """A life that is over; `whole` = it ended well, so everything it logged is promised."""

    life: Life
    folder: Path
    code: int

    @property
    def whole(self) -> bool:
        """Whether every row is promised."""
        return self.code == 0 and self.life.ending != "vanish"


@dataclass(slots=True)
class Slot:
    """One place, and who is in it."""

    place: Place
    rng: random.Random
    alive: Alive | None = None
    last: Life | None = None
    lives: int = 0
    due_s: float = 0.0
    ended: list[Ended] = field(default_factory=list)


class Load:
    """All slots of one phase. `poll` often: it buries the dead and fills their places.

    Args:
        places: What to run.
        phase: Ends up in the runs' ids, so that no phase meets the runs of another.
        folder: Where lives are written.
        environment: Of a trainer, by the name of its spool root.
    """

    def __init__(
        self,
        places: tuple[Place, ...],
        *,
        phase: str,
        seed: int,
        folder: Path,
        seconds: float,
        environment: Callable[[str], dict[str, str]],
    ) -> None:
        self._phase = phase
        self._folder = folder
        self._environment = environment
        self._until_s = time.monotonic() + seconds
        self._slots = [Slot(p, random.Random(f"{seed}/{phase}/{p.slot}")) for p in places]

    def poll(self) -> None:
        """Bury the dead and start who is due."""
        for slot in self._slots:
            self._bury(slot)
            left_s = self._until_s - time.monotonic()
            if slot.alive is None and time.monotonic() >= slot.due_s and left_s > 0:
                self._start(slot, left_s)

    def alive(self, *, killable: bool = False) -> list[Alive]:
        """Return who lives, or of these who may be killed."""
        return [
            slot.alive
            for slot in self._slots
            if slot.alive and (slot.place.killable or not killable)
        ]

    def ended(self) -> list[Ended]:
        """Return every life that is over, in the order of each slot."""
        return [ended for slot in self._slots for ended in slot.ended]

    def stop(self) -> None:
        """Ask everybody to end well, and wait; who does not is killed (and counted as such)."""
        self._until_s = 0.0
        for alive in self.alive():
            alive.process.send_signal(signal.SIGUSR1)
        deadline_s = time.monotonic() + _STOP_WITHIN_S
        while self.alive() and time.monotonic() < deadline_s:
            self.poll()
            time.sleep(0.1)
        for alive in self.alive():
            alive.process.kill()
            alive.process.wait()
        self.poll()

    def _bury(self, slot: Slot) -> None:
        if slot.alive is None or (code := slot.alive.process.poll()) is None:
            return
        slot.ended.append(Ended(slot.alive.life, slot.alive.folder, code))
        slot.alive = None
        slot.due_s = time.monotonic() + BETWEEN_LIVES_S

    def _start(self, slot: Slot, left_s: float) -> None:
        life = next_life(slot.place, slot.last, slot.lives, self._phase, slot.rng)
        if slot.last and life.resumes:
            last_folder = slot.ended[-1].folder
            life = replace(life, first_step=step_after(last_folder, life.first_step))
        life = replace(life, seconds=min(life.seconds, left_s) if slot.place.killable else left_s)
        folder = self._folder / f"{self._phase}-{life.slot}-{life.number:03d}"
        life.write(folder)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.trainer", str(folder)],
                env={**self._environment(life.root), "PYTHONPATH": trainer_path()},
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        slot.alive = Alive(life, folder, process)
        slot.last, slot.lives = life, slot.lives + 1


def next_life(place: Place, last: Life | None, number: int, phase: str, rng: random.Random) -> Life:
    """Return the next life of a place. Pure.

    For a life that goes on, `first_step` is relative to where the last one came to: 0 goes on
    from there, −40 logs forty steps again.
    """
    follow = rng.choice(place.follows) if last else "new"
    run = f"{phase}-{place.run or f'{place.slot}-{number}'}"
    return Life(
        slot=place.slot,
        number=number,
        project=place.project,
        run=last.run if last and follow != "new" else run,
        rank=place.rank,
        root=place.root,
        metrics=place.metrics,
        rate=place.rate,
        first_step=-rng.randrange(1, 400) if follow == "back" else 0,
        seconds=rng.uniform(place.longest_s / 4, place.longest_s),
        seed=rng.getrandbits(48),
        texts=place.texts,
        burst=place.burst,
        resumes=follow != "new",
        ending=rng.choice(place.endings),
    )


def step_after(folder: Path, offset: int) -> int:
    """Return the step where a life begins that follows another."""
    recorded = read_recorded(folder, all_promised=False)
    end = int(recorded.steps[-1]) + 1 if len(recorded.steps) else recorded.life.first_step
    return max(0, end + offset)


def trainer_path() -> str:
    """Return a PYTHONPATH on which trainers find this tree's packages before any installed ones."""
    ours = [str(ROOT / name) for name in ("proto", "client", "services", "dashboard", ".")]
    return os.pathsep.join([*ours, *filter(None, [os.environ.get("PYTHONPATH", "")])])
