"""One server and token: connect, talk, back off, begin again."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from weir._clock import Clock
from weir.agent._backoff import Backoff, jittered
from weir.agent._log import log
from weir.agent._producer import Producer
from weir.agent._stream import StreamTalk
from weir.agent._transport import Address, GrpcTransport
from weir.agent._unary import UnaryTalk
from weir.errors import Forbidden, Permanent, Rejected, TransportError, Unauthenticated, Unavailable

# A fresh stream now and then lets a load balancer spread nodes over new gateways.
ROTATE_AFTER_S: Final = 600.0
_ROTATE_SHARE: Final = 0.2
_REFUSED_RETRY_S: Final = 60.0
# A server that greets us and breaks at once, again and again, must not be hammered.
_GOOD_TALK_S: Final = 5.0
_BREAKS_BEFORE_UNARY: Final = 2


class Link:
    """One channel, and one conversation at a time, for all producers of a server and token.

    Attributes:
        address: Where it leads.
        producers: Who is spoken for, by producer id.
        refusal: Why the server does not let this token in; "" when it does, or did not answer.
        unreachable_since_s: Monotonic time since which the server gives no answer; None while
            it does.
        trouble: What went wrong last; "" once the server answered again.
    """

    def __init__(
        self,
        address: Address,
        *,
        clock: Clock,
        rng: random.Random,
        on_moved: Callable[[Producer], None],
        unary: bool = False,
        unary_after_breaks: bool = False,
    ) -> None:
        self.address = address
        self.producers: dict[bytes, Producer] = {}
        self.refusal = ""
        self.unreachable_since_s: float | None = clock.monotonic_s()
        self.trouble = ""
        self._clock = clock
        self._rng = rng
        self._on_moved = on_moved
        self._unary = unary
        self._unary_after_breaks = unary_after_breaks
        self._breaks = 0
        self._backoff = Backoff(rng=rng)
        self._farewells: deque[bytes] = deque()
        self._transport: GrpcTransport | None = None
        self._talk: StreamTalk | UnaryTalk | None = None
        self._newcomer = asyncio.Event()

    def add(self, producer: Producer) -> None:
        """Speak for another producer."""
        producer.start_stream()
        self.producers[producer.id] = producer
        self._newcomer.set()
        if isinstance(self._talk, StreamTalk):
            self._talk.wake()

    def discard(self, producer: Producer) -> None:
        """Speak for a producer no more, and say goodbye for it."""
        if self.producers.pop(producer.id, None) is not None:
            self._farewells.append(producer.id)
            producer.close()

    async def run(self) -> None:
        """Talk for ever; ends only by being cancelled."""
        self._transport = GrpcTransport(self.address)
        try:
            while True:
                self._newcomer.clear()
                await self._pause(await self._talk_once(self._transport))
        finally:
            await self._transport.close()

    async def _pause(self, wait_s: float) -> None:
        """Wait; where we were turned away, only until somebody new has to be told so too."""
        if not self.refusal:
            await asyncio.sleep(wait_s)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._newcomer.wait()

    async def _talk_once(self, transport: GrpcTransport) -> float:
        """Hold one conversation; returns how long to wait before the next."""
        self._farewells.clear()
        self._talk = self._new_talk(transport)
        began_s = self._clock.monotonic_s()
        try:
            return await self._talk.run()
        except TransportError as error:
            if self._clock.monotonic_s() - began_s > _GOOD_TALK_S:
                self._backoff.succeeded()
            return self._wait_after(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other links go on
            return self._wait_after(Unavailable(f"a fault of ours: {error!r}"))
        finally:
            self._talk = None

    def _new_talk(self, transport: GrpcTransport) -> StreamTalk | UnaryTalk:
        if self._unary or (self._unary_after_breaks and self._breaks >= _BREAKS_BEFORE_UNARY):
            return UnaryTalk(
                transport,
                self.producers,
                clock=self._clock,
                on_welcome=self._reached,
                on_moved=self._on_moved,
            )
        return StreamTalk(
            transport.stream(),
            self.producers,
            self._farewells,
            clock=self._clock,
            rotate_after_s=jittered(ROTATE_AFTER_S, _ROTATE_SHARE, self._rng),
            on_welcome=self._reached,
            on_moved=self._on_moved,
        )

    def _reached(self) -> None:
        """The server answered: it is there and lets us in."""
        if self.refusal or self.trouble:
            log.info("connected", server=self.address.server)
        self.refusal = self.trouble = ""
        self.unreachable_since_s = None

    def _wait_after(self, error: TransportError) -> float:
        self._breaks += 1
        if isinstance(error, Permanent):
            self._turned_away(error)
            return _REFUSED_RETRY_S
        if self.unreachable_since_s is None:
            self.unreachable_since_s = self._clock.monotonic_s()
        self.trouble = str(error)
        wait_s = max(self._backoff.failed(), getattr(error, "retry_after_s", 0.0))
        log.warning(
            "no connection to the server, will try again",
            server=self.address.server,
            error=error,
            wait_s=wait_s,
        )
        return wait_s

    def _turned_away(self, error: Permanent) -> None:
        """The whole link is refused: keep every spool, say so, ask again in a minute."""
        self.refusal = str(error)
        for producer in self.producers.values():
            try:
                producer.turned_away(_code_of(error), str(error))
            except OSError as failure:
                producer.disk_failed(failure)


def _code_of(error: Permanent) -> str:
    match error:
        case Unauthenticated():
            return "UNAUTHENTICATED"
        case Forbidden():
            return "FORBIDDEN"
        case Rejected():
            return error.code
    return "REFUSED"
