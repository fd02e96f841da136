"""Around every call that answers one request: let in, time, and say what went wrong by a gRPC status."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc
import grpc.aio

from weir_server.errors import ServerError, Unauthenticated
from weir_server.gateway.auth import Auth
from weir_server.log import get_logger
from weir_server.telemetry import QUERY_FAILURES, QUERY_SECONDS
from weir_store.changes.base import Refusal
from weir_store.errors import (
    InvalidQuery,
    StoreError,
    UnknownArtifact,
    UnknownProject,
    UnknownRun,
)

_OURS: Final = "/weir.v1."
_INGEST: Final = "/weir.v1.Ingest/"  # measures itself


def status_of(error: ServerError | StoreError) -> grpc.StatusCode:
    """Return the status that tells a client what to do about an error."""
    if isinstance(error, ServerError):
        status: grpc.StatusCode = grpc.StatusCode[error.grpc_status]
        return status
    if isinstance(error, UnknownProject | UnknownRun | UnknownArtifact):
        return grpc.StatusCode.NOT_FOUND
    if isinstance(error, InvalidQuery):
        return grpc.StatusCode.INVALID_ARGUMENT
    if isinstance(error, Refusal):
        return grpc.StatusCode.FAILED_PRECONDITION
    return grpc.StatusCode.UNAVAILABLE


class Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # grpc has no types
    """Lets in only who has a token; turns `ServerError` and `StoreError` into a status.

    Services below it raise, and find out who calls by `auth.principal(context.invocation_metadata())`.
    Health and reflection are open to all. Streams from the client look after themselves.
    """

    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        """Wrap one call."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(_OURS) or handler.request_streaming:
            return handler
        try:
            self._auth.principal(handler_call_details.invocation_metadata)
        except Unauthenticated as error:
            return _turned_away(handler, error)
        if handler.response_streaming:
            return handler._replace(unary_stream=_told_stream(handler.unary_stream, method))
        return handler._replace(unary_unary=_told(handler.unary_unary, method))


def _turned_away(handler: grpc.RpcMethodHandler, error: Unauthenticated) -> grpc.RpcMethodHandler:
    async def refuse(_request: Any, context: grpc.aio.ServicerContext) -> None:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))

    async def refuse_stream(_request: Any, context: grpc.aio.ServicerContext) -> Any:
        await context.abort(grpc.StatusCode.UNAUTHENTICATED, str(error))
        yield  # what makes it a stream

    if handler.response_streaming:
        return handler._replace(unary_stream=refuse_stream)
    return handler._replace(unary_unary=refuse)


def _told(behaviour: Callable[..., Awaitable[Any]], method: str) -> Callable[..., Awaitable[Any]]:
    async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
        started_s = time.perf_counter()
        try:
            return await behaviour(request, context)
        except (ServerError, StoreError) as error:
            await _abort(context, error, method)
        finally:
            _observe(method, started_s)

    return answer


def _told_stream(behaviour: Callable[..., Any], method: str) -> Callable[..., Any]:
    async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
        started_s = time.perf_counter()
        try:
            async for message in behaviour(request, context):
                yield message
        except (ServerError, StoreError) as error:
            await _abort(context, error, method)
        finally:
            _observe(method, started_s)

    return answer


async def _abort(
    context: grpc.aio.ServicerContext, error: ServerError | StoreError, method: str
) -> None:
    status = status_of(error)
    if not method.startswith(_INGEST):
        QUERY_FAILURES.labels(status.name).inc()
    get_logger().info("call not answered", method=method, status=status.name, problem=str(error))
    await context.abort(status, str(error))


def _observe(method: str, started_s: float) -> None:
    if not method.startswith(_INGEST):
        QUERY_SECONDS.labels(method.rpartition("/")[2]).observe(time.perf_counter() - started_s)
