"""An Arrow stream over HTTP, read to its very end: an answer that breaks off never looks whole.

ClickHouse sends `200 OK` before it knows how a query ends. What fails later stands as text between
two `__exception__` behind the batches, and the connection closes without its last chunk. An Arrow
reader alone takes that for the end of the stream.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Final

import pyarrow as pa

_END_OF_STREAM: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_TAIL_BYTES: Final = 64 << 10
_BUFFER_BYTES: Final = 1 << 17
_MARK: Final = b"__exception__"
_CODE: Final = re.compile(r"Code: (\d+)\.\s*(.*)", re.S)


class BrokenOff(Exception):
    """The answer ended before its end.

    Attributes:
        code: ClickHouse's number; None when the connection just ended.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class ArrowStream:
    """Batches of one answer. Not for two threads at once, but `close` may come from any.

    Attributes:
        schema: Of every batch.
    """

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], None]) -> None:
        """Read the schema.

        Args:
            pieces: The body; whatever ends it early is raised out of the iterator.
            close: Hangs up, which stops the query.

        Raises:
            BrokenOff: The answer ended before its schema.
        """
        self._source = _Source(pieces)
        self._close = close
        try:
            self._reader = pa.ipc.open_stream(io.BufferedReader(self._source, _BUFFER_BYTES))
        except (pa.ArrowInvalid, OSError) as error:
            self.close()
            raise self._broken(error) from error
        self.schema: pa.Schema = self._reader.schema

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        """Return the next batch.

        Raises:
            BrokenOff: The answer ended before its end.
        """
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            if not self._source.is_whole():
                raise self._broken(None) from None
            raise
        except (pa.ArrowInvalid, OSError) as error:
            raise self._broken(error) from error

    def close(self) -> None:
        """Hang up."""
        self._close()

    def _broken(self, error: Exception | None) -> BrokenOff:
        said = self._source.last_words()
        found = _CODE.search(said)
        if found:
            return BrokenOff(
                f"Code: {found.group(1)}. {found.group(2).strip()}", int(found.group(1))
            )
        return BrokenOff(f"the answer of ClickHouse broke off: {error or said or 'no end'}")


class _Source(io.RawIOBase):
    """A file over pieces of a body; it remembers the last of them."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._left = memoryview(b"")
        self._tail = b""
        self._failure: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if not len(self._left):
            self._left = memoryview(self._piece())
        count = min(len(target), len(self._left))
        target[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    def is_whole(self) -> bool:
        """Whether the body ended as it should: call it once the reader has no more batches."""
        self._drain()
        return self._failure is None and self._tail.endswith(_END_OF_STREAM)

    def last_words(self) -> str:
        """Return what ClickHouse said at the end, or why the connection ended."""
        self._drain()
        parts = self._tail.split(_MARK)
        if len(parts) > 2:
            return parts[-2].decode("utf-8", "replace")
        return str(self._failure or "")

    def _drain(self) -> None:
        while self._piece():
            pass

    def _piece(self) -> bytes:
        """Return the next piece, b"" at the end, whatever kind of end it is."""
        if self._failure is not None:
            return b""
        try:
            piece = next(self._pieces, b"")
        except Exception as error:  # noqa: BLE001 - it is kept, and raised as BrokenOff
            self._failure = error
            return b""
        if piece:
            before = self._tail if len(piece) < _TAIL_BYTES else b""
            self._tail = (before + piece)[-_TAIL_BYTES:]
        return piece
