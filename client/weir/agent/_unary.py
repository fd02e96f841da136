"""The conversation one request at a time, for networks that break long streams."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from weir._clock import Clock
from weir.agent._producer import Producer
from weir.agent._transport import GrpcTransport
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

    async def run(self) -> float:
        """Talk until cancelled. Raises TransportError when a request fails."""
        for producer in self._producers.values():
            producer.start_stream()
        while True:
            sent = False
            for producer in list(self._producers.values()):
                sent |= await self._turn(producer)
            if not sent:
                await asyncio.sleep(_ASK_EVERY_S)

    async def _turn(self, producer: Producer) -> bool:
        """Send what one producer may send now; returns whether there were frames."""
        try:
            if producer.wants_greeting():
                await self._ask(producer, pb.AppendRequest(hello=producer.greet()))
            frames = list(producer.frames())
            if frames:
                await self._ask(producer, pb.AppendRequest(hello=producer.hello(), frames=frames))
            elif not producer.drained and not producer.refusal:
                await self._ask(producer, pb.AppendRequest(hello=producer.hello()))
        except (OSError, ValueError) as error:
            producer.disk_failed(error)
            return False
        return bool(frames)

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
