"""Sending spools by hand: the agent's own machinery, for spools that nobody drains.

Safe to interrupt, to repeat, and to run beside an agent: the same frames carry the same numbers,
and the server answers the second copy with what it knows.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from weir._clock import Clock
from weir._spool import SpoolDir, list_spools
from weir.agent._drain import Drain
from weir.agent._liveness import Life, trainer_life
from weir.agent._messages import FramePacker
from weir.agent._producer import Producer
from weir.agent._takeover import take_over
from weir.agent._transport import Address
from weir.errors import WeirError

_LOOK_EVERY_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What to send and how.

    Attributes:
        node: This node: trainers of others cannot be looked at.
        server: Where to send; "" = where each spool says.
        token: Who we are; "" = what each spool says.
        keep: Leave the spools on disk when they are committed.
        include_live: Also send what running trainers have written so far.
        unary: Do not try the stream.
        timeout_s: Give up when nothing has moved for so long.
    """

    node: str
    server: str = ""
    token: str = ""
    keep: bool = False
    include_live: bool = False
    unary: bool = False
    timeout_s: float = 60.0


class Outcome(Enum):
    """How it ended for one spool."""

    COMMITTED = "committed"
    LEFT = "left"  # some of it is not committed
    SKIPPED = "skipped"  # its trainer is still writing
    UNREADABLE = "unreadable"


@dataclass(slots=True)
class SpoolSync:
    """One spool on its way.

    Attributes:
        why: What stands in the way; "" when nothing does.
        first_committed_seq: Where the server stood when we began.
        found_seq: The last frame there was when we began.
    """

    path: Path
    run: str = ""
    rank: int = 0
    outcome: Outcome = Outcome.LEFT
    why: str = ""
    producer: Producer | None = None
    first_committed_seq: int = 0
    found_seq: int = 0

    @property
    def last_seq(self) -> int:
        """The last frame to bring. A trainer that goes on writing is not run after for ever."""
        if self.producer is None or not self.producer.has_final:
            return self.found_seq
        return self.producer.conversation.last_spooled

    @property
    def frames(self) -> int:
        """Frames to bring, as far as is known."""
        return max(0, self.last_seq - self.first_committed_seq)

    @property
    def committed(self) -> int:
        """Frames that the server committed since we began."""
        if self.producer is None:
            return 0
        committed_seq = min(self.producer.conversation.committed_seq, self.last_seq)
        return max(0, committed_seq - self.first_committed_seq)

    @property
    def left(self) -> int:
        """Frames not committed."""
        return self.frames - self.committed


