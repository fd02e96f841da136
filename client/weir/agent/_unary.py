"""The conversation one request at a time, for networks that break long streams."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Final

from weir._clock import Clock
from weir.agent._producer import Producer, plan_turns
from weir.agent._transport import GrpcTransport
from weir.agent._turns import Turn, Turns
from weir.errors import Forbidden, Rejected
from weir_proto.v1 import ingest_pb2 as pb

_TIMEOUT_S: Final = 30.0
# How often to ask for the watermark when everything is sent and not yet committed.
_ASK_EVERY_S: Final = 0.3


class UnaryTalk:
    """Speaks for all producers of a link by `Append`, one request in flight.

    Every request carries a Hello, so each stands for itself and is safe to repeat.
    """

    def __init__(
        self,
        transport: GrpcTransport,
        producers: Mapping[bytes, Producer],
        *,
        clock: Clock,
        on_welcome: Callable[[], None],
        on_moved: Callable[[Producer], None],
    ) -> None:
        self._transport = transport
        self._producers = producers
        self._clock = clock
        self._on_welcome = on_welcome
        self._on_moved = on_moved
        self._turns = Turns()

    async def run(self) -> float:
        """Talk until cancelled. Raises TransportError when a request fails."""
        for producer in self._producers.values():
            producer.start_stream()
        asked_s = -math.inf
        while True:
            sent = False
            for turn in plan_turns(self._turns, self._producers):
                sent |= await self._turn(turn)
            if self._clock.monotonic_s() - asked_s >= _ASK_EVERY_S:
                await self._ask_for_watermarks()
                asked_s = self._clock.monotonic_s()
            if not sent:
                await asyncio.sleep(_ASK_EVERY_S)

    async def _turn(self, turn: Turn) -> bool:
        """Send what one producer may send now; returns whether there were frames."""
        producer = self._producers.get(turn.producer)
        if producer is None:  # let go while others spoke
            return False
        try:
            if producer.wants_greeting():
                await self._ask(producer, pb.AppendRequest(hello=producer.greet()))
            frames = list(producer.frames(limit_bytes=turn.limit_bytes))
            if frames:
                await self._ask(producer, pb.AppendRequest(hello=producer.hello(), frames=frames))
        except (OSError, ValueError) as error:
            producer.disk_failed(error)
            return False
        return bool(frames)

    async def _ask_for_watermarks(self) -> None:
        """Nothing is pushed here: ask for everybody whose frames are sent and not stored."""
        for producer in list(self._producers.values()):
            if not producer.drained and not producer.refusal and producer.welcomed:
                await self._ask(producer, pb.AppendRequest(hello=producer.hello()))

    async def _ask(self, producer: Producer, request: pb.AppendRequest) -> None:
        try:
            response = await self._transport.append(request, timeout_s=_TIMEOUT_S)
        except (Rejected, Forbidden) as error:  # about this producer; the others go on
            code = error.code if isinstance(error, Rejected) else "FORBIDDEN"
            producer.refuse(pb.Refusal(code=code, message=str(error), retry=False))
            return
        self._on_welcome()
        self._take(producer, response, answers_frames=bool(request.frames))

    def _take(
        self, producer: Producer, response: pb.AppendResponse, *, answers_frames: bool
    ) -> None:
        # The Welcome says how things stood before the frames of this request.
        if response.HasField("welcome") and not answers_frames:
            producer.welcome(response.welcome, unix_us=self._clock.unix_us())
        if response.HasField("ack") and answers_frames:
            producer.ack(response.ack)
        if response.HasField("control"):
            producer.control(response.control)
        if producer.unsettled:
            self._on_moved(producer)
