"""Content-Encoding both ways: bodies that arrive packed, answers that leave packed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import lz4.frame
import zstandard

from weir_server.engine import errors
from weir_server.engine.errors import QueryFailed

_CHUNK_BYTES = 1 << 20
_GZIP_WBITS = 31
_ZSTD_SLICE_BYTES = 1 << 10
_FAULTS = (zlib.error, zstandard.ZstdError, RuntimeError, EOFError)


class Packer(Protocol):
    """Something that packs a stream piece by piece."""

    def compress(self, data: bytes) -> bytes:
        """Return what is ready to be sent after `data`."""
        ...

    def flush(self) -> bytes:
        """Return the end of the packed stream; call once."""
        ...


def unpack(encoding: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the unpacked bytes of `chunks`, about 1 MiB at a time (zstd: 33 MiB at the worst).

    A packed megabyte may unpack to a gigabyte; the pieces stay small whatever it says.

    Raises:
        QueryFailed: An encoding nobody knows, bytes that are not in it, or an end too early.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        yield from chunks
        return
    if name not in _UNPACKERS:
        raise QueryFailed(
            errors.UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method {encoding}"
        )
    try:
        yield from _UNPACKERS[name](chunks)
    except _FAULTS as fault:
        raise QueryFailed(errors.INCORRECT_DATA, f"Body is not {name}: {fault}") from fault


def packer(encoding: str) -> Packer:
    """Return a packer for one of `lz4`, `zstd`, `gzip`, `deflate`."""
    return _PACKERS[encoding]()


def _inflate(chunks: Iterator[bytes], wbits: int) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(wbits)
    for chunk in chunks:
        rest = chunk
        while rest:
            yield unpacker.decompress(rest, _CHUNK_BYTES)
            rest = unpacker.unconsumed_tail
            if unpacker.eof and unpacker.unused_data:  # another gzip member follows
                rest, unpacker = unpacker.unused_data, zlib.decompressobj(wbits)
    if not unpacker.eof:
        raise EOFError("the end is missing")


def _unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack zstd; its object knows no `max_length`, so the input comes in small slices.

    A slice of 1 KiB unpacks to 32 MiB at the very worst (all blocks one repeated byte).
    """
    unpacker = zstandard.ZstdDecompressor().decompressobj()
    ready = bytearray()
    for chunk in chunks:
        for at in range(0, len(chunk), _ZSTD_SLICE_BYTES):
            rest = chunk[at : at + _ZSTD_SLICE_BYTES]
            while rest:
                if unpacker.eof:  # another frame follows
                    unpacker = zstandard.ZstdDecompressor().decompressobj()
                ready += unpacker.decompress(rest)
                rest = unpacker.unused_data
            if len(ready) >= _CHUNK_BYTES:
                yield bytes(ready)
                ready.clear()
    yield bytes(ready)
    if not unpacker.eof:
        raise EOFError("the end is missing")


def _unlz4(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = lz4.frame.LZ4FrameDecompressor()
    for chunk in chunks:
        rest = chunk
        while rest or not (unpacker.needs_input or unpacker.eof):
            yield unpacker.decompress(rest, max_length=_CHUNK_BYTES)
            rest = b""
            if unpacker.eof and unpacker.unused_data:
                rest, unpacker = unpacker.unused_data, lz4.frame.LZ4FrameDecompressor()
    if not unpacker.eof:
        raise EOFError("the end is missing")


class _Lz4Packer:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        head = b"" if self._begun else self._frame.begin()
        self._begun = True
        return bytes(head + self._frame.compress(data))

    def flush(self) -> bytes:
        head = b"" if self._begun else self._frame.begin()
        return bytes(head + self._frame.flush())


_UNPACKERS: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "gzip": lambda chunks: _inflate(chunks, _GZIP_WBITS),
    "deflate": lambda chunks: _inflate(chunks, zlib.MAX_WBITS),
    "zstd": _unzstd,
    "lz4": _unlz4,
}
_PACKERS: dict[str, Callable[[], Packer]] = {
    "lz4": _Lz4Packer,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(3, zlib.DEFLATED, _GZIP_WBITS),
    "deflate": lambda: zlib.compressobj(3),
}
