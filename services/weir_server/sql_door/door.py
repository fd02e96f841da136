"""The door: one statement per request, from a tool's HTTP to the gate and back with rows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from weir_server.errors import ServerError
from weir_server.gateway import chunks
from weir_server.gateway.auth import Auth, Principal
from weir_server.gateway.sql_ending import Watched, stop_until
from weir_server.gateway.sql_limits import limits_of
from weir_server.log import get_logger
from weir_server.settings import GatewaySettings
from weir_server.sql_door.answer import Answer
from weir_server.sql_door.body import read_body
from weir_server.sql_door.catalogues import Catalogues
from weir_server.sql_door.faults import TIMEOUT_EXCEEDED, UNKNOWN_DATABASE, Fault, fault_of
from weir_server.sql_door.formats import DEFAULT, format_named
from weir_server.sql_door.hello import greeting
from weir_server.sql_door.introspection import answered
from weir_server.sql_door.request import Request, read_request, secret_of
from weir_server.sql_door.settings import wishes_of
from weir_server.sql_door.statement import read_statement
from weir_server.sql_door.turns import Turns
from weir_server.telemetry import SQL_DOOR_REQUESTS
from weir_store.byte_stream import ByteStream
from weir_store.clickhouse import ClickHouse
from weir_store.errors import StoreError
from weir_store.sql.base import Question, Rights
from weir_store.sql.raw import RawSql

_WAIT_S = 10.0  # for a turn


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that was understood."""

    question: Question
    form: str
    settings: dict[str, str]
    encoding: str


