"""Content-Encoding both ways: bodies that arrive packed, answers that leave packed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import lz4.frame
import zstandard

_CHUNK_BYTES = 1 << 20
_GZIP_WBITS = 31
_ZSTD_SLICE_BYTES = 1 << 10
_NEVER = re.compile(r"q=0(\.0*)?\s*$")
_FAULTS = (zlib.error, zstandard.ZstdError, RuntimeError, EOFError)


class UnknownEncoding(ValueError):
    """An encoding that nobody here reads."""


class WrongEncoding(ValueError):
    """Bytes that are not in the encoding they are said to be in, or that end too early."""


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
        UnknownEncoding: It is none of lz4, zstd, gzip, deflate and identity.
        WrongEncoding: The bytes are not in it, or end too early.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        yield from chunks
        return
    if name not in _UNPACKERS:
        raise UnknownEncoding(f"Unknown compression method {encoding}")
    try:
        yield from _UNPACKERS[name](chunks)
    except _FAULTS as fault:
        raise WrongEncoding(f"Body is not {name}: {fault}") from fault


def chosen_encoding(accept_encoding: str) -> str:
    """Return the cheapest of the encodings that a client takes; "" for none of ours."""
    offers = accept_encoding.lower().split(",")
    taken = {offer.split(";")[0].strip() for offer in offers if not _NEVER.search(offer)}
    return next((name for name in _PACKERS if name in taken), "")


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
