"""The runs that have processes on this node, and who watches over what they leave beside points.

Trainers write points into their spools. What else belongs to a run is seen to by *observers*:
console lines, inputs, files to upload, and what the node measures of itself. Attendance keeps the
list of runs, gives each a node log to write to, and calls the observers:

    a trainer appears ─▶ observe, observe, … ─▶ all its trainers ended ─▶ finish until done ─▶ close
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from weir._clock import Clock
from weir._spool import Meta, SpoolDir, list_spools
from weir.agent._liveness import Life, trainer_life
from weir.agent._log import log
from weir.agent._node_log import AGENT_ROLE, NodeLog
from weir.errors import WeirError

_LOOK_EVERY_S: Final = 0.5
_LOOK_SHARE: Final = 0.05  # of the time, however many spools lie here
_FINISH_AGAIN_S: Final = 0.2


@dataclass(slots=True)
class Trainer:
    """One process of a run on this node.

    Attributes:
        live: It may still log.
    """

    spool: SpoolDir
    meta: Meta
    live: bool


@dataclass(slots=True)
class Attended:
    """One run that has processes on this node.

    Attributes:
        log: Where findings go.
        trainers: Its processes here, by producer; those that have ended too, while they are needed.
    """

    project: str
    run_id: str
    log: NodeLog
    trainers: dict[str, Trainer] = field(default_factory=dict)

    @property
    def live(self) -> bool:
        """Whether a process of the run is still at work here."""
        return any(trainer.live for trainer in self.trainers.values())

    @property
    def token(self) -> str:
        """Who speaks for the run; "" when nobody needs to."""
        return next((t for each in self.trainers.values() if (t := each.spool.read_token())), "")


class Observer(Protocol):
    """Sees to one kind of thing in every run of this node.

    Each observer is called by one thread at a time. It may take its time and raise what it likes:
    that is logged, and it is called again.
    """

    def observe(self, runs: Sequence[Attended]) -> float:
        """Look once at all runs; returns seconds until it wants to look again."""
        ...

    def finish(self, run: Attended) -> bool:
        """All trainers of a run have ended: do what is left; returns whether nothing is.

        Called again and again until it returns True for every observer.
        """
        ...

    def close(self) -> None:
        """The agent ends: let go of everything. What is not done stays on disk for the next."""
        ...


class Attendance:
    """Knows the runs of one node under one spool root. Lives in one event loop.

    Args:
        root: The spool root.
        node: Only processes of this node are attended.
        observers: Who watches over them.
        clock: Tells when.
        spools: Only these; None = all there are, also those that come.
    """

    def __init__(
        self,
        root: Path,
        node: str,
        observers: Sequence[Observer],
        *,
        clock: Clock,
        spools: Sequence[SpoolDir] | None = None,
    ) -> None:
        self._root = root
        self._spools = spools
        self._node = node
        self._clock = clock
        self._observers = [(observer, asyncio.Lock()) for observer in observers]
        self._runs: dict[tuple[str, str], Attended] = {}
        self._metas: dict[Path, Meta | None] = {}  # None: none of ours
        self._done: set[Path] = set()  # spools with nothing more for us

    @property
    def busy(self) -> bool:
        """Whether a run is at work here, or left something to do."""
        return bool(self._runs)

    async def run(self) -> None:
        """Watch until cancelled."""
        tasks = [asyncio.create_task(self._observe_forever(each)) for each, _ in self._observers]
        try:
            while True:
                began_s = self._clock.monotonic_s()
                await self._guard("looking for runs", self.look)
                await self._finish_ended()
                took_s = self._clock.monotonic_s() - began_s
                await asyncio.sleep(max(_LOOK_EVERY_S, took_s / _LOOK_SHARE))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def close(self) -> None:
        """Write the last frames of all node logs. Called once `run` was cancelled."""
        for observer, lock in self._observers:
            async with lock:
                await self._guard("an observer's end", observer.close)
        for run in self._runs.values():
            await self._guard("closing a node log", run.log.close)
        self._runs.clear()

    async def finish_all(self, timeout_s: float) -> bool:
        """Do for ended runs what is left, at most so long; whether nothing is left. For `weir sync`."""
        await asyncio.to_thread(self.look)
        deadline_s = self._clock.monotonic_s() + timeout_s
        while any(not run.live for run in self._runs.values()):
            await self._finish_ended()
            if self._clock.monotonic_s() >= deadline_s:
                return False
            await asyncio.sleep(_FINISH_AGAIN_S)
        return True

    # ── who is here ────────────────────────────────────────────────────────

    def look(self) -> None:
        """Learn which trainers there are, and which have ended."""
        for spool in list_spools(self._root) if self._spools is None else self._spools:
            if spool.path not in self._done:
                with suppress(FileNotFoundError):  # removed while we looked
                    self._look_at(spool)
        for run in self._runs.values():
            for trainer in run.trainers.values():
                trainer.live = trainer.live and self._lives(trainer.spool, trainer.meta)

    def _look_at(self, spool: SpoolDir) -> None:
        meta = self._meta(spool)
        if meta is None:
            self._done.add(spool.path)
            return
        run = self._runs.get((meta.project, meta.run_id))
        if run is not None and meta.producer in run.trainers:
            return
        live = self._lives(spool, meta)
        if not (live and meta.wishes) and not spool.left_behind():  # (clients of old wish nothing)
            if not live:
                self._done.add(spool.path)
            return
        if run is None:
            run = self._attend(spool, meta)
        run.trainers[meta.producer] = Trainer(spool, meta, live)

    def _meta(self, spool: SpoolDir) -> Meta | None:
        """Its meta when it is a trainer's of this node."""
        if spool.path not in self._metas:
            try:
                meta = spool.read_meta()
            except (WeirError, ValueError):
                return None  # the drain says so
            ours = meta.node == self._node and meta.role != AGENT_ROLE
            self._metas[spool.path] = meta if ours else None
        return self._metas[spool.path]

    def _lives(self, spool: SpoolDir, meta: Meta) -> bool:
        if spool.has_ended() or not spool.path.exists():
            return False
        return trainer_life(spool, meta, node=self._node) is not Life.DEAD

    def _attend(self, spool: SpoolDir, meta: Meta) -> Attended:
        node_log = NodeLog(self._root, meta, self._clock, token=spool.read_token())
        run = Attended(meta.project, meta.run_id, node_log)
        self._runs[meta.project, meta.run_id] = run
        log.info("attending a run", project=meta.project, run_id=meta.run_id)
        return run

    # ── calling observers ──────────────────────────────────────────────────

    async def _observe_forever(self, observer: Observer) -> None:
        lock = next(lock for each, lock in self._observers if each is observer)
        while True:
            pause_s = _LOOK_EVERY_S
            runs = list(self._runs.values())
            if runs:
                async with lock:
                    try:
                        pause_s = await asyncio.to_thread(observer.observe, runs)
                    except Exception as error:  # noqa: BLE001 - one observer must not end the others
                        log.warning("an observer met trouble", error=repr(error))
                        pause_s = 1.0
            await asyncio.sleep(pause_s)

    async def _finish_ended(self) -> None:
        for key, run in list(self._runs.items()):
            if run.live:
                await self._guard("a heartbeat", run.log.keep_alive)
            elif await self._finish(run):
                await self._guard("closing a node log", run.log.close)
                self._done.update(trainer.spool.path for trainer in run.trainers.values())
                del self._runs[key]

    async def _finish(self, run: Attended) -> bool:
        done = True
        for observer, lock in self._observers:
            async with lock:
                try:
                    done &= await asyncio.to_thread(observer.finish, run)
                except Exception as error:  # noqa: BLE001 - see above
                    log.warning("an observer met trouble", error=repr(error), run_id=run.run_id)
                    done = False
        return done

    async def _guard(self, what: str, work: Callable[[], object]) -> None:
        try:
            await asyncio.to_thread(work)
        except Exception as error:  # noqa: BLE001 - the agent survives anything a spool holds
            log.warning(f"{what} met trouble", error=repr(error))


def trainers_of(runs: Iterable[Attended]) -> list[Trainer]:
    """Return all trainers of these runs."""
    return [trainer for run in runs for trainer in run.trainers.values()]
