"""`/`: one request, one statement, one answer."""

from __future__ import annotations

import asyncio
import tempfile
import threading
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from weir_server import fault, telemetry
from weir_server.engine import errors, reply
from weir_server.engine.answer import Answer
from weir_server.engine.body import Body, read_statement
from weir_server.engine.chdb import Engine
from weir_server.engine.errors import QueryFailed
from weir_server.engine.insert import Rows
from weir_server.engine.outcome import Outcome
from weir_server.engine.request import (
    Query,
    has_credentials,
    is_allowed,
    read_form,
    read_query,
)
from weir_server.engine.result import MARKER, Result
from weir_server.engine.sessions import Sessions
from weir_server.engine.statement import Kind, Statement, refuse_outside

MAX_QUERIES = 64
_HELD_IN_MEMORY_BYTES = 16 << 20
_FORM_BYTES = 16 << 20
_KILL_AGAIN_S = 0.1
_DRAIN_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in."""

    user: str
    password: str


class Queries:
    """The ASGI app behind `/`: one request, one statement, one answer."""

    def __init__(self, engine: Engine, access: Access, *, max_whole_insert_bytes: int) -> None:
        """Serve queries.

        Args:
            engine: Where they run.
            access: Who may ask.
            max_whole_insert_bytes: Largest insert in a format that must be held whole.
        """
        self._engine = engine
        self._access = access
        self._max_whole_insert_bytes = max_whole_insert_bytes
        self._sessions = Sessions(engine)
        self._server = reply.Server(engine.version, engine.timezone, engine.host_name)
        self._workers = ThreadPoolExecutor(MAX_QUERIES, thread_name_prefix="query")
        self._control = ThreadPoolExecutor(1, thread_name_prefix="control")
        self._running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request, answer = Request(scope, receive), Answer(send)
        if request.method in ("GET", "HEAD") and "query" not in request.query_params:
            await PlainTextResponse("Ok.\n")(scope, receive, send)
            return
        body = Body(request.stream())
        query = Query(query_id=str(uuid.uuid4()))
        try:
            with self._one_more():
                query = await self._admit(request, body)
                await self._run(request, body, query, answer)
        except QueryFailed as error:
            telemetry.ENGINE_FAILURES.labels(error.name).inc()
            with suppress(ClientDisconnect):  # gone before it heard what was wrong
                await body.drain(_DRAIN_BYTES)
                await answer.whole(*reply.failure(self._server, query, error))
        except ClientDisconnect:
            telemetry.ENGINE_FAILURES.labels("CLIENT_GONE").inc()
        except asyncio.CancelledError:
            # The process is ending and has waited long enough; the connection closes with it.
            telemetry.ENGINE_FAILURES.labels(errors.QUERY_WAS_CANCELLED[1]).inc()

    def close(self) -> None:
        """End what still runs, then forget the sessions."""
        ending = threading.Thread(target=self._workers.shutdown, kwargs={"cancel_futures": True})
        ending.start()
        while ending.is_alive():
            self._engine.kill(MARKER)
            ending.join(_KILL_AGAIN_S)
        self._control.shutdown()
        self._sessions.close()

    @contextmanager
    def _one_more(self) -> Iterator[None]:
        if self._running >= MAX_QUERIES:
            raise QueryFailed(
                errors.TOO_MANY_SIMULTANEOUS_QUERIES,
                f"Too many simultaneous queries. Maximum: {MAX_QUERIES}",
            )
        self._running += 1
        telemetry.ENGINE_RUNNING.set(self._running)
        try:
            yield
        finally:
            self._running -= 1
            telemetry.ENGINE_RUNNING.set(self._running)

    async def _admit(self, request: Request, body: Body) -> Query:
        """Read who asks for what; refuse strangers."""
        parameters = request.query_params.multi_items()
        headers = {name.lower(): value for name, value in request.headers.items()}
        known = is_allowed(
            dict(parameters), headers, user=self._access.user, password=self._access.password
        )
        if not known:
            code = errors.AUTHENTICATION_FAILED
            if not has_credentials(dict(parameters), headers):
                code = errors.REQUIRED_PASSWORD
            raise QueryFailed(
                code,
                "Authentication failed: password is incorrect, or there is no user with such name",
            )
        content_type = headers.get("content-type", "")
        if content_type.startswith("multipart/form-data"):
            parameters += read_form(content_type, await body.piece(_FORM_BYTES))
        return read_query(request.method, parameters, headers)

    async def _run(self, request: Request, body: Body, query: Query, answer: Answer) -> None:
        """Find out what the statement is, check that it may run, run it."""
        encoding = request.headers.get("content-encoding", "").strip().lower()
        statement, rows = await read_statement(query.text, body, encoding, self._workers)
        refuse_outside(statement.sql, readonly=query.readonly > 0)
        with telemetry.ENGINE_SECONDS.labels(statement.kind.value).time():
            if statement.kind is Kind.RESULT:
                await self._result(request, query, statement, answer)
            elif statement.kind is Kind.INSERT:
                await self._insert(query, statement, rows, answer)
            else:
                await self._command(query, statement, answer)

    async def _insert(
        self, query: Query, statement: Statement, pieces: Iterator[bytes], answer: Answer
    ) -> None:
        if query.readonly:
            raise QueryFailed(errors.READONLY, "Cannot execute query in readonly mode")
        rows = Rows(pieces, statement.format, max_whole_bytes=self._max_whole_insert_bytes)

        def insert() -> Outcome:
            with self._sessions.handle(query, statement) as handle:
                return handle.insert(statement, rows, parameters=query.parameters)

        fault.hit("engine.before_insert")
        outcome = await self._work(insert)
        fault.hit("engine.after_insert")
        telemetry.ENGINE_INSERTED_ROWS.inc(outcome.written_rows)
        telemetry.ENGINE_INSERT_BYTES.inc(rows.size_bytes)
        headers = reply.command_headers(self._server, query, statement, b"")
        headers["X-ClickHouse-Summary"] = reply.summary(outcome)
        await answer.whole(200, headers, b"")

    async def _command(self, query: Query, statement: Statement, answer: Answer) -> None:
        def command() -> tuple[bytes, Outcome]:
            with self._sessions.handle(query, statement) as handle:
                return handle.command(
                    statement, default_format=query.default_format, parameters=query.parameters
                )

        body, outcome = await self._work(command)
        headers = reply.command_headers(self._server, query, statement, body)
        headers["X-ClickHouse-Summary"] = reply.summary(outcome, result_bytes=len(body))
        await answer.whole(200, headers, body)

    async def _result(
        self, request: Request, query: Query, statement: Statement, answer: Answer
    ) -> None:
        """Run a query and send its result; stop it as soon as the client is gone."""

        def write_result(sink: int, marker: str) -> Outcome:
            with self._sessions.handle(query, statement) as handle:
                return handle.write_result(
                    statement,
                    sink,
                    marker=marker,
                    default_format=query.default_format,
                    parameters=query.parameters,
                )

        result = Result(
            write_result, self._engine.kill, workers=self._workers, control=self._control
        )
        try:
            sending = self._send_result(result, query, statement, answer)
            await _unless_gone(request, sending)
        finally:
            await result.stop()

    async def _send_result(
        self, result: Result, query: Query, statement: Statement, answer: Answer
    ) -> None:
        headers = reply.result_headers(self._server, query, statement)
        with tempfile.SpooledTemporaryFile(_HELD_IN_MEMORY_BYTES) as held:
            if await _hold(result, held, None if query.wait_end else query.buffer_bytes):
                outcome = await result.outcome()
                headers["X-ClickHouse-Summary"] = reply.summary(outcome, result_bytes=held.tell())
                await answer.file(headers, held, encoding=query.compress)
                return
            first = _all_of(held)
        tag = reply.exception_tag()
        headers["X-ClickHouse-Exception-Tag"] = tag
        await answer.begin(200, headers, encoding=query.compress)
        await answer.piece(first)
        while data := await result.read():
            await answer.piece(data)
        try:
            await result.outcome()
        except QueryFailed as error:
            telemetry.ENGINE_FAILURES.labels(error.name).inc()
            await answer.break_off(reply.tagged_failure(self._server, error, tag))
        else:
            await answer.end()

    async def _work(self, call: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._workers, call)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, None]) -> None:
    """Do `work`, and give it up when the client closes the connection."""
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
            raise ClientDisconnect
        working.result()
    finally:
        gone.cancel()
        working.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _hold(result: Result, held: IO[bytes], limit_bytes: int | None) -> bool:
    """Read the result into `held`; return whether all of it is there, else the limit is passed."""
    try:
        await result.settle()
        while data := await result.read():
            held.write(data)
            if limit_bytes is not None and held.tell() > limit_bytes:
                return False
    except OSError as error:
        raise QueryFailed(
            errors.CANNOT_WRITE_TO_FILE,
            f"Cannot hold the result until the query has ended: {error.strerror};"
            " ask without wait_end_of_query",
        ) from error
    return True


def _all_of(held: IO[bytes]) -> bytes:
    held.seek(0)
    return held.read()
