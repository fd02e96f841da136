"""The Ingest service: what gRPC sees of it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final, NoReturn

import grpc
import grpc.aio

from weir_proto.v1 import ingest_pb2
from weir_server import telemetry
from weir_server.clock import Clock
from weir_server.errors import ServerError, StreamUnavailable, Unauthenticated
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.conversation import Conversation
from weir_server.gateway.greeting import Greeter
from weir_server.gateway.intake import Intake
from weir_server.gateway.limits import Code
from weir_server.gateway.origin import Refused
from weir_server.gateway.producer import Producer
from weir_server.gateway.watch import Watch
from weir_server.log import get_logger
from weir_server.stream.base import Appender

_STATUS: Final = {
    Code.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    Code.UNKNOWN_PROJECT: grpc.StatusCode.NOT_FOUND,
    Code.SERVER_BUSY: grpc.StatusCode.UNAVAILABLE,
    Code.SERVER_ERROR: grpc.StatusCode.UNAVAILABLE,
    Code.ORIGIN_INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Code.NOT_GREETED: grpc.StatusCode.INVALID_ARGUMENT,
}
_MOST_DAMAGED: Final = 1_024
_GONE: Final = (
    grpc.aio.UsageError,
    grpc.aio.InternalError,
    grpc.RpcError,
    asyncio.InvalidStateError,
)


class IngestService:
    """Streams and single requests of clients; an `IngestServicer`."""

    def __init__(
        self,
        auth: Auth,
        greeter: Greeter,
        intake: Intake,
        watch: Watch,
        appender: Appender,
        clock: Clock,
    ) -> None:
        self._auth = auth
        self._greeter = greeter
        self._intake = intake
        self._watch = watch
        self._appender = appender
        self._clock = clock
        self._conversations: set[Conversation] = set()
        self._damaged: OrderedDict[bytes, int] = OrderedDict()  # producer → seq, of requests
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._draining = False

    async def Stream(
        self,
        request_iterator: AsyncIterator[ingest_pb2.ClientMessage],
        context: grpc.aio.ServicerContext,
    ) -> None:
        """See ingest.proto."""
        principal = await self._principal(context)
        conversation = Conversation(
            context.write,
            principal,
            auth=self._auth,
            greeter=self._greeter,
            intake=self._intake,
            watch=self._watch,
            clock=self._clock,
        )
        self._conversations.add(conversation)
        self._nobody.clear()
        if self._draining:
            conversation.goaway()
        try:
            with telemetry.INGEST_STREAMS.track_inprogress():
                await conversation.run(request_iterator)
        except ServerError as error:
            await _abort(context, error)
        except _GONE as error:
            get_logger().debug("client went away", problem=str(error))
        finally:
            self._conversations.discard(conversation)
            if not self._conversations:
                self._nobody.set()

    async def Append(
        self, request: ingest_pb2.AppendRequest, context: grpc.aio.ServicerContext
    ) -> ingest_pb2.AppendResponse:
        """See ingest.proto."""
        principal = await self._principal(context)
        try:
            return await self._append(request, principal)
        except Refused as refused:
            status = _STATUS.get(refused.code, grpc.StatusCode.FAILED_PRECONDITION)
            await context.abort(status, f"{refused.code}: {refused}")
            raise

    async def drain(self, timeout_s: float) -> None:
        """Ask all clients to leave, and wait for them for a while."""
        self._draining = True
        for conversation in self._conversations:
            conversation.goaway()
        try:
            async with asyncio.timeout(timeout_s):
                await self._nobody.wait()
        except TimeoutError:
            get_logger().warning("clients did not leave in time", streams=len(self._conversations))

    async def _principal(self, context: grpc.aio.ServicerContext) -> Principal:
        try:
            return self._auth.principal(context.invocation_metadata())
        except Unauthenticated as error:
            await _abort(context, error)

    async def _append(
        self, request: ingest_pb2.AppendRequest, principal: Principal
    ) -> ingest_pb2.AppendResponse:
        name = request.hello.origin.producer
        if any(frame.producer != name for frame in request.frames):
            raise Refused(Code.NOT_GREETED, "a frame is of another producer than the Hello")
        producer, welcome = await self._greeter.greet(request.hello, principal)
        response = ingest_pb2.AppendResponse(
            welcome=welcome,
            ack=ingest_pb2.Ack(
                accepted_seq=producer.accepted,
                committed_seq=producer.committed,
                server_time_unix_us=self._clock.unix_us(),
            ),
        )
        if request.frames:
            producer.damaged_seq = self._damaged.pop(name, 0)
            (answer,) = await self._intake.take([(producer, frame) for frame in request.frames])
            if answer.HasField("refusal"):
                raise Refused(Code(answer.refusal.code), answer.refusal.message)
            self._remember_damage(producer)
            response.ack.CopyFrom(answer.ack)
        try:
            stops = await self._appender.read_stops([producer.run])
        except StreamUnavailable:  # what was appended must be told all the same
            return response
        for stop in filter(producer.must_heed, stops.values()):
            response.control.CopyFrom(ingest_pb2.Control(stop=True, reason=stop.reason, by=stop.by))
        return response

    def _remember_damage(self, producer: Producer) -> None:
        """Keep for the next request what a stream would know: a frame is asked for twice, not ever."""
        if producer.damaged_seq > producer.accepted:
            self._damaged[producer.id] = producer.damaged_seq
            if len(self._damaged) > _MOST_DAMAGED:
                self._damaged.popitem(last=False)


async def _abort(context: grpc.aio.ServicerContext, error: ServerError) -> NoReturn:
    await context.abort(grpc.StatusCode[error.grpc_status], str(error))
    raise error
