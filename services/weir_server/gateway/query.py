"""Questions about points: the Reader behind query.proto."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import grpc.aio

from weir_proto.v1 import query_pb2, query_pb2_grpc
from weir_server.gateway import chunks
from weir_server.gateway.auth import Auth
from weir_server.gateway.messages import metric_message, refs_of, series_query_of
from weir_server.gateway.query_access import require_readable
from weir_server.gateway.query_nodes import NodeQueries
from weir_store import answers
from weir_store.base import Reader
from weir_store.console.base import ConsoleReader
from weir_store.records import RunRef
from weir_store.system.base import SystemReader

_METRICS_LIMIT: Final = 1_000
_TEXTS_LIMIT: Final = 10_000


class QueryService(NodeQueries, query_pb2_grpc.QueryServicer):
    """Answers from any gateway. Reading blocks, so it happens in threads.

    Raises `ServerError` and `StoreError`; the interceptor makes statuses of them.
    """

    def __init__(
        self, reader: Reader, system: SystemReader, console: ConsoleReader, auth: Auth
    ) -> None:
        super().__init__(system, console, auth)
        self._reader = reader

    async def ListMetrics(
        self, request: query_pb2.ListMetricsRequest, context: grpc.aio.ServicerContext
    ) -> query_pb2.ListMetricsResponse:
        """Return metrics by name."""
        refs = refs_of(request.runs)
        self._require(context, [*refs, *([] if refs else [RunRef(request.project, "")])])
        page = await asyncio.to_thread(
            self._reader.list_metrics,
            refs,
            project=request.project,
            search=request.search,
            limit=request.limit or _METRICS_LIMIT,
            after=request.after,
        )
        metrics = [metric_message(metric) for metric in page.metrics]
        return query_pb2.ListMetricsResponse(metrics=metrics, total=page.total)

    async def ReadSeries(
        self, request: query_pb2.ReadSeriesRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return points, streamed as they are read."""
        query = series_query_of(request)
        self._require(context, query.runs)
        batches = self._reader.stream_series(query)
        async for chunk in chunks.send(chunks.cut(answers.series_schema(query), batches)):
            yield chunk

    async def ReadLatest(
        self, request: query_pb2.ReadLatestRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return the newest point of every series."""
        refs = refs_of(request.runs)
        self._require(context, refs)
        table = await asyncio.to_thread(self._reader.read_latest, refs, tuple(request.metrics))
        async for chunk in chunks.send_table(table):
            yield chunk

    async def CompareRuns(
        self, request: query_pb2.CompareRunsRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return config, metadata and summary side by side."""
        refs = refs_of(request.runs)
        self._require(context, refs)
        table = await asyncio.to_thread(
            self._reader.compare_runs, refs, only_different=request.only_different
        )
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ReadText(
        self, request: query_pb2.ReadTextRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return a text series from its first step on."""
        (ref,) = refs_of([request.run])
        self._require(context, [ref])
        table = await asyncio.to_thread(
            self._reader.read_text,
            ref,
            request.metric,
            limit=request.limit or _TEXTS_LIMIT,
            after=_place(request),
        )
        async for chunk in chunks.send_table(table):
            yield chunk

    async def ReadMedia(
        self, request: query_pb2.ReadTextRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[query_pb2.ArrowChunk]:
        """Return the files logged under a name, from its first step on."""
        (ref,) = refs_of([request.run])
        self._require(context, [ref])
        table = await asyncio.to_thread(
            self._reader.read_media,
            ref,
            request.metric,
            limit=request.limit or _TEXTS_LIMIT,
            after=_place(request),
        )
        async for chunk in chunks.send_table(table):
            yield chunk

    def _require(self, context: Any, runs: Iterable[RunRef]) -> None:
        require_readable(self._auth, context, runs)


def _place(request: query_pb2.ReadTextRequest) -> tuple[int, int] | None:
    """Return the rank and step behind which to begin."""
    return (request.after.rank, request.after.step) if request.HasField("after") else None
