"""Uploads: watches the outboxes of all runs of this node, and has their orders done."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from weir._clock import Clock, SystemClock
from weir._spool import Outbox
from weir.agent._attendance import Attended, Trainer
from weir.agent._transport import Address, ArtifactsTransport
from weir.agent._uploads.lane import Lane
from weir.agent._uploads.orders import BadOrder, Desk, kind_of
from weir.agent._uploads.progress import Progress
from weir.agent._uploads.putting import Putter
from weir.agent._uploads.sending import Sender
from weir.agent._uploads.stopping import Stopping
from weir.agent._uploads.throttle import Throttle
from weir.agent._uploads.watching import Watch

_LOOK_EVERY_S: Final = 0.1
_WATCH_EVERY_S: Final = 2.0
_GIVE_UP_AFTER_S: Final = 3600.0  # without a live trainer, as the agent does with a lost server
_SWEEP_AFTER_S: Final = 60.0
_JOIN_S: Final = 5.0
_LANES: Final = ("artifact", "small")  # a checkpoint of many GB must not hold up an image
_MB: Final = 1e6


class Uploads:
    """Implements `Observer`. Its own threads do the work; observing only hands it out.

    Args:
        clock: Tells when.
        server: Where to, whatever the runs say; "" = where each run says.
        token: Who we are; "" = what each run says.
        offline: Also bring what offline runs have left: for `weir sync`.
        give_up_after_s: Let go of ended runs whose server was away for so long; their orders stay.
        transport: Makes what asks a server.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        server: str = "",
        token: str = "",
        offline: bool = False,
        give_up_after_s: float = _GIVE_UP_AFTER_S,
        transport: Callable[[Address], ArtifactsTransport] = ArtifactsTransport,
    ) -> None:
        self._clock = clock or SystemClock()
        self._server = server
        self._token = token
        self._offline = offline
        self._give_up_after_s = give_up_after_s
        self._new_transport = transport
        self._transports: dict[Address, ArtifactsTransport] = {}
        self._runs: dict[tuple[str, str], _RunUploads] = {}
        self._given_up: set[tuple[str, str]] = set()

    def observe(self, runs: Sequence[Attended]) -> float:
        """See `Observer.observe`."""
        for run in runs:
            if run.live and self._serves(run):
                self._given_up.discard((run.project, run.run_id))
                self._uploads_of(run).look()
        return _LOOK_EVERY_S

    def finish(self, run: Attended) -> bool:
        """See `Observer.finish`. Also True when waiting does not help: the orders stay on disk."""
        key = (run.project, run.run_id)
        if not self._serves(run) or key in self._given_up:
            return True
        uploads = self._uploads_of(run)
        uploads.look(last=True)
        if uploads.hopeless(self._give_up_after_s):
            self._given_up.add(key)
        elif not uploads.empty:
            return False
        del self._runs[key]
        uploads.close()
        return True

    def close(self) -> None:
        """See `Observer.close`."""
        for uploads in self._runs.values():
            uploads.stopping.ask()
        for transport in self._transports.values():
            transport.close()
        for uploads in self._runs.values():
            uploads.close()
        self._runs.clear()
        self._transports.clear()

    def troubles(self) -> list[str]:
        """Return what stands in the way now, of all runs; empty when nothing does."""
        return [why for uploads in self._runs.values() for why in uploads.troubles()]

    def _serves(self, run: Attended) -> bool:
        online = any(trainer.meta.mode == "online" for trainer in run.trainers.values())
        return online or self._offline

    def _uploads_of(self, run: Attended) -> "_RunUploads":
        key = (run.project, run.run_id)
        if key not in self._runs:
            self._runs[key] = _RunUploads(run, self._clock, self._transport_for)
        return self._runs[key]

    def _transport_for(self, trainer: Trainer) -> ArtifactsTransport:
        address = Address(
            self._server or trainer.meta.server, self._token or trainer.spool.read_token()
        )
        if address not in self._transports:
            self._transports[address] = self._new_transport(address)
        return self._transports[address]