class Door:
    """Answers over one `RawSql`."""

    def __init__(
        self, settings: GatewaySettings, raw: RawSql, catalogues: Catalogues, auth: Auth
    ) -> None:
        self._settings = settings
        self._limits = limits_of(settings)
        self._raw = raw
        self._catalogues = catalogues
        self._auth = auth
        self._turns = Turns(at_once=settings.sql_at_once, each=settings.sql_each, wait_s=_WAIT_S)

    def app(self) -> Starlette:
        """Return the whole HTTP application."""
        return Starlette(
            routes=[
                Route("/ping", _ping, methods=["GET", "HEAD"]),
                Route("/", endpoint=_Endpoint(self)),
            ]
        )

    async def serve(self, request: HttpRequest, receive: Receive, send: Send) -> None:
        """Answer one request; never raises but to hang up."""
        answer = Answer(send)
        try:
            await self._serve(request, receive, answer)
            SQL_DOOR_REQUESTS.labels("answered").inc()
        except (ServerError, StoreError, Fault) as error:
            fault = error if isinstance(error, Fault) else fault_of(error)
            SQL_DOOR_REQUESTS.labels("broken_off" if answer.begun else "refused").inc()
            get_logger().info("sql not answered", code=fault.code, problem=str(fault))
            # Behind the first row nothing can be said any more: the answer has no end, and shows it.
            if not answer.begun:
                await answer.fail(fault)
        except TimeoutError:
            SQL_DOOR_REQUESTS.labels("broken_off").inc()
            if not answer.begun:
                await answer.fail(_too_slow(self._settings.sql_answer_s))
        except ClientDisconnect:
            SQL_DOOR_REQUESTS.labels("broken_off").inc()

    async def _serve(self, request: HttpRequest, receive: Receive, answer: Answer) -> None:
        parameters, headers = request.query_params, dict(request.headers)
        principal = self._admit(secret_of(dict(parameters), headers))
        body = await read_body(request, self._settings.sql_text_bytes)
        read = read_request(parameters.multi_items(), headers, body)
        if not read.text.strip():
            await answer.say("Ok.\n")
            return
        asked = await asyncio.to_thread(self._understand, read, principal)
        if isinstance(asked, bytes):
            await answer.begin({"content-type": "application/octet-stream"}, encoding=read.encoding)
            await answer.piece(asked)
            await answer.end()
            return
        async with self._turns.turn(principal.name):
            await self._pass_on(asked, principal, receive, answer)

    def _admit(self, secret: str) -> Principal:
        return self._auth.principal((("authorization", f"Bearer {secret}"),))

    def _understand(self, read: Request, principal: Principal) -> _Asked | bytes:
        """Return what to ask, or the answer where it needs no asking."""
        known = self._catalogues.get()
        if read.database not in ("", "default", known.database):
            raise Fault(
                UNKNOWN_DATABASE, f"there is no database {read.database[:80]!r}", status=404
            )
        statement = read_statement(read.text)
        if (greeted := greeting(statement, known, read.revision)) is not None:
            return greeted
        wishes = wishes_of((*read.settings, *statement.settings), self._limits)
        form = format_named(statement.form or read.form or DEFAULT)
        question = Question(
            answered(statement, known, principal.name),
            Rights(principal.projects_allowed),
            read.parameters,
            principal.name,
            wishes.limits,
            mark=f"weir-{uuid.uuid4().hex}",
        )
        settings = {**wishes.writing, **({"wait_end_of_query": "1"} if read.wait_end else {})}
        return _Asked(question, form, settings, read.encoding)

    async def _pass_on(
        self, asked: _Asked, principal: Principal, receive: Receive, answer: Answer
    ) -> None:
        """Pass an answer on; hang up on ClickHouse when the tool is gone, slow, or no longer welcome."""
        passage = _Passage(self._raw, asked)
        gone = asyncio.create_task(_gone(receive))
        sending = asyncio.create_task(self._send(passage, asked, principal, answer))
        try:
            async with asyncio.timeout(self._settings.sql_answer_s):
                await asyncio.wait((gone, sending), return_when=asyncio.FIRST_COMPLETED)
            if not (sending.done() or answer.ended):
                raise ClientDisconnect
            await sending
        finally:
            gone.cancel()
            sending.cancel()
            await asyncio.gather(gone, sending, return_exceptions=True)
            # The turn is held until ClickHouse is rid of the statement.
            await asyncio.shield(passage.end())

    async def _send(
        self, passage: _Passage, asked: _Asked, principal: Principal, answer: Answer
    ) -> None:
        async with aclosing(chunks.draw(passage.pieces)) as pieces:
            async for piece in pieces:
                self._auth.confirm(principal)
                if not answer.begun:
                    await answer.begin(passage.headers, encoding=asked.encoding)
                await answer.piece(piece)
        if not answer.begun:
            await answer.begin(passage.headers, encoding=asked.encoding)
        await answer.end()


class _Passage:
    """One answer of ClickHouse, read in a thread of its own. Asking happens with the first piece.

    Attributes:
        pieces: The body, for `chunks.draw`.
        headers: Known with the first piece.
    """

    def __init__(self, raw: RawSql, asked: _Asked) -> None:
        self._raw = raw
        self._asked = asked
        self._stream: ByteStream | None = None
        self.pieces = Watched(self._read())
        self.headers: dict[str, str] = {}

    async def end(self) -> None:
        """Return when the thread is done; hangs up, and stops what has not answered yet."""
        if self._stream is not None:
            self._stream.close()
        await stop_until(self.pieces.ended, self._raw.stop, self._asked.question.mark)

    def _read(self) -> Iterator[bytes]:
        asked = self._asked
        stream = self._stream = self._raw.open(asked.question, asked.form, asked.settings)
        self.headers = dict(stream.headers)
        try:
            with ClickHouse.translated():
                yield from stream.pieces
        finally:
            stream.close()


class _Endpoint:
    """The door as ASGI: a class, so that starlette hands it every method."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._door.serve(HttpRequest(scope, receive), receive, send)


def _too_slow(answer_s: float) -> Fault:
    words = f"no answer within {answer_s:g} s; the limit is gateway.sql_answer_s"
    return Fault(TIMEOUT_EXCEEDED, words, status=504)


async def _gone(receive: Receive) -> None:
    """Return when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _ping(_: HttpRequest) -> Response:
    return PlainTextResponse("Ok.\n")
