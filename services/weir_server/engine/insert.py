"""Rows on their way into the engine: counted, bounded, handed on as they arrive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from weir_server.engine import errors
from weir_server.engine.errors import QueryFailed

# Formats that can be read only when they are complete: the engine holds all of the body.
WHOLE_FORMATS = frozenset({"arrow", "parquet", "orc", "npy"})


class Rows:
    """The rows of one insert, as pieces of bytes; `size_bytes` counts what went through."""

    def __init__(self, pieces: Iterable[bytes], format_name: str, *, max_whole_bytes: int) -> None:
        """Wrap the rows of an insert.

        Args:
            pieces: Bytes in the insert's format.
            format_name: That format.
            max_whole_bytes: Limit for formats that are held in memory until they are complete.
        """
        self.size_bytes = 0
        self._pieces = pieces
        self._format = format_name
        self._limit = max_whole_bytes if format_name.lower() in WHOLE_FORMATS else None

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.size_bytes += len(piece)
            if self._limit is not None and self.size_bytes > self._limit:
                raise QueryFailed(
                    errors.LIMIT_EXCEEDED,
                    f"Insert in format {self._format} is larger than {self._limit} bytes;"
                    " send several, or a format that streams (ArrowStream, Native)",
                )
            if piece:
                yield piece
