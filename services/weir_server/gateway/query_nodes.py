"""Questions about what nodes measured and processes printed: the readers behind query.proto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import grpc.aio

from weir_proto.v1 import query_pb2, runs_pb2
from weir_server.gateway import chunks
from weir_server.gateway.auth import Auth
from weir_server.gateway.messages import refs_of
from weir_server.gateway.query_access import require_readable
from weir_store.console.base import ConsoleReader, LinesQuery, Stream
from weir_store.errors import InvalidQuery
from weir_store.system.base import SystemQuery, SystemReader

_LINES_LIMIT: Final = 1_000


class NodeQueries:
    """Answers telemetry and lines, for `QueryService` to inherit. Reading blocks, so it happens in threads."""

    def __init__(self, system: SystemReader, console: ConsoleReader, auth: Auth) -> None:
        self._system = system
        self._console = console
        self._auth = auth

    async def ReadSystem(
        self, request: query_pb2.ReadSystemRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return what nodes measured, full or thinned."""
        query = system_query_of(request)
        require_readable(self._auth, context, [query.ref])
        table = await asyncio.to_thread(self._system.read_system, query)
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ListSystem(
        self, request: runs_pb2.RunRef, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return one row per series of telemetry."""
        (ref,) = refs_of([request])
        require_readable(self._auth, context, [ref])
        table = await asyncio.to_thread(self._system.list_system, ref)
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ReadUsage(
        self, request: runs_pb2.RunRef, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return what the run took of its accelerators, by device."""
        (ref,) = refs_of([request])
        require_readable(self._auth, context, [ref])
        table = await asyncio.to_thread(self._system.read_usage, ref)
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ReadLines(
        self, request: query_pb2.ReadLinesRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return console lines."""
        query = lines_query_of(request)
        require_readable(self._auth, context, query.runs)
        table = await asyncio.to_thread(self._console.read_lines, query)
        async for chunk in chunks.send_table(table):
            yield chunk


def system_query_of(request: query_pb2.ReadSystemRequest) -> SystemQuery:
    """Return the question a request asks."""
    (ref,) = refs_of([request.run])
    return SystemQuery(
        ref,
        metrics=tuple(request.metrics),
        nodes=tuple(request.nodes),
        devices=tuple(request.devices),
        max_points=request.max_points or None,
        from_unix_us=request.from_unix_us if request.HasField("from_unix_us") else None,
        to_unix_us=request.to_unix_us if request.HasField("to_unix_us") else None,
    )


def lines_query_of(request: query_pb2.ReadLinesRequest) -> LinesQuery:
    """Return the question a request asks. Raises `InvalidQuery` for a stream there is not."""
    return LinesQuery(
        refs_of(request.runs),
        search=request.search,
        ranks=tuple(request.ranks) or None,
        streams=tuple(map(_stream, request.streams)),
        min_level=request.min_level,
        limit=request.limit or _LINES_LIMIT,
        newest=request.newest,
        after=request.after,
        from_unix_us=request.from_unix_us if request.HasField("from_unix_us") else None,
        to_unix_us=request.to_unix_us if request.HasField("to_unix_us") else None,
    )


def _stream(name: str) -> Stream:
    try:
        return Stream(name)
    except ValueError as error:
        raise InvalidQuery(f"no stream {name!r}", hint=f"one of {', '.join(Stream)}") from error
