"""A campaign: phases of load and blows, each ended by healing, draining and counting."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.blows import KILLABLE, Blow, Target, deal
from tests.soak.count import count_all
from tests.soak.load import PLACES, WITNESSES, Ended, Load, Place
from tests.soak.report import make_report
from tests.soak.serve import Served
from tests.soak.strike import Striker, Struck
from tests.soak.tally import Tally
from tests.soak.watch import ROOTS, Watch

_POLL_S = 0.1
_HEAL_WITHIN_S = 300.0  # a bound, no promise: two busy cores are slow to start seven processes
_DRAIN_WITHIN_S = 300.0
_SYNC_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Orders:
    """What to do.

    Attributes:
        minutes: Of load and blows; draining and counting come on top.
        kills: Go on for as long as it takes to kill so many processes, and one of every kind that
            may be hit; 0 = the minutes decide.
        per_minute: Blows a minute.
        phase_minutes: How often to drain and count.
        patience: Share of blows after which everything may recover before the next one.
        targets: What may be hit; empty = everything.
    """

    folder: Path
    seed: int
    minutes: float
    kills: int = 0
    per_minute: float = 12.0
    phase_minutes: float = 5.0
    patience: float = 0.6
    targets: tuple[Target, ...] = ()
    places: tuple[Place, ...] = PLACES


@dataclass(slots=True)
class Campaign:
    """Runs once: `run`."""

    orders: Orders
    say: Callable[[str], None]
    tally: Tally = field(default_factory=Tally)
    complaints: list[str] = field(default_factory=list)
    _loads: list[Load] = field(default_factory=list)

    def run(self) -> dict[str, Any]:
        """Do it all; returns the report (report.make_report)."""
        orders = self.orders
        served = Served(orders.folder)
        began_s = time.monotonic()
        witnesses = self._load(served, WITNESSES, "all", 1e9)
        watch = Watch(
            served, lambda: {a.life.root: (a.life.run, a.process.pid) for a in witnesses.alive()}
        )
        watch.start()
        blows = deal(orders.seed, orders.per_minute, orders.targets, patience=orders.patience)
        ended: list[Ended] = []
        struck: list[Struck] = []
        phase = 0
        try:
            witnesses.poll()
            while phase == 0 or not self._enough(began_s, struck):
                phase += 1
                if phase > 1 and self._kills_left(struck) == 1 and (spared := self._spared(struck)):
                    blows = deal(orders.seed + phase, orders.per_minute, spared, patience=1.0)
                load = self._load(served, orders.places, f"p{phase}", orders.phase_minutes * 60)
                striker = Striker(served, load, watch, orders.folder / "blows.jsonl", began_s)
                self._phase(striker, witnesses, blows, began_s, self._kills_left(struck))
                struck += striker.struck
                ended += load.ended()
                self._drain(served, spare="witness")
                self._count(served, load, f"phase {phase}")
                self.say(f"{sum(b.action == 'kill' for b in struck)} kills so far")
            witnesses.stop()
            self._drain(served, spare="")
            self._count(served, witnesses, "the witnesses")
        finally:
            self._end(watch, served)
        return make_report(
            seed=orders.seed,
            seconds=time.monotonic() - began_s,
            struck=struck,
            tally=self.tally,
            ended=[*ended, *witnesses.ended()],
            samples=watch.memory,
            complaints=self.complaints,
        )

    def _load(self, served: Served, places: tuple[Place, ...], phase: str, seconds: float) -> Load:
        load = Load(
            places,
            phase=phase,
            seed=self.orders.seed,
            folder=self.orders.folder / "lives",
            seconds=seconds,
            environment=served.environment,
        )
        self._loads.append(load)
        return load

    def _enough(self, began_s: float, struck: list[Struck]) -> bool:
        if self.orders.kills:
            return self._kills_left(struck) <= 0
        return time.monotonic() - began_s >= self.orders.minutes * 60

    def _kills_left(self, struck: list[Struck]) -> float:
        if not self.orders.kills:
            return math.inf
        kills = sum(blow.action == "kill" for blow in struck)
        return max(self.orders.kills - kills, 1 if self._spared(struck) else 0)

    def _spared(self, struck: list[Struck]) -> tuple[Target, ...]:
        """Return who may be killed and never was: a blow can find nobody there."""
        killed = {blow.target for blow in struck if blow.action == "kill"}
        return tuple(each for each in self.orders.targets or KILLABLE if each not in killed)

    def _phase(
        self,
        striker: Striker,
        witnesses: Load,
        blows: Iterator[Blow],
        began_s: float,
        most_kills: float,
    ) -> None:
        """Load and blows for one phase, then let everything heal."""
        started_s = time.monotonic()
        minutes = min(self.orders.phase_minutes, self.orders.minutes)
        origin_s: float | None = None
        blow = next(blows)
        while time.monotonic() - started_s < minutes * 60 and striker.kills < most_kills:
            striker.load.poll()
            witnesses.poll()
            striker.poll()
            if origin_s is None:
                origin_s = time.monotonic() - blow.due_s
            if time.monotonic() - origin_s >= blow.due_s and not striker.busy:
                if striker.strike(blow):
                    self.say(
                        f"{time.monotonic() - began_s:7.1f} s  {blow.action} {striker.struck[-1].who}"
                    )
                blow = next(blows)
            time.sleep(_POLL_S)
        if not striker.heal(_HEAL_WITHIN_S):
            self.complaints.append("not everything was well again in time")
        striker.load.stop()

    def _drain(self, served: Served, *, spare: str) -> None:
        """Wait until every spool but those of a project is committed and gone."""
        deadline_s = time.monotonic() + _DRAIN_WITHIN_S
        sync_at_s = time.monotonic() + _SYNC_AFTER_S
        while left := [
            spool for root in ROOTS for spool in served.spools(root) if spool.parts[-3] != spare
        ]:
            if time.monotonic() > deadline_s:
                self.complaints.append(f"{len(left)} spools were never drained, e.g. {left[0]}")
                return
            if time.monotonic() > sync_at_s:  # an agent that was killed after its last trainer
                sync_at_s = float("inf")
                for root in ROOTS:
                    if served.pid(f"agent-{root}") is None:
                        self.say(f"no agent serves root {root}: weir sync")
                        served.sync(root, 60)
            time.sleep(_POLL_S)

    def _count(self, served: Served, load: Load, what: str) -> None:
        with served.weir.reader() as reader:
            tally = count_all(served, reader, load.ended())
        self.tally.add(tally)
        with (self.orders.folder / "phases.jsonl").open("a") as log:
            log.write(json.dumps({"what": what, **asdict(tally)}) + "\n")
        self.say(
            f"{what}: {tally.promised:,} promised, {tally.stored:,} read, lost {tally.lost}, "
            f"doubled {tally.doubled}, changed {tally.changed}, verdicts {tally.verdicts}"
        )
        for fault in tally.named:
            self.say(f"  ! {fault}")

    def _end(self, watch: Watch, served: Served) -> None:
        for load in self._loads:
            load.stop()
        watch.stop()
        served.stop()
