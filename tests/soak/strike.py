"""Breaking things: each blow is delivered, logged, and followed until everything is well again."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.soak.blows import PARTS, Blow
from tests.soak.load import Load
from tests.soak.serve import Served
from tests.soak.watch import AGENTS, ROOTS, Watch

_PATIENCE_S: Final = 45.0
_NETWORK: Final = 0  # in the place of a pid


@dataclass(slots=True)
class Struck:
    """One blow that was delivered.

    Attributes:
        at_s: When, in seconds since the campaign began.
        who: Which process: a part, `agent-a`, or a trainer's life.
        well_s: From the blow (of a pause: from its end) until the process's successor did its
            work; of a trainer: until all that it had spooled was committed and its spool gone.
        stored_s: From there until a point logged after the blow was stored.
        alone: No other blow fell before everything was well and stored again.
    """

    at_s: float
    target: str
    action: str
    who: str
    pid: int
    pause_s: float = 0.0
    well_s: float | None = None
    stored_s: float | None = None
    alone: bool = True
    since_unix_s: float = 0.0
    spool: Path | None = field(default=None, repr=False)
    roots: tuple[str, ...] = ROOTS

    @property
    def over(self) -> bool:
        """Whether nothing more is to be waited for."""
        return self.well_s is not None and self.stored_s is not None


class Striker:
    """Delivers blows. Used by the main thread only; call `poll` often."""

    def __init__(self, served: Served, load: Load, watch: Watch, log: Path, began_s: float) -> None:
        self.load = load
        self.struck: list[Struck] = []
        self._served = served
        self._watch = watch
        self._log = log
        self._began_s = began_s
        self._open: list[Struck] = []
        self._stopped: list[tuple[float, int, Struck]] = []  # until when, pid, blow
        self._patient_until_s = 0.0

    @property
    def kills(self) -> int:
        """Processes killed so far."""
        return sum(blow.action == "kill" for blow in self.struck)

    @property
    def busy(self) -> bool:
        """Whether the next blow has to wait for this one."""
        if not self._open and not self._stopped:
            self._patient_until_s = 0.0
        return time.monotonic() < self._patient_until_s

    def strike(self, blow: Blow) -> bool:
        """Deliver a blow; False when there is nobody to hit."""
        victim = self._victim(blow)
        if victim is None:
            return False
        for other in self._open:
            other.alone = False
        victim.alone = not self._open
        self._open.append(victim)
        self.struck.append(victim)
        if blow.patient:
            self._patient_until_s = time.monotonic() + _PATIENCE_S
        self._deliver(blow, victim)
        return True

    def poll(self) -> None:
        """Let go on who was stopped for long enough, and see who is well again."""
        now_s = time.monotonic()
        for stopped in [stopped for stopped in self._stopped if stopped[0] <= now_s]:
            self._stopped.remove(stopped)
            self._let_go(stopped[1])
            stopped[2].since_unix_s = time.time()
        held = {id(blow) for _, _, blow in self._stopped}
        for blow in [blow for blow in self._open if id(blow) not in held]:
            self._look(blow)
            if blow.over or time.time() - blow.since_unix_s > 600:
                self._open.remove(blow)
                self._write(blow)

    def _deliver(self, blow: Blow, victim: Struck) -> None:
        if blow.action == "pause":
            self._stopped.append((time.monotonic() + blow.pause_s, victim.pid, victim))
            self._hold(victim.pid)
        elif blow.action == "cut":
            self._served.network.cut()
        elif blow.target == "up":
            self._served.kill_all()
        else:
            _signal(victim.pid, signal.SIGKILL)

    def _hold(self, pid: int) -> None:
        if pid == _NETWORK:
            self._served.network.hold()
        else:
            _signal(pid, signal.SIGSTOP)

    def _let_go(self, pid: int) -> None:
        if pid == _NETWORK:
            self._served.network.let_go()
        else:
            _signal(pid, signal.SIGCONT)

    def heal(self, within_s: float) -> bool:
        """Let everybody go on and wait until all is well; False when it is not in time."""
        self._stopped = [(0.0, pid, blow) for _, pid, blow in self._stopped]
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s:
            self.load.poll()
            self.poll()
            if not self._open and all(self._watch.seen.well.get(part) for part in PARTS):
                return True
            time.sleep(0.1)
        for blow in self._open:
            self._write(blow)
        self._open.clear()
        return False

    def _victim(self, blow: Blow) -> Struck | None:
        if blow.target == "trainer":
            return self._trainer(blow)
        names = AGENTS if blow.target == "agent" else (blow.target,)
        name = names[int(blow.pick * len(names))]
        pid = _NETWORK if name == "network" else self._served.pid(name)
        if pid is None or any(pid == stopped for _, stopped, _ in self._stopped):
            return None
        roots = (name.removeprefix("agent-"),) if blow.target == "agent" else ROOTS
        return self._struck(blow, name, pid, roots)

    def _trainer(self, blow: Blow) -> Struck | None:
        victims = self.load.alive(killable=True)
        if not victims:
            return None
        victim = victims[int(blow.pick * len(victims))]
        struck = self._struck(blow, victim.folder.name, victim.process.pid, (victim.life.root,))
        for spool in self._served.spools(victim.life.root):
            try:
                if json.loads((spool / "meta.json").read_text()).get("pid") == victim.process.pid:
                    struck.spool = spool
            except (OSError, ValueError):
                continue
        return struck

    def _struck(self, blow: Blow, who: str, pid: int, roots: tuple[str, ...]) -> Struck:
        at_s = time.monotonic() - self._began_s
        return Struck(
            at_s, blow.target, blow.action, who, pid, blow.pause_s,
            since_unix_s=time.time(), roots=roots,
        )  # fmt: skip

    def _look(self, blow: Struck) -> None:
        since_s = time.time() - blow.since_unix_s
        if blow.well_s is None and self._is_well(blow):
            blow.well_s = since_s
            if blow.target == "trainer":  # others go on; what counts is what it left behind
                blow.stored_s = since_s
        stored = self._watch.seen.stored_unix_s
        if (
            blow.stored_s is None
            and blow.target != "trainer"
            and all(stored[root] > blow.since_unix_s for root in blow.roots)
        ):
            blow.stored_s = since_s

    def _is_well(self, blow: Struck) -> bool:
        if blow.target == "trainer":
            return blow.spool is None or not blow.spool.exists()
        if blow.target == "network":
            return True
        names = PARTS if blow.target == "up" else (blow.who,)
        pids = [self._watch.seen.well.get(name) for name in names]
        if blow.action == "pause":
            return all(pids)
        return all(pid is not None and pid != blow.pid for pid in pids)

    def _write(self, blow: Struck) -> None:
        with self._log.open("a") as log:
            log.write(json.dumps(asdict(blow), default=str) + "\n")


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
