"""Arrow tables as chunks of at most 1 MiB, drawn from blocking readers without blocking the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, cast

import pyarrow as pa

from weir_proto.v1 import query_pb2

CHUNK_BYTES: Final = 1 << 20
# Names repeat in every row: a third of the bytes or less leaves the server.
_OPTIONS: Final = pa.ipc.IpcWriteOptions(compression="lz4")


def cut(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """Yield one Arrow IPC stream in pieces; blocks where `batches` does."""
    sink = _Sink()
    with pa.ipc.new_stream(sink, schema, options=_OPTIONS) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield from sink.take(CHUNK_BYTES)
    yield from sink.take(1)


async def send(pieces: Iterator[bytes]) -> AsyncIterator[query_pb2.ArrowChunk]:
    """Draw pieces as `draw` does, each as the message of query.proto."""
    drawn = draw(pieces)
    try:
        async for piece in drawn:
            yield query_pb2.ArrowChunk(data=piece)
    finally:
        await drawn.aclose()


async def draw(pieces: Iterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Draw pieces in a thread of their own, one at a time: a slow client slows the reader.

    When the caller goes away (it cancelled, or its deadline passed) the draw
    under way ends first, then the pieces are closed, and with them the query.
    """
    thread = ThreadPoolExecutor(1, thread_name_prefix="weir-query")
    loop = asyncio.get_running_loop()
    try:
        while (piece := await loop.run_in_executor(thread, next, pieces, None)) is not None:
            yield piece
    finally:
        if hasattr(pieces, "close"):
            thread.submit(pieces.close)
        thread.shutdown(wait=False)


def send_table(table: pa.Table) -> AsyncIterator[query_pb2.ArrowChunk]:
    """Send a table that was read as a whole."""
    return send(cut(table.schema, table.to_batches()))


class _Sink:
    """A file that Arrow writes to and chunks are taken from."""

    closed = False

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, content: object) -> int:
        view = memoryview(cast(bytes, content)).cast("B")
        self._held += view
        return len(view)

    def flush(self) -> None:
        """Nothing lies anywhere else."""

    def take(self, least_bytes: int) -> Iterator[bytes]:
        """Yield chunks while at least so much is held."""
        while len(self._held) >= least_bytes:
            yield bytes(self._held[:CHUNK_BYTES])
            del self._held[:CHUNK_BYTES]
