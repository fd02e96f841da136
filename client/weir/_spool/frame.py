"""One frame's bytes on disk: `u32 body_bytes | u32 crc32 | u64 seq | u16 flags | body`."""

import re
import struct
import zlib
from dataclasses import dataclass

MAGIC = b"WEIRSEG1"
SEGMENT_HEADER = struct.Struct("<8sQ")  # magic, first_seq
FRAME_HEADER = struct.Struct("<IIQH")  # body_bytes, crc32, seq, flags
_CHECKED_HEADER = struct.Struct("<QH")  # the part of the header that the crc covers

FLAG_FINAL = 1  # the producer will never write again
MAX_BODY_BYTES = 1 << 20

# A header whose body is at most 1 MiB, whose seq is in 1 … 2^40 and whose flags are known: where a
# search for the next good frame is worth computing a crc. Pages of zeros are not.
_LIKELY_HEADER = re.compile(rb"(?s)(?=..[\0-\x10]\0.{4}(?!\0{5}).{5}\0{3}[\0\1]\0)")


@dataclass(frozen=True, slots=True)
class Frame:
    """An immutable piece of one producer's log.

    Attributes:
        seq: Dense within the producer, from 1.
        flags: Bit 0 is `FLAG_FINAL`.
        body: A serialised `weir.v1.Body`, not compressed.
        crc32: The number on disk and on the wire; already checked when read from a spool.
    """

    seq: int
    flags: int
    body: bytes
    crc32: int

    @property
    def final(self) -> bool:
        """Whether the producer will never write again."""
        return bool(self.flags & FLAG_FINAL)

    @property
    def disk_bytes(self) -> int:
        """Size of the frame in its segment."""
        return FRAME_HEADER.size + len(self.body)


def frame_crc(seq: int, flags: int, body: bytes) -> int:
    """Return zlib.crc32 of `seq` (u64 LE), `flags` (u16 LE) and `body`."""
    return zlib.crc32(body, zlib.crc32(_CHECKED_HEADER.pack(seq, flags)))


def pack_frame(seq: int, flags: int, body: bytes) -> bytes:
    """Return the frame as it lies in a segment."""
    return FRAME_HEADER.pack(len(body), frame_crc(seq, flags, body), seq, flags) + body


def parse_frame(buffer: bytes, offset: int) -> Frame | None:
    """Return the frame that begins at `offset`, or None when it is cut short or damaged."""
    start = offset + FRAME_HEADER.size
    if start > len(buffer):
        return None
    body_bytes, crc32, seq, flags = FRAME_HEADER.unpack_from(buffer, offset)
    if body_bytes > MAX_BODY_BYTES or start + body_bytes > len(buffer):
        return None
    body = buffer[start : start + body_bytes]
    if frame_crc(seq, flags, body) != crc32:
        return None
    return Frame(seq, flags, body, crc32)


def find_frame(buffer: bytes, offset: int) -> int | None:
    """Return where the next good frame at or after `offset` begins, or None.

    Used only after damage: tries a crc at every place that looks like a header.
    """
    for match in _LIKELY_HEADER.finditer(buffer, offset):
        if parse_frame(buffer, match.start()) is not None:
            return match.start()
    return None
