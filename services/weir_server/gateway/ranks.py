"""Questions about ranks: the RankReader behind ranks.proto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc.aio

from weir_proto.v1 import query_pb2, ranks_pb2, ranks_pb2_grpc, runs_pb2
from weir_server.clock import Clock
from weir_server.gateway import chunks
from weir_server.gateway.auth import Auth
from weir_server.gateway.messages import refs_of
from weir_server.gateway.query_access import require_readable
from weir_server.gateway.ranks_messages import (
    board_message,
    divergence_query_of,
    hang_message,
    names_of,
    patience_of,
    reduce_query_of,
    straggler_query_of,
)
from weir_server.gateway.service import Service
from weir_server.gateway.tokens import Role
from weir_store.ranks.base import RankReader
from weir_store.records import RunRef

NAME: Final = "weir.v1.Ranks"
_NODES_LIMIT: Final = 1_000


class RanksService(ranks_pb2_grpc.RanksServicer):
    """Answers from any gateway. Reading blocks, so it happens in threads.

    Raises `ServerError` and `StoreError`; the interceptor makes statuses of them.
    """

    def __init__(self, reader: RankReader, auth: Auth, clock: Clock) -> None:
        self._reader = reader
        self._auth = auth
        self._clock = clock

    async def Reduce(
        self, request: ranks_pb2.ReduceRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return values put together."""
        query = reduce_query_of(request)
        require_readable(self._auth, context, query.runs)
        table = await asyncio.to_thread(self._reader.read_reduced, query)
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ListRanks(
        self, request: runs_pb2.RunRef, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return one row per role and rank."""
        (ref,) = refs_of([request])
        require_readable(self._auth, context, [ref])
        table = await asyncio.to_thread(self._reader.list_ranks, ref)
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ReadStragglers(
        self, request: ranks_pb2.ReadStragglersRequest, context: grpc.aio.ServicerContext
    ) -> ranks_pb2.ReadStragglersResponse:
        """Return whom the others wait for."""
        query = straggler_query_of(request)
        require_readable(self._auth, context, [query.ref])
        return board_message(await asyncio.to_thread(self._reader.read_stragglers, query))

    async def RankNodes(
        self, request: ranks_pb2.RankNodesRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return which nodes are slow for everyone."""
        require_readable(self._auth, context, [RunRef(request.project, "")])
        table = await asyncio.to_thread(
            self._reader.rank_nodes,
            request.project,
            limit=request.limit or _NODES_LIMIT,
            names=names_of(request.names),
        )
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ReadDivergence(
        self, request: ranks_pb2.ReadDivergenceRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return who left the others."""
        query = divergence_query_of(request)
        require_readable(self._auth, context, [query.ref])
        table = await asyncio.to_thread(self._reader.read_divergence, query)
        async for chunk in chunks.send_table(table):
            yield chunk

    async def FindHangs(
        self, request: ranks_pb2.FindHangsRequest, context: grpc.aio.ServicerContext
    ) -> ranks_pb2.FindHangsResponse:
        """Return who makes no step, of what the caller may read."""
        found = await asyncio.to_thread(
            self._reader.find_hangs,
            self._clock.unix_us(),
            projects=self._projects(request, context),
            patience=patience_of(request),
        )
        return ranks_pb2.FindHangsResponse(hangs=[hang_message(each) for each in found])

    def _projects(
        self, request: ranks_pb2.FindHangsRequest, context: Any
    ) -> tuple[str, ...] | None:
        caller = self._auth.principal(context.invocation_metadata())
        for project in request.projects:
            caller.require(Role.READER, project)
        return tuple(request.projects) or caller.projects_allowed


def ranks_service(reader: RankReader, auth: Auth, clock: Clock) -> Service:
    """Return what a gateway offers about ranks."""
    servicer = RanksService(reader, auth, clock)
    return Service(NAME, ranks_pb2_grpc.add_RanksServicer_to_server, servicer)