class Sync:
    """Brings the spools below some folders to their servers, once. Lives in one event loop."""

    def __init__(self, options: SyncOptions, *, clock: Clock, rng: random.Random) -> None:
        self._options = options
        self._clock = clock
        self._drain = Drain(clock=clock, rng=rng, unary=options.unary, unary_after_breaks=True)
        self._packer = FramePacker()
        self._left: set[Path] = set()  # spools of which not all was seen to

    async def run(
        self, folders: Iterable[Path], *, on_progress: Callable[[list[SpoolSync]], None]
    ) -> list[SpoolSync]:
        """Send everything below `folders`; returns one entry per spool, committed or not."""
        folders = [folder.resolve() for folder in folders]
        self._left = await self._finish_leftovers(_spools_below(folders))
        spools = _spools_below(folders)  # with what was just written
        syncs = [self._open(spool) for spool in spools]
        settling = asyncio.create_task(self._drain.settle_forever())
        try:
            await self._until_done(syncs, on_progress)
        finally:
            settling.cancel()
            with suppress(asyncio.CancelledError):
                await settling
            self._explain(syncs)
            await self._drain.close()
        on_progress(syncs)
        return syncs

    async def _finish_leftovers(self, spools: list[SpoolDir]) -> set[Path]:
        """Bring what ended processes left beside their points to where frames or uploads go."""
        if not any(spool.left_behind() for spool in spools):
            return set()
        # Only now: what observers need takes a while to load.
        from weir.agent._leftovers import finish_leftovers
        from weir.agent._observers import observers_of_sync

        observers = observers_of_sync(
            server=self._options.server,
            token=self._options.token,
            give_up_after_s=self._options.timeout_s,
            clock=self._clock,
        )
        left = await finish_leftovers(
            spools,
            observers,
            node=self._options.node,
            clock=self._clock,
            timeout_s=self._options.timeout_s,
        )
        return {spool.path for spool in left}

    def _open(self, spool: SpoolDir) -> SpoolSync:
        sync = SpoolSync(spool.path)
        try:
            self._add(spool, sync)
        except FileNotFoundError:  # an agent finished it while we looked
            sync.outcome = Outcome.COMMITTED
        except (OSError, WeirError, ValueError) as error:
            sync.outcome, sync.why = Outcome.UNREADABLE, str(error)
        return sync

    def _add(self, spool: SpoolDir, sync: SpoolSync) -> None:
        meta = spool.read_meta()
        sync.run, sync.rank = f"{meta.project}/{meta.run_id}", meta.rank
        life = trainer_life(spool, meta, node=self._options.node)
        if life is Life.DEAD:
            take_over(spool, meta, now_unix_us=self._clock.unix_us())
        live = life is not Life.DEAD
        producer = Producer(spool, meta, live=live, packer=self._packer, keep=self._options.keep)
        if live and not producer.has_final and not self._options.include_live:
            sync.outcome = Outcome.SKIPPED
            sync.why = "its process still runs, or did on another node minutes ago"
            return
        sync.producer = producer
        sync.first_committed_seq = spool.read_watermark().committed_seq
        sync.found_seq = producer.conversation.last_spooled
        token = self._options.token or spool.read_token()
        self._drain.add(producer, Address(self._options.server or meta.server, token))

    async def _until_done(
        self, syncs: list[SpoolSync], on_progress: Callable[[list[SpoolSync]], None]
    ) -> None:
        """Return when all is committed, nothing can move, or nothing has moved for too long."""
        moved_s, seen = self._clock.monotonic_s(), -1
        while open_syncs := [sync for sync in syncs if not _done(sync)]:
            on_progress(syncs)
            if all(self._obstacle(sync) for sync in open_syncs):
                return
            progress = sum(sync.committed + _sent(sync) for sync in syncs)
            now_s = self._clock.monotonic_s()
            if progress != seen:
                moved_s, seen = now_s, progress
            if now_s - moved_s > self._options.timeout_s:
                return
            await asyncio.sleep(_LOOK_EVERY_S)

    def _obstacle(self, sync: SpoolSync) -> str:
        """What no waiting will remove; "" when there is nothing of the kind."""
        if sync.producer is None:
            return sync.why
        link = self._drain.link_of(sync.producer)
        return sync.producer.refusal or (link.refusal if link else "")

    def _explain(self, syncs: list[SpoolSync]) -> None:
        """Say of each spool how it ended, and why."""
        for sync in syncs:
            if sync.producer is None:
                continue
            link = self._drain.link_of(sync.producer)
            if _done(sync) and not (sync.path in self._left and sync.producer.spool.left_behind()):
                sync.outcome = Outcome.COMMITTED
            elif _done(sync):
                sync.why = "its points are committed; lines or files beside them are not yet"
            else:
                trouble = sync.producer.trouble or (link.trouble if link else "")
                sync.why = self._obstacle(sync) or trouble or "the server did not commit it in time"


def _spools_below(folders: list[Path]) -> list[SpoolDir]:
    return list(dict.fromkeys(spool for folder in folders for spool in list_spools(folder)))


def _done(sync: SpoolSync) -> bool:
    """Whether the spool needs nothing more from us."""
    producer = sync.producer
    if producer is None:
        return sync.outcome is not Outcome.LEFT
    if producer.gone():  # committed and removed, by us or by an agent
        return True
    if producer.has_final:
        return producer.finished and not producer.unsettled
    return producer.welcomed and producer.conversation.committed_seq >= sync.found_seq


def _sent(sync: SpoolSync) -> int:
    return sync.producer.tally.frames_sent if sync.producer else 0