class _RunUploads:
    """The outboxes of one run; all of them share its threads and its bandwidth."""

    def __init__(
        self, run: Attended, clock: Clock, transport: Callable[[Trainer], ArtifactsTransport]
    ) -> None:
        self.stopping = Stopping()
        self._run = run
        self._clock = clock
        self._transport = transport
        self._boxes: dict[str, _Box] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._putter: Putter | None = None
        self._watched_s = float("-inf")

    def look(self, *, last: bool = False) -> None:
        """Hand out what is new; with `last` no order will come any more."""
        now_s = self._clock.monotonic_s()
        watching = last or now_s - self._watched_s >= _WATCH_EVERY_S
        if watching:
            self._watched_s = now_s
        for producer, trainer in list(self._run.trainers.items()):
            box = self._boxes.get(producer)
            if box is None and trainer.spool.outbox_path.is_dir():
                box = self._boxes[producer] = self._open(trainer)
            if box is not None:
                box.look(watching=watching, last=last or not trainer.live)

    @property
    def empty(self) -> bool:
        """Whether all is done."""
        return all(box.empty for box in self._boxes.values())

    def hopeless(self, after_s: float) -> bool:
        """Whether all that is left cannot be done now, and will not be soon."""
        lanes = [lane for box in self._boxes.values() for lane in box.lanes if not lane.idle]
        return bool(lanes) and all(lane.refusal or lane.failing_for_s() > after_s for lane in lanes)

    def troubles(self) -> list[str]:
        """Return what stands in the way now."""
        return [lane.trouble for box in self._boxes.values() for lane in box.lanes if lane.trouble]

    def close(self) -> None:
        """Stop what is under way; the journals know how far it came."""
        self.stopping.ask()
        for box in self._boxes.values():
            for lane in box.lanes:
                lane.join(_JOIN_S)
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        if self._putter is not None:
            self._putter.close()

    def _open(self, trainer: Trainer) -> "_Box":
        wishes = trainer.meta.wishes
        if self._pool is None or self._putter is None:
            threads = max(1, int(wishes.get("upload_threads") or 4))
            rate = float(wishes.get("upload_mb_per_s") or 0.0) * _MB
            self._pool = ThreadPoolExecutor(threads, thread_name_prefix="weir-upload")
            self._putter = Putter(threads, Throttle(rate, self._clock, self.stopping))
        sender = Sender(
            self._transport(trainer),
            self._run.project,
            pool=self._pool,
            putter=self._putter,
            stopping=self.stopping,
            clock=self._clock,
        )
        return _Box(self._run, trainer, sender, self._clock, self.stopping)


class _Box:
    """One outbox: reads which orders there are, and gives each to its lane."""

    def __init__(
        self, run: Attended, trainer: Trainer, sender: Sender, clock: Clock, stopping: Stopping
    ) -> None:
        self._outbox = Outbox(trainer.spool)
        self._trainer = trainer
        self._watches: dict[int, Watch] = {}
        self._swept = True
        self._lane_of: dict[int, Lane] = {}
        progress = Progress(self._outbox, clock)
        self._lanes = {
            name: Lane(
                Desk(run.run_id, self._outbox, sender, run.log, progress),
                clock=clock,
                stopping=stopping,
            )
            for name in _LANES
        }

    @property
    def lanes(self) -> Sequence[Lane]:
        """Who does the orders."""
        return tuple(self._lanes.values())

    @property
    def empty(self) -> bool:
        """Whether there is no order, and nothing held for none."""
        return not self._outbox.pending() and self._swept

    def look(self, *, watching: bool, last: bool) -> None:
        """Give every order to its lane."""
        pending = self._outbox.pending()
        for number in pending:
            if number in self._watches:
                continue
            if number not in self._lane_of:
                self._read(number)
            if (lane := self._lane_of.get(number)) is not None:
                lane.take(number)
        for number in self._lane_of.keys() - set(pending):
            del self._lane_of[number]
        closing = last or self._outbox.closing
        if watching or closing:
            self._look_at_watches(closing)
        if last and not self._outbox.pending():
            self._swept = self._outbox.sweep(older_than_s=_SWEEP_AFTER_S)

    def _read(self, number: int) -> None:
        order: dict[str, Any] = {}
        kind = "artifact"  # which lane fails an order that cannot be read does not matter
        with suppress(BadOrder, ValueError, KeyError, OSError):
            order = self._outbox.read(number)
            kind = kind_of(order)
            if kind == "watch":
                self._watches[number] = Watch(self._outbox, order)
                return
        self._lane_of[number] = self._lanes["artifact" if kind == "artifact" else "small"]

    def _look_at_watches(self, closing: bool) -> None:
        for number, watch in list(self._watches.items()):
            watch.look(last=closing)
            if closing:
                self._outbox.settle(number, [])
                del self._watches[number]
