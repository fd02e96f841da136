"""One client stream: three tasks that listen, answer, and pass on news."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import Final

from weir_proto.v1 import ingest_pb2
from weir_server import fault, telemetry
from weir_server.clock import Clock
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.greeting import Greeter
from weir_server.gateway.inbox import Inbox
from weir_server.gateway.intake import Intake
from weir_server.gateway.limits import MAX_PRODUCERS, Code
from weir_server.gateway.news import news_of
from weir_server.gateway.origin import Refused, server_error
from weir_server.gateway.producer import Producer
from weir_server.gateway.watch import Watch
from weir_server.log import get_logger

_CONFIRM_EVERY_S: Final = 2.0
_COME_BACK_MS: Final = (250, 2_000)
_GREETINGS_AT_ONCE: Final = 8

Send = Callable[[ingest_pb2.ServerMessage], Awaitable[None]]


class Conversation:
    """All producers of one client, from the first message to the last.

        listen ── inbox ──▶ answer ──▶ send         greet (a few at once) ──▶ send
                                       watch ── news ──▶ pass on ──▶ send

    A client that does not read its answers blocks `send`, hence `answer`, hence `listen`: memory
    stays what the inbox may hold.
    """

    def __init__(
        self,
        send: Send,
        principal: Principal,
        *,
        auth: Auth,
        greeter: Greeter,
        intake: Intake,
        watch: Watch,
        clock: Clock,
    ) -> None:
        self._raw_send = send
        self._principal = principal
        self._auth = auth
        self._greeter = greeter
        self._intake = intake
        self._watch = watch
        self._clock = clock
        self._sending = asyncio.Lock()
        self._inbox = Inbox()
        self._producers: dict[bytes, Producer] = {}
        self._greetings: dict[bytes, asyncio.Task[None]] = {}
        self._greeting_slots = asyncio.Semaphore(_GREETINGS_AT_ONCE)
        self._news = asyncio.Event()
        self._draining = False

    async def run(self, messages: AsyncIterable[ingest_pb2.ClientMessage]) -> None:
        """Talk until the client has said all it wanted and everything is answered.

        Raises:
            Unauthenticated: The token was revoked.
        """
        listening = asyncio.create_task(self._listen(messages))
        passing = asyncio.create_task(self._pass_news_on())
        answering = asyncio.create_task(self._answer_all())
        tasks = {listening, passing, answering}
        try:
            waiting = tasks
            while not answering.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            await self._end(tasks)

    def goaway(self) -> None:
        """Ask the client to leave when what is under way is answered."""
        self._draining = True
        self._news.set()

    # ── the client speaks ──────────────────────────────────────────────────

    async def _listen(self, messages: AsyncIterable[ingest_pb2.ClientMessage]) -> None:
        async for message in messages:
            await self._inbox.put(message)
        await self._inbox.close()

    async def _answer_all(self) -> None:
        while messages := await self._inbox.take():
            await self._answer(messages)
        if self._greetings:
            await asyncio.wait(set(self._greetings.values()))

    async def _answer(self, messages: list[ingest_pb2.ClientMessage]) -> None:
        frames: list[tuple[Producer, ingest_pb2.Frame]] = []
        for message in messages:
            kind = message.WhichOneof("message")
            if kind == "frame":
                await self._place(message.frame, frames)
                continue
            await self._take(frames)
            frames = []
            if kind == "hello":
                await self._hear_hello(message.hello)
            elif kind == "bye":
                self._forget(message.bye.producer)
        await self._take(frames)

    async def _place(
        self, frame: ingest_pb2.Frame, frames: list[tuple[Producer, ingest_pb2.Frame]]
    ) -> None:
        producer = self._producers.get(frame.producer)
        if producer is not None:
            frames.append((producer, frame))
        elif frame.producer not in self._greetings:  # else its Welcome will say where to begin
            refused = Refused(Code.NOT_GREETED, "a frame came before a Hello of its producer")
            await self._refuse(frame.producer[:16], refused)

    async def _take(self, frames: list[tuple[Producer, ingest_pb2.Frame]]) -> None:
        if not frames:
            return
        for message in await self._intake.take(frames):
            await self._send(message)
        fault.hit("gateway.after_ack")

    # ── greeting ───────────────────────────────────────────────────────────

    async def _hear_hello(self, hello: ingest_pb2.Hello) -> None:
        """Begin a greeting beside the frames of others: it may have to wait for the store."""
        producer = hello.origin.producer
        self._forget(producer)
        if len(self._producers) + len(self._greetings) >= MAX_PRODUCERS:
            refused = Refused(
                Code.TOO_MANY_PRODUCERS, f"over {MAX_PRODUCERS} producers on one stream"
            )
            await self._refuse(producer[:16], refused)
            return
        self._greetings[producer] = asyncio.create_task(self._greet(hello))

    async def _greet(self, hello: ingest_pb2.Hello) -> None:
        name = hello.origin.producer
        try:
            async with self._greeting_slots:
                producer, welcome = await self._greeter.greet(hello, self._principal)
        except Refused as refused:
            self._greetings.pop(name, None)
            await self._refuse(name[:16], refused)
            return
        except Exception:  # noqa: BLE001  # a fault of ours must not leave a client without an answer
            self._greetings.pop(name, None)
            get_logger().exception("greeting failed", producer=name.hex())
            await self._refuse(name[:16], server_error())
            return
        self._greetings.pop(name, None)
        self._producers[name] = producer
        telemetry.INGEST_PRODUCERS.inc()
        fault.hit("gateway.before_welcome")
        await self._send(ingest_pb2.ServerMessage(producer=name, welcome=welcome))
        fault.hit("gateway.after_welcome")
        self._watch.add(producer, self._news.set)

    def _forget(self, name: bytes) -> None:
        greeting = self._greetings.pop(name, None)
        if greeting is not None:
            greeting.cancel()
        producer = self._producers.pop(name, None)
        if producer is not None:
            self._watch.discard(producer)
            telemetry.INGEST_PRODUCERS.dec()

    # ── we speak ───────────────────────────────────────────────────────────

    async def _pass_news_on(self) -> None:
        told_to_leave = False
        while True:
            await self._wait_for_news()
            self._auth.confirm(self._principal)
            if self._draining and not told_to_leave:
                told_to_leave = True
                await self._send(ingest_pb2.ServerMessage(goaway=_goaway()))
            for producer in list(self._producers.values()):
                await self._tell_news(producer)

    async def _wait_for_news(self) -> None:
        try:
            async with asyncio.timeout(_CONFIRM_EVERY_S):
                await self._news.wait()
        except TimeoutError:
            return
        self._news.clear()

    async def _tell_news(self, producer: Producer) -> None:
        news = news_of(producer, now_s=self._clock.monotonic_s(), now_unix_us=self._clock.unix_us())
        for message in news:
            fault.hit("gateway.before_news")
            await self._send(message)

    async def _refuse(self, name: bytes, refused: Refused) -> None:
        telemetry.INGEST_REJECTS.labels(refused.code).inc()
        await self._send(ingest_pb2.ServerMessage(producer=name, refusal=refused.message()))

    async def _send(self, message: ingest_pb2.ServerMessage) -> None:
        async with self._sending:  # gRPC takes one message at a time
            await self._raw_send(message)

    async def _end(self, tasks: set[asyncio.Task[None]]) -> None:
        tasks = tasks | set(self._greetings.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for name in list(self._producers):
            self._forget(name)


def _goaway() -> ingest_pb2.Goaway:
    """Spread over two seconds: the clients of a gateway that leaves must not arrive together."""
    return ingest_pb2.Goaway(
        reconnect_after_ms=random.randint(*_COME_BACK_MS), reason="the gateway is going away"
    )
