"""The server's side of the laws: gateways and writers made of the real pieces, ended at any point."""

from __future__ import annotations

import asyncio
import itertools
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from tests.laws.lockstep import Killed, Lockstep
from tests.laws.parts import PartStore
from tests.laws.streams import LEASE_S, Backend, Trouble, TroubledAppender
from weir_proto.v1 import ingest_pb2 as pb
from weir_server import fault
from weir_server.clock import ManualClock
from weir_server.errors import StreamUnavailable
from weir_server.gateway.auth import ANYBODY
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.greeting import Greeter
from weir_server.gateway.history import RunHistory
from weir_server.gateway.intake import Intake
from weir_server.gateway.judge import Judge
from weir_server.gateway.limits import Code, Limits
from weir_server.gateway.news import news_of
from weir_server.gateway.origin import Refused
from weir_server.gateway.producer import Producer
from weir_server.gateway.watch import Watch
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.settings import GatewaySettings
from weir_server.stream.base import StreamEntry
from weir_server.writer.block import Limits as BlockLimits
from weir_server.writer.loop import ShardWriter
from weir_server.writer.watermarks import Verdict, Watermarks
from weir_store.base import Block
from weir_store.errors import StoreError

WINDOW_FRAMES = 6
GATEWAY_FAULTS = ("gateway.before_append", "gateway.after_append")
_here = threading.local()


class House:
    """Gateways, writers, the stream and the store.

    Args:
        clock: Time.
        stream: The stream.
        store: The store.
        skips: Whether writers pass over frames that are stored already.
    """

    def __init__(
        self, clock: ManualClock, stream: Backend, store: PartStore, *, skips: bool = True
    ) -> None:
        self.clock = clock
        self.stream = stream
        self.store = store
        self.skips = skips
        self.trouble = Trouble()
        self.complaints: list[str] = []
        self.loop = asyncio.new_event_loop()
        self.gateways = [Gateway(self), Gateway(self)]
        self.writers: list[Writer] = []
        self._numbers = itertools.count(1)
        self._real_hit, fault.hit = fault.hit, self._hit

    def start_writer(self) -> None:
        """Start one more process that wants the shard."""
        self.writers.append(Writer(self, f"w{next(self._numbers)}"))

    def kill_writer(self, index: int) -> None:
        """End one where it stands."""
        self.writers.pop(index).kill()

    def restart_gateway(self, index: int) -> None:
        """End one; another takes its place. Its streams break."""
        self.gateways[index].close()
        self.gateways[index] = Gateway(self)

    def close(self) -> None:
        """End everything."""
        fault.hit = self._real_hit
        for writer in self.writers:
            writer.kill()
        for gateway in self.gateways:
            gateway.close()
        self.loop.close()

    def _hit(self, point: str) -> None:
        """Stand in for `fault.hit`: a writer stops there as at any gate, a gateway may die."""
        process = getattr(_here, "process", None)
        if process is not None:
            process.gate(point)
            return
        for gateway in self.gateways:
            if gateway.busy and gateway.dies_at == point:
                raise Killed


# ── gateways ───────────────────────────────────────────────────────────────


class Gateway:
    """One gateway process, and what `Conversation` does around its parts.

    Attributes:
        busy: It is at work just now.
        dies_at: A fault point at which it dies when it gets there.
        life: Changes when it dies, so that streams notice.
    """

    def __init__(self, house: House) -> None:
        self.house = house
        self.busy = False
        self.dies_at = ""
        self.alive = True
        settings = GatewaySettings(window_frames=WINDOW_FRAMES)
        clock = house.clock
        self.appender: Any = TroubledAppender(house.stream.appender(), house.trouble)
        self.watermarks = StoredWatermarks(house.store)  # type: ignore[arg-type]
        self.history = RunHistory(house.store, clock)  # type: ignore[arg-type]
        self.greeter = Greeter(settings, 1, self.appender, self.watermarks, self.history, clock)
        self.intake = Intake(
            Judge(Limits.of(settings), MetricCounter(1_000_000)),
            self.appender,
            self.watermarks,
            clock,
        )
        self.watch = Watch(self.appender, self.watermarks, poll_s=0.1, clock=clock)

    def run(self, work: Any) -> Any:
        """Run a coroutine to its end; `Killed` when the process dies in it."""
        self.busy = True
        try:
            return self.house.loop.run_until_complete(work)
        except Killed:
            self.house.restart_gateway(self.house.gateways.index(self))
            raise
        finally:
            self.busy = False

    def look(self) -> None:
        """Look around as its poller does."""
        with suppress(StreamUnavailable, StoreError):
            self.run(self.watch.look())

    def close(self) -> None:
        """Be gone."""
        self.alive = False
        self.history.close()
        self.watermarks._thread.shutdown()
        self.house.loop.run_until_complete(self.appender.close())


