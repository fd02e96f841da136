"""The body of a request, from the event loop to the thread that needs its bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from itertools import chain

from weir_server.engine import errors
from weir_server.engine.compression import unpack
from weir_server.engine.errors import QueryFailed
from weir_server.engine.statement import Kind, Statement, parse

_HEAD_BYTES = 64 << 10
_PIECE_BYTES = 1 << 20
# A statement longer than this is no statement; ClickHouse's own max_query_size is 256 KiB.
_MAX_STATEMENT_BYTES = 4 << 20


class Body:
    """Raw pieces of a request's body; iterate in a worker thread, never in the event loop."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._loop = asyncio.get_running_loop()
        self.ended = False

    async def piece(self, size: int) -> bytes:
        """Return the next `size` bytes or a few more; fewer at the end, b"" behind it."""
        chunks: list[bytes] = []
        while not self.ended and sum(map(len, chunks)) < size:
            chunk = await anext(self._stream, None)
            if chunk is None:
                self.ended = True
            else:
                chunks.append(chunk)
        return b"".join(chunks)

    async def drain(self, limit_bytes: int) -> None:
        """Read and forget what is left, so that the client gets to reading the answer."""
        while not self.ended and limit_bytes > 0:
            limit_bytes -= len(await self.piece(_PIECE_BYTES))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        waiting = asyncio.run_coroutine_threadsafe(self.piece(_PIECE_BYTES), self._loop)
        piece = waiting.result()
        if not piece:
            raise StopIteration
        return piece


async def read_statement(
    prefix: bytes, body: Body, encoding: str, workers: Executor
) -> tuple[Statement, Iterator[bytes]]:
    """Read as much of a request as it takes to know its statement.

    Args:
        prefix: The `query` parameter; the body follows on a new line.
        body: The body as it came.
        encoding: Its Content-Encoding.
        workers: Where a packed body is unpacked.

    Returns:
        The statement, and the rows that follow it when it is an INSERT. The rows are pieces of
        about 1 MiB, to be iterated in a worker thread.
    """
    text = prefix + b"\n" if prefix else b""
    if encoding in ("", "identity"):
        rest: Iterator[bytes] = body
        text += await body.piece(_HEAD_BYTES)
        complete = body.ended
    else:
        rest = unpack(encoding, body)
        first, complete = await _in(workers, _take, rest, _HEAD_BYTES)
        text += first
    statement = parse(text, complete=complete)
    if statement is None:
        more, complete = await _in(workers, _take, rest, _MAX_STATEMENT_BYTES)
        if not complete:
            raise QueryFailed(
                errors.SYNTAX_ERROR, f"Max query size exceeded: {_MAX_STATEMENT_BYTES} bytes"
            )
        text += more
        statement = parse(text)
    assert statement is not None, "a complete text is always told"
    rows = chain([text[statement.rows_at :]], rest) if statement.kind is Kind.INSERT else iter(())
    return statement, rows


async def _in(workers: Executor, call: object, *args: object) -> tuple[bytes, bool]:
    return await asyncio.get_running_loop().run_in_executor(workers, call, *args)  # type: ignore[arg-type]


def _take(chunks: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    """Take `size` bytes or a few more; tell whether that was all there is."""
    taken = bytearray()
    for chunk in chunks:
        taken += chunk
        if len(taken) >= size:
            return bytes(taken), False
    return bytes(taken), True
