"""SQL over gRPC: the SqlReader behind sql.proto, with the rights of the caller's token."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import grpc
import grpc.aio
import pyarrow as pa

from weir_proto.v1 import sql_pb2, sql_pb2_grpc
from weir_server.gateway import chunks
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.sql_ending import Watched, stop_until
from weir_server.gateway.sql_limits import limits_of, tightened
from weir_server.settings import GatewaySettings
from weir_store.errors import InvalidQuery
from weir_store.sql.base import LimitReached, Question, Rights, SqlReader
from weir_store.sql.functions import NAMES
from weir_store.views.catalog import View

NAME: Final = "weir.v1.Sql"
add_sql: Final = sql_pb2_grpc.add_SqlServicer_to_server


class SqlService(sql_pb2_grpc.SqlServicer):
    """Answers from any gateway. Asking blocks, so it happens in threads.

    Every token may ask: what it may not see is not there. Raises `ServerError` and `StoreError`;
    the interceptor makes statuses of them.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        reader: SqlReader,
        auth: Auth,
        stops: Callable[[str], None] | None = None,
    ) -> None:
        """Answer from a reader; `stops` stops the statements that were asked with a mark."""
        self._settings = settings
        self._limits = limits_of(settings)
        self._reader = reader
        self._auth = auth
        self._stops = stops
        self._endings: set[asyncio.Task[None]] = set()

    async def Ask(
        self, request: sql_pb2.AskRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[sql_pb2.AskReply]:
        """Run one statement; the answer is streamed as it is read."""
        principal = self._auth.principal(context.invocation_metadata())
        question = self._question(request, principal)
        started_s = time.monotonic()
        told = _Told(self._reader, question)
        pieces = Watched(told.pieces())
        drawn = chunks.draw(pieces)
        # A client that takes nothing holds this call where it sends, and with it a statement.
        too_long = _cut_off_later(context, self._settings.sql_answer_s)
        try:
            async for piece in drawn:
                self._auth.confirm(principal)
                yield sql_pb2.AskReply(arrow=piece)
        finally:
            too_long.cancel()
            await drawn.aclose()
            self._stop(pieces.ended, question.mark)
        took_s = time.monotonic() - started_s
        end = sql_pb2.AskEnd(rows=told.rows, cut=told.cut, seconds=took_s)
        yield sql_pb2.AskReply(end=end)

    async def ListViews(
        self, request: sql_pb2.ListViewsRequest, context: grpc.aio.ServicerContext
    ) -> sql_pb2.ListViewsResponse:
        """Return what SQL may see."""
        views = await asyncio.to_thread(self._reader.list_views)
        return sql_pb2.ListViewsResponse(views=map(_view_message, views), functions=sorted(NAMES))

    def _stop(self, ended: asyncio.Event, mark: str) -> None:
        """See to it that the statement ends soon, also where it has not answered yet."""
        if self._stops is not None:
            ending = asyncio.create_task(stop_until(ended, self._stops, mark))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    def _question(self, request: sql_pb2.AskRequest, principal: Principal) -> Question:
        size = len(request.text) + sum(len(text) for text in request.parameters.values())
        if size > self._settings.sql_text_bytes:
            raise LimitReached(
                f"the statement and its parameters have {size} characters, more than"
                f" {self._settings.sql_text_bytes}",
                hint="the limit is gateway.sql_text_bytes",
            )
        return Question(
            request.text,
            Rights(principal.projects_allowed),
            parameters_of(request.parameters),
            principal.name,
            tightened(self._limits, rows=request.limit, seconds=request.seconds),
            mark=f"weir-{uuid.uuid4().hex}",
        )


def _cut_off_later(context: grpc.aio.ServicerContext, after_s: float) -> asyncio.Task[None]:
    """End the call under way when it still is then, and say why."""
    call = asyncio.current_task()
    assert call is not None

    async def cut_off() -> None:
        await asyncio.sleep(after_s)
        call.cancel()
        told = (
            f"the answer was not taken within {after_s:g} s — read faster, or ask for less;"
            " the limit is gateway.sql_answer_s"
        )
        with suppress(grpc.aio.AbortError):
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, told)

    return asyncio.create_task(cut_off())


def parameters_of(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of parameters that were sent as JSON. Raises `InvalidQuery`."""
    return {name: _value_of(name, text) for name, text in texts.items()}


def _value_of(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidQuery(f"parameter {name!r} is no JSON: {text[:80]!r}") from error


class _Told:
    """An answer on its way out: asked for with the first piece, its rows counted as they pass."""

    def __init__(self, reader: SqlReader, question: Question) -> None:
        self._reader = reader
        self._question = question
        self.rows = 0
        self.cut = False

    def pieces(self) -> Iterator[bytes]:
        """Yield the Arrow stream; blocks, and lets go of the statement when it is closed."""
        answer = self._reader.ask(self._question)
        try:
            yield from chunks.cut(answer.schema, self._counted(answer.batches))
            self.cut = answer.cut
        finally:
            if hasattr(answer.batches, "close"):
                answer.batches.close()

    def _counted(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            self.rows += batch.num_rows
            yield batch


def _view_message(view: View) -> sql_pb2.SqlView:
    columns = [
        sql_pb2.SqlColumn(name=each.name, type=each.type, unit=each.unit, about=each.about)
        for each in view.columns
    ]
    return sql_pb2.SqlView(name=view.name, about=view.about, columns=columns, example=view.example)