class ServerStream:
    """A gateway's end of one stream: what `Conversation` does, one message at a time.

    Attributes:
        since: How many restores there had been when it began.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.since = 0
        self.producers: dict[bytes, Producer] = {}

    def deliver(self, messages: Sequence[pb.ClientMessage]) -> list[pb.ServerMessage]:
        """Take messages and return the answers; `Killed` when the gateway dies."""
        return self.gateway.run(self._answer(messages))

    async def _answer(self, messages: Iterable[pb.ClientMessage]) -> list[pb.ServerMessage]:
        answers: list[pb.ServerMessage] = []
        frames: list[tuple[Producer, pb.Frame]] = []
        for message in messages:
            if message.WhichOneof("message") == "hello":
                answers += await self._take(frames)
                frames = []
                answers.append(await self._greet(message.hello))
            elif (producer := self.producers.get(message.frame.producer)) is not None:
                frames.append((producer, message.frame))
            else:
                refused = Refused(Code.NOT_GREETED, "before a Hello")
                name = message.frame.producer
                answers.append(pb.ServerMessage(producer=name, refusal=refused.message()))
        return answers + await self._take(frames)

    async def _take(self, frames: list[tuple[Producer, pb.Frame]]) -> list[pb.ServerMessage]:
        return await self.gateway.intake.take(frames) if frames else []

    async def _greet(self, hello: pb.Hello) -> pb.ServerMessage:
        name = hello.origin.producer
        self._forget(name)
        try:
            producer, welcome = await self.gateway.greeter.greet(hello, ANYBODY)
        except Refused as refused:
            return pb.ServerMessage(producer=name, refusal=refused.message())
        self.producers[name] = producer
        self.gateway.watch.add(producer, lambda: None)
        return pb.ServerMessage(producer=name, welcome=welcome)

    def news(self) -> list[pb.ServerMessage]:
        """Return what the client has not heard of yet."""
        clock = self.gateway.house.clock
        return [
            message
            for producer in self.producers.values()
            for message in news_of(producer, now_s=clock.monotonic_s(), now_unix_us=clock.unix_us())
        ]

    def close(self) -> None:
        """Forget everybody."""
        for name in list(self.producers):
            self._forget(name)

    def _forget(self, name: bytes) -> None:
        producer = self.producers.pop(name, None)
        if producer is not None:
            self.gateway.watch.discard(producer)


# ── writers ────────────────────────────────────────────────────────────────


class Writer:
    """One writer process: `ShardWriter.run` in lockstep."""

    def __init__(self, house: House, owner: str) -> None:
        self.house = house
        self.lose_replies = 0  # of the next calls to the stream
        self.repeats = (
            0  # reads that the vendor's client repeats by itself: a reply lost in silence
        )
        # How many restores there had been when it was last sure of its lease. A process frozen between
        # that and its insert, while all of a restore goes by, is beyond what Weir promises.
        self.confirmed = 0
        self._owner = owner
        self.process = Lockstep(self._run)

    def step(self, steps: int = 1) -> None:
        """Let it do as many things."""
        for _ in range(steps):
            self.process.step()
        assert self.process.failure is None, self.process.failure

    def turn(self, most: int = 80) -> None:
        """Let it work until it has committed something, or for a while."""
        for _ in range(most):
            self.step()
            if self.process.at == "writer.after_commit":
                return

    def kill(self) -> None:
        """End it where it stands."""
        self.process.kill()

    def _run(self) -> None:
        _here.process = self.process
        stop = _Wait(self)
        writer = ShardWriter(
            0,
            _Consumer(self),  # type: ignore[arg-type]
            _Inserter(self),
            limits=BlockLimits(rows=9, bytes=1 << 20, age_s=0.0),
            lease_s=LEASE_S,
            poll_s=0.0,
            clock=self.house.clock,
            stop=stop,
            log=_Log(self.house.complaints),  # type: ignore[arg-type]
        )
        if not self.house.skips:
            writer._watermarks = _NeverSkips(writer._watermarks._read_committed)
        writer.run()


class _Consumer:
    """The writer's side of the stream: every call is a gate, and may be lost on its way back."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._real = writer.house.stream.consumer(writer._owner)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call, writer = getattr(self._real, name), self._writer

        def through(*args: Any) -> Any:
            writer.process.gate(f"stream {name}")
            writer.house.trouble.before()
            answer = call(*args)
            if name in ("write_inflight", "keep"):
                writer.confirmed = writer.house.store.restores
            if writer.lose_replies:
                writer.lose_replies -= 1
                raise StreamUnavailable("the reply was lost")
            return answer

        return through

    def read_new(self, count: int, wait_s: float) -> list[StreamEntry]:
        """Never wait: time passes by hand."""
        read = self.__getattr__("read_new")
        while self._writer.repeats:
            self._writer.repeats -= 1
            read(3, 0.0)  # delivered, and nobody will ever see this reply
        return list(read(min(count, 7), 0.0))


class _Inserter:
    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def insert(self, block: Block, token: str) -> None:
        writer = self._writer
        try:
            writer.house.store.insert(block, token, writer.process.gate, since=writer.confirmed)
        except StoreError:
            writer.confirmed = writer.house.store.restores  # the next attempt is a new connection
            raise

    def read_committed(self, producers: Sequence[UUID]) -> dict[UUID, int]:
        self._writer.process.gate("store read_committed")
        return self._writer.house.store.read_committed(producers)


class _Wait(threading.Event):
    """`stop` of a writer: waiting is a gate, and lets the clock move on."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer

    def wait(self, timeout: float | None = None) -> bool:
        self._writer.process.gate("wait")
        self._writer.house.clock.advance(timeout or 0.0)
        return self.is_set()


class _NeverSkips(Watermarks):
    """Takes in again what is stored already."""

    def judge(self, entry: StreamEntry) -> Verdict:
        verdict = super().judge(entry)
        return Verdict.TAKE if verdict is Verdict.SKIP else verdict


class _Log:
    """Bugs and entries that nobody can read must not go by as a line in a log."""

    def __init__(self, complaints: list[str]) -> None:
        self._complaints = complaints

    def info(self, *_: Any, **__: Any) -> None: ...
    def warning(self, *_: Any, **__: Any) -> None: ...
    def debug(self, *_: Any, **__: Any) -> None: ...

    def error(self, what: str, **more: Any) -> None:
        self._complaints.append(f"{what} {more}")

    def exception(self, what: str, **more: Any) -> None:
        self._complaints.append(f"{what} {more} {traceback.format_exc()}")

    def bind(self, **_: Any) -> _Log:
        return self
