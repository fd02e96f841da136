"""What the agent does all day: discover, drain, watch over trainers, sync, end when idle."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from weir._clock import Clock
from weir._spool import SpoolDir, list_spools
from weir.agent._attendance import Attendance, Observer
from weir.agent._drain import Drain
from weir.agent._extent import Extent, read_extent
from weir.agent._fsync import SegmentSync
from weir.agent._liveness import Life, trainer_life
from weir.agent._log import log
from weir.agent._messages import FramePacker
from weir.agent._producer import Producer
from weir.agent._takeover import take_over
from weir.agent._transport import Address
from weir.errors import WeirError

_WATCH_EVERY_S: Final = 1.0
# Looking for new spools may take a twentieth of the time, however many there are.
_DISCOVER_EVERY_S: Final = 0.5
_DISCOVER_SHARE: Final = 0.05
# Without a live trainer, do not wait for a lost server for ever; the spool stays.
_GIVE_UP_AFTER_S: Final = 3600.0
STOP_GRACE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """How an agent behaves.

    Attributes:
        root: The spool root it serves.
        node: Only producers of this node are its own.
        idle_s: How long to stay when there is nothing left to do.
        fsync: Whether to bring spools to the disk every second.
    """

    root: Path
    node: str
    idle_s: float = 30.0
    fsync: bool = True


class Agent:
    """One agent: drains every online spool of its node under one root. Lives in one event loop."""

    def __init__(
        self,
        options: AgentOptions,
        *,
        clock: Clock,
        rng: random.Random,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._options = options
        self._clock = clock
        self._attendance = Attendance(options.root, options.node, observers, clock=clock)
        self._drain = Drain(clock=clock, rng=rng, on_finished=self._said_goodbye)
        self._packer = FramePacker()
        self._syncs: dict[bytes, SegmentSync] = {}
        self._known: set[Path] = set()
        self._passed_over: set[Path] = set()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Ask the agent to drain what it can within its grace and end."""
        self._stop.set()

    @property
    def known(self) -> set[Path]:
        """Spools this agent drained, could not drain, or left alone."""
        return self._known | self._passed_over

    @property
    def stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    async def run(self) -> None:
        """Work until idle or asked to stop."""
        await self.discover()
        tasks = [
            asyncio.create_task(self._drain.settle_forever()),
            asyncio.create_task(self._repeat(self.discover, self._discover_pause_s)),
            asyncio.create_task(self._repeat(self._watch, lambda _: _WATCH_EVERY_S)),
        ]
        if self._options.fsync:
            tasks.append(asyncio.create_task(self._repeat(self._sync, lambda _: _WATCH_EVERY_S)))
        attending = asyncio.create_task(self._attendance.run())
        try:
            await self._until_idle()
            await self._end_attendance(attending)
            await self._until_drained()
        finally:
            attending.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._drain.close()

    async def _end_attendance(self, attending: asyncio.Task[None]) -> None:
        """Let the node logs have their last frames, and find them, so that they are drained."""
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)
        await self._attendance.close()
        await self.discover()

    async def _repeat(
        self, work: Callable[[], Awaitable[object]], pause_s: Callable[[float], float]
    ) -> None:
        """Do `work` again and again, whatever it meets; `pause_s` is told how long it took."""
        while True:
            began_s = self._clock.monotonic_s()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - an agent survives anything a spool holds
                log.warning("something in the spool gives trouble", error=repr(error))
            await asyncio.sleep(pause_s(self._clock.monotonic_s() - began_s))

    # ── finding work ───────────────────────────────────────────────────────

    async def discover(self) -> int:
        """Begin to drain spools that are new; returns how many there were."""
        found = await self._drain.on_disk(self._find_new)
        for producer, address in found:
            if producer.id in self._drain.producers:
                log.warning("two folders of one producer", path=producer.spool.path)
                self._passed_over.add(producer.spool.path)
                continue
            log.info("draining", path=producer.spool.path, server=address.server)
            self._known.add(producer.spool.path)
            self._syncs[producer.id] = SegmentSync(producer.spool)
            self._drain.add(producer, address)
        return len(found)

    def _find_new(self) -> list[tuple[Producer, Address]]:
        known = {producer.spool.path for producer in self._drain.producers.values()}
        found = []
        for spool in list_spools(self._options.root):
            if spool.path in known or spool.path in self._passed_over:
                continue
            try:
                opened = self._open(spool)
            except FileNotFoundError:  # removed while we looked
                continue
            except (OSError, WeirError, ValueError) as error:
                log.warning("a folder that is no spool is left alone", path=spool.path, error=error)
                opened = None
            if opened is None:
                self._passed_over.add(spool.path)
            else:
                found.append(opened)
        return found

    def _open(self, spool: SpoolDir) -> tuple[Producer, Address] | None:
        """Open a spool; None when it is not for us."""
        meta = spool.read_meta()
        if meta.mode != "online" or meta.node != self._options.node:
            return None
        if meta.producer != spool.path.name:
            raise ValueError(f"meta.json is of producer {meta.producer}")
        live = trainer_life(spool, meta, node=self._options.node) is not Life.DEAD
        producer = Producer(spool, meta, live=live, packer=self._packer)
        return producer, Address(meta.server, spool.read_token())

    def _discover_pause_s(self, took_s: float) -> float:
        return max(_DISCOVER_EVERY_S, took_s / _DISCOVER_SHARE)

    # ── watching over what is there ────────────────────────────────────────

    async def _watch(self) -> None:
        """Close the logs of trainers that died, and let go of spools that somebody removed."""
        for producer in list(self._drain.producers.values()):
            if await self._drain.on_disk(producer.gone):
                log.warning("a spool was removed by somebody else", path=producer.spool.path)
                self._drain.discard(producer)
                self._syncs.pop(producer.id, None)
            elif not producer.has_final:
                await self._bury(producer)
            elif producer.finished:  # and still here: something was left to see to
                self._drain.moved(producer)

    async def _bury(self, producer: Producer) -> None:
        try:
            extent = await self._drain.on_disk(partial(self._take_over_if_dead, producer))
            if extent is not None:
                producer.taken_over(extent)
        except (OSError, WeirError) as error:
            log.warning("cannot close a dead trainer's log", path=producer.spool.path, error=error)

    def _take_over_if_dead(self, producer: Producer) -> Extent | None:
        life = trainer_life(producer.spool, producer.meta, node=self._options.node)
        if life is not Life.DEAD:
            return None
        if take_over(producer.spool, producer.meta, now_unix_us=self._clock.unix_us()):
            log.info("a trainer vanished, its log is closed", path=producer.spool.path)
        return read_extent(producer.spool, live=False)

    async def _sync(self) -> None:
        for sync in list(self._syncs.values()):
            await self._drain.on_disk(sync.sync)

    def _said_goodbye(self, producer: Producer) -> None:
        self._syncs.pop(producer.id, None)
        log.info("done, everything is committed", path=producer.spool.path)

    # ── ending ─────────────────────────────────────────────────────────────

    async def _until_idle(self) -> None:
        """Return when nothing was needed of us for `idle_s`, or when asked to stop."""
        idle_since_s = self._clock.monotonic_s()
        while self._options.root.is_dir():
            now_s = self._clock.monotonic_s()
            producers = self._drain.producers.values()
            if self._attendance.busy or any(self._needed_by(each) for each in producers):
                idle_since_s = now_s
            if now_s - idle_since_s >= self._options.idle_s:
                return
            if await self._stopped_within(0.2):
                return

    async def _until_drained(self) -> None:
        """After a stop: return when everything is committed that can be, at most after a grace."""
        deadline_s = self._clock.monotonic_s() + STOP_GRACE_S
        await self._look_at_spools()
        while self._clock.monotonic_s() < deadline_s:
            open_spools = (p for p in self._drain.producers.values() if not p.drained)
            if not any(self._hopeful(producer) for producer in open_spools):
                return
            await asyncio.sleep(0.1)

    async def _look_at_spools(self) -> None:
        """Learn what trainers wrote until now, so that it is waited for."""
        for producer in list(self._drain.producers.values()):
            try:
                look = partial(read_extent, producer.spool, live=producer.live)
                producer.learn(await self._drain.on_disk(look))
            except OSError as error:
                producer.disk_failed(error)

    async def _stopped_within(self, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    def _needed_by(self, producer: Producer) -> bool:
        still_written = producer.live and not producer.has_final
        return still_written or self._hopeful(producer)

    def _hopeful(self, producer: Producer) -> bool:
        """Whether waiting can help: the server serves this producer, or may come back soon."""
        link = self._drain.link_of(producer)
        if link is None or link.refusal or producer.refusal:
            return False
        since_s = link.unreachable_since_s
        return since_s is None or self._clock.monotonic_s() - since_s < _GIVE_UP_AFTER_S
