"""gRPC: the channel to one server and the ways to talk over it. Nothing else imports grpc."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import grpc  # noqa: TID251 - this is the one file
import grpc.aio  # noqa: TID251

from weir.agent._status import error_for
from weir.errors import Rejected, TransportError
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1.artifacts_pb2_grpc import ArtifactsStub
from weir_proto.v1.ingest_pb2_grpc import IngestStub

_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.enable_retries", 0),  # the link repeats, from the spool
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.max_send_message_length", 16 << 20),
    # The channel itself must not wait longer than the link's own back-off.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
)
_REASON_TIMEOUT_S: Final = 5.0
_MAX_ANSWER_BYTES: Final = 64 << 20  # 1 000 signed addresses, or a page of manifest, with room
# What was asked is wrong, and the server said how: no hint of ours can say more.
_ASKED_WRONGLY: Final = frozenset(
    {"INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE"}
)


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and who we are to it.

    Attributes:
        server: `host:port`, or `grpcs://host:port` for TLS.
        token: Sent as a bearer token; "" sends none.
    """

    server: str
    token: str = ""

    @property
    def tls(self) -> bool:
        """Whether to encrypt."""
        return self.server.startswith("grpcs://")

    @property
    def target(self) -> str:
        """The host and port, without a scheme."""
        return self.server.removeprefix("grpcs://").removeprefix("grpc://").rstrip("/")


class Stream(Protocol):
    """One bidirectional conversation. `write` and `read` may run at once, each in one task."""

    async def write(self, message: pb.ClientMessage) -> None:
        """Send; waits while the server is slow. Raises TransportError when the stream broke."""

    async def read(self) -> pb.ServerMessage | None:
        """Return the next message; None when the server closed. Raises TransportError likewise."""

    async def done_writing(self) -> None:
        """Tell the server that nothing more will come."""

    def cancel(self) -> None:
        """End the conversation at once."""


class GrpcTransport:
    """A channel to one server. Create and use it inside the event loop."""

    def __init__(self, address: Address) -> None:
        self._metadata = (("authorization", f"Bearer {address.token}"),) if address.token else None
        self._channel = (
            grpc.aio.secure_channel(
                address.target, grpc.ssl_channel_credentials(), options=_OPTIONS
            )
            if address.tls
            else grpc.aio.insecure_channel(address.target, options=_OPTIONS)
        )
        self._stub: Any = IngestStub(self._channel)  # type: ignore[no-untyped-call]

    def stream(self) -> Stream:
        """Begin a conversation. Failures show at the first `read` or `write`."""
        return _GrpcStream(self._stub.Stream(metadata=self._metadata))

    async def append(self, request: pb.AppendRequest, *, timeout_s: float) -> pb.AppendResponse:
        """Do the same in one round trip. Raises TransportError."""
        try:
            response: pb.AppendResponse = await self._stub.Append(
                request, metadata=self._metadata, timeout=timeout_s
            )
        except grpc.aio.AioRpcError as error:
            raise error_for(error.code().name, error.details() or "") from error
        return response

    async def close(self) -> None:
        """Close the channel and every conversation on it."""
        await self._channel.close()


class ArtifactsTransport:
    """Asks one server's Artifacts service. Blocks; safe from any thread, outside event loops.

    Every call raises TransportError: `Retryable` when asking again may help, `Rejected` with the
    status as its code when what was asked is wrong.
    """

    def __init__(self, address: Address) -> None:
        self._metadata = (("authorization", f"Bearer {address.token}"),) if address.token else None
        options = (*_OPTIONS, ("grpc.max_receive_message_length", _MAX_ANSWER_BYTES))
        self._channel = (
            grpc.secure_channel(address.target, grpc.ssl_channel_credentials(), options=options)
            if address.tls
            else grpc.insecure_channel(address.target, options=options)
        )
        self._stub: Any = ArtifactsStub(self._channel)  # type: ignore[no-untyped-call]

    def ask(self, method: str, request: Any, *, timeout_s: float = 60.0) -> Any:
        """Return the answer to one call of artifacts.proto, by its name there."""
        try:
            return getattr(self._stub, method)(request, metadata=self._metadata, timeout=timeout_s)
        except grpc.RpcError as error:
            raise _error_of(error) from error
        except ValueError as error:  # the channel was closed while we asked
            raise error_for("CANCELLED", str(error)) from error

    def list(self, method: str, request: Any, *, timeout_s: float = 600.0) -> Iterator[Any]:
        """Iterate over the answers of a call that streams them."""
        try:
            yield from getattr(self._stub, method)(
                request, metadata=self._metadata, timeout=timeout_s
            )
        except grpc.RpcError as error:
            raise _error_of(error) from error

    def close(self) -> None:
        """Close the channel; calls under way fail."""
        self._channel.close()


def _error_of(error: Any) -> TransportError:
    status, details = error.code().name, error.details() or ""
    if status in _ASKED_WRONGLY:
        return Rejected(details, code=status)
    return error_for(status, details)


class _GrpcStream:
    """A `Stream` over one grpc.aio call."""

    def __init__(self, call: Any) -> None:
        self._call = call

    async def write(self, message: pb.ClientMessage) -> None:
        try:
            await self._call.write(message)
        except (grpc.aio.AioRpcError, grpc.aio.UsageError, RuntimeError) as error:
            raise await self._ended(error) from error

    async def read(self) -> pb.ServerMessage | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise error_for(error.code().name, error.details() or "") from error
        if message is not grpc.aio.EOF:
            found: pb.ServerMessage = message
            return found
        status = await self._call.code()
        if status is grpc.StatusCode.OK:
            return None
        raise error_for(status.name, await self._call.details() or "")

    async def done_writing(self) -> None:
        try:
            await self._call.done_writing()
        except (grpc.aio.AioRpcError, grpc.aio.UsageError, RuntimeError) as error:
            raise await self._ended(error) from error

    def cancel(self) -> None:
        self._call.cancel()

    async def _ended(self, error: Exception) -> Exception:
        """A write fails without the reason; the call knows it."""
        if isinstance(error, grpc.aio.AioRpcError):
            return error_for(error.code().name, error.details() or "")
        try:
            async with asyncio.timeout(_REASON_TIMEOUT_S):
                code = await self._call.code()
        except TimeoutError:
            return error_for("UNAVAILABLE", str(error))
        return error_for(code.name, await self._call.details() or "")
