"""One conversation over the bidirectional stream, many producers on it, each in its turn."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

from weir import _fault as fault
from weir._clock import Clock
from weir.agent._log import log
from weir.agent._producer import Producer, plan_turns
from weir.agent._transport import Stream
from weir.agent._turns import Turn, Turns
from weir.errors import Unavailable
from weir_proto.v1 import ingest_pb2 as pb

ANSWER_TIMEOUT_S: Final = 60.0
LEAVING_TIMEOUT_S: Final = 10.0
_CLOSING_TIMEOUT_S: Final = 2.0
_LONGEST_REST_S: Final = 1.0
_SHORTEST_REST_S: Final = 0.01


class StreamTalk:
    """Speaks for all producers of a link on one stream, from its first message to its last.

    Two tasks: one listens, one speaks. The speaker gives out turns (`Turns`: what is live goes
    first) and rests when nobody has anything to say; answers, and `wake`, end its rest.
    """

    def __init__(
        self,
        stream: Stream,
        producers: Mapping[bytes, Producer],
        farewells: deque[bytes],
        *,
        clock: Clock,
        rotate_after_s: float,
        on_welcome: Callable[[], None],
        on_moved: Callable[[Producer], None],
    ) -> None:
        self._stream = stream
        self._producers = producers
        self._farewells = farewells
        self._clock = clock
        self._leave_at_s = clock.monotonic_s() + rotate_after_s
        self._come_back_after_s = 0.0
        self._on_welcome = on_welcome
        self._on_moved = on_moved
        self._wake = asyncio.Event()
        self._turns = Turns()

    def wake(self) -> None:
        """End the speaker's rest: there is something new."""
        self._wake.set()

    async def run(self) -> float:
        """Talk until the stream ends.

        Returns:
            Seconds to stay away, when the end was agreed on: our rotation or the server's Goaway.

        Raises:
            TransportError: The stream broke, was refused, or the server owes us an answer.
        """
        for producer in self._producers.values():
            producer.start_stream()
        listening = asyncio.create_task(self._listen())
        speaking = asyncio.create_task(self._speak())
        try:
            done, _ = await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await asyncio.wait({listening}, timeout=_CLOSING_TIMEOUT_S)
        finally:
            self._stream.cancel()
            listening.cancel()
            speaking.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)
        if not self._leaving():
            raise Unavailable("the server closed the stream")
        return self._come_back_after_s

    # ── listening ──────────────────────────────────────────────────────────

    async def _listen(self) -> None:
        while (message := await self._stream.read()) is not None:
            self._receive(message)

    def _receive(self, message: pb.ServerMessage) -> None:
        kind = message.WhichOneof("message")
        if kind == "goaway":
            self._come_back_after_s = message.goaway.reconnect_after_ms / 1000
            self._leave_at_s = self._clock.monotonic_s()
            self._wake.set()
            log.info("the server asks us to come back later", reason=message.goaway.reason)
            return
        producer = self._producers.get(message.producer)
        if producer is None:  # its spool is done, or was removed
            return
        try:
            self._receive_for(producer, kind, message)
        except (OSError, ValueError) as error:
            producer.disk_failed(error)
        if producer.unsettled:
            self._on_moved(producer)
        if producer.wait_s() == 0 or self._leaving():
            self._wake.set()

    def _receive_for(self, producer: Producer, kind: str | None, message: pb.ServerMessage) -> None:
        if kind == "welcome":
            self._on_welcome()
            producer.welcome(message.welcome, unix_us=self._clock.unix_us())
        elif kind == "ack":
            producer.ack(message.ack)
        elif kind == "control":
            producer.control(message.control)
        elif kind == "refusal":
            self._on_welcome()  # the server is well, it only does not want this one
            producer.refuse(message.refusal)

    # ── speaking ───────────────────────────────────────────────────────────

    async def _speak(self) -> None:
        while not self._leaving():
            self._wake.clear()
            spoke = await self._say_farewells()
            self._check_stalled()
            for turn in plan_turns(self._turns, self._producers):
                spoke |= await self._turn(turn)
            if not spoke:
                await self._rest()
        await self._leave()

    def _check_stalled(self) -> None:
        if any(one.stalled(after_s=ANSWER_TIMEOUT_S) for one in self._producers.values()):
            raise Unavailable(f"no answer for {ANSWER_TIMEOUT_S:.0f} s")

    async def _turn(self, turn: Turn) -> bool:
        """Let one producer say what it may say now; returns whether it said anything."""
        producer = self._producers.get(turn.producer)
        if producer is None:  # let go while others spoke
            return False
        spoke = False
        try:
            if producer.wants_greeting():
                await self._stream.write(pb.ClientMessage(hello=producer.greet()))
                fault.hit("agent.after_hello")
                return True
            for frame in producer.frames(limit_bytes=turn.limit_bytes):
                await self._stream.write(pb.ClientMessage(frame=frame))
                fault.hit("agent.after_frame")
                spoke = True
        except (OSError, ValueError) as error:
            producer.disk_failed(error)
        return spoke

    async def _say_farewells(self) -> bool:
        spoke = bool(self._farewells)
        while self._farewells:
            bye = pb.Bye(producer=self._farewells.popleft())
            await self._stream.write(pb.ClientMessage(bye=bye))
        return spoke

    async def _rest(self) -> None:
        # Who could speak and was not given a turn waits for the store; an answer will tell.
        waits_s = (one.wait_s() for one in self._producers.values())
        wait_s = min((wait_s for wait_s in waits_s if wait_s > 0), default=_LONGEST_REST_S)
        await self._wait(min(max(wait_s, _SHORTEST_REST_S), _LONGEST_REST_S))

    async def _wait(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._wake.wait()

    # ── leaving ────────────────────────────────────────────────────────────

    def _leaving(self) -> bool:
        return self._clock.monotonic_s() >= self._leave_at_s

    async def _leave(self) -> None:
        """Wait for the answers to what is in flight, then close our half."""
        deadline_s = self._clock.monotonic_s() + LEAVING_TIMEOUT_S
        while any(p.conversation.in_flight for p in self._producers.values()):
            if self._clock.monotonic_s() > deadline_s:
                return
            self._wake.clear()
            await self._wait(0.1)
        await self._stream.done_writing()
