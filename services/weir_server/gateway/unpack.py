"""A frame's bytes on the way in: how large, how packed, and whole. Pure."""

from __future__ import annotations

import struct
import threading
import zlib
from typing import Final

import zstandard

from weir_proto.v1 import ingest_pb2
from weir_server.errors import InvalidFrame
from weir_server.gateway.limits import Code, Limits

_CRC_HEAD: Final = struct.Struct("<QH")  # seq, flags: docs/formats/spool.md
_NOT_DECLARED: Final = -1


class _Zstd(threading.local):
    """Contexts of each thread: two threads in one would crash it, and a new one per frame costs eight frames."""

    def __init__(self) -> None:
        self.unpack = zstandard.ZstdDecompressor().decompress
        self.pack = zstandard.ZstdCompressor(level=1).compress


_ZSTD: Final = _Zstd()


def unpack(frame: ingest_pb2.Frame, limits: Limits) -> bytes:
    """Return the uncompressed body of a frame that arrived whole.

    Never makes more than `limits.max_frame_raw_bytes`, whatever the frame says of itself.

    Raises:
        InvalidFrame: FRAME_TOO_LARGE, FRAME_CODEC_UNKNOWN, FRAME_CANNOT_BE_UNPACKED or
            FRAME_CRC_MISMATCH.
    """
    _check_size(len(frame.body), limits.max_frame_bytes, "bytes")
    _check_size(frame.raw_bytes, limits.max_frame_raw_bytes, "bytes unpacked")
    if frame.codec == ingest_pb2.CODEC_RAW:
        raw = frame.body
    elif frame.codec == ingest_pb2.CODEC_ZSTD:
        raw = _unzstd(frame.body, frame.raw_bytes)
    else:
        raise InvalidFrame(
            Code.FRAME_CODEC_UNKNOWN,
            "codec",
            f"codec {frame.codec} is not known, upgrade the server",
        )
    if len(raw) != frame.raw_bytes:
        raise _not_unpackable(f"{len(raw)} bytes came out, {frame.raw_bytes} were announced")
    if crc32_of(frame.seq, frame.flags, raw) != frame.crc32:
        raise InvalidFrame(
            Code.FRAME_CRC_MISMATCH,
            "crc32",
            "the frame was damaged on its way, or on the client's disk",
        )
    return raw


def repack(frame: ingest_pb2.Frame, raw: bytes) -> ingest_pb2.Frame:
    """Return the frame with another body."""
    return ingest_pb2.Frame(
        producer=frame.producer,
        seq=frame.seq,
        codec=ingest_pb2.CODEC_ZSTD,
        crc32=crc32_of(frame.seq, frame.flags, raw),
        raw_bytes=len(raw),
        body=_ZSTD.pack(raw),
        flags=frame.flags & 0xFFFF,
    )


def crc32_of(seq: int, flags: int, raw: bytes) -> int:
    """Return the number that lies with the frame on disk."""
    return zlib.crc32(raw, zlib.crc32(_CRC_HEAD.pack(seq, flags & 0xFFFF)))


def _unzstd(body: bytes, raw_bytes: int) -> bytes:
    # The announced size was checked; a zstd frame that declares another one is refused before
    # anything is unpacked, and one that declares none may fill no more than was announced.
    try:
        declared: int = zstandard.frame_content_size(body)
        if declared not in (raw_bytes, _NOT_DECLARED):
            raise _not_unpackable(f"zstd declares {declared} bytes, {raw_bytes} were announced")
        if raw_bytes == 0:
            return b""
        return _ZSTD.unpack(body, max_output_size=raw_bytes, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise _not_unpackable(str(error)) from error


def _check_size(size: int, limit: int, what: str) -> None:
    if size > limit:
        raise InvalidFrame(
            Code.FRAME_TOO_LARGE,
            "body",
            f"a frame of {size} {what} is over {limit}, log less at once",
        )


def _not_unpackable(why: str) -> InvalidFrame:
    return InvalidFrame(Code.FRAME_CANNOT_BE_UNPACKED, "body", why)
