"""Lines on disk, on their way from the scribe to the agent: docs/formats/console.md."""

import os
import re
import struct
import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple

STDOUT: Final = 1
STDERR: Final = 2
LOGGING: Final = 3

MAGIC: Final = b"WEIRLIN1"
LOCK_NAME: Final = "scribe"
ROLL_BYTES: Final = 4 << 20
_HEADER: Final = struct.Struct("<II")  # body bytes, crc32 of the body
_FIXED: Final = struct.Struct("<QqBB")  # number, time in Unix µs, stream, level; then the text
_FILE_NAME: Final = re.compile(r"\d{8,}\.lines")


class Line(NamedTuple):
    """One line that a process printed, or gave to `logging`.

    Attributes:
        number: Of the process's lines over all streams, rising from 1; 0 = not numbered yet.
        time_unix_us: When it began, Unix µs.
        stream: STDOUT, STDERR or LOGGING.
        level: As in Python's logging; 0 = not said.
        text: Without its newline.
    """

    number: int
    time_unix_us: int
    stream: int
    level: int
    text: str


def pack_lines(lines: Iterable[Line]) -> bytes:
    """Return lines as they lie on disk."""
    return b"".join(map(_pack_line, lines))


def _pack_line(line: Line) -> bytes:
    text = line.text.encode(errors="replace")
    body = _FIXED.pack(line.number, line.time_unix_us, line.stream, line.level) + text
    return _HEADER.pack(len(body), zlib.crc32(body)) + body


def read_lines(path: str, offset: int, *, max_lines: int, max_bytes: int) -> tuple[list[Line], int]:
    """Read whole lines of a file from `offset` on; returns them and where the next one begins.

    Stops before one that is cut short or damaged, and after so many lines or bytes. Offset 0 is
    before the first line.

    Raises:
        ValueError: It is no file of a record.
        OSError: It cannot be read.
    """
    with open(path, "rb") as file:
        magic = file.read(len(MAGIC))
        if magic != MAGIC:
            if MAGIC.startswith(magic):  # just begun
                return [], 0
            raise ValueError(f"{path} begins with {magic!r}")
        offset = max(offset, len(MAGIC))
        file.seek(offset)
        content = file.read(max_bytes)
    lines, taken_bytes = _parse(content, max_lines)
    return lines, offset + taken_bytes


def _parse(content: bytes, max_lines: int) -> tuple[list[Line], int]:
    lines: list[Line] = []
    offset = 0
    while len(lines) < max_lines and len(content) - offset >= _HEADER.size:
        size, crc32 = _HEADER.unpack_from(content, offset)
        end = offset + _HEADER.size + size
        body = content[offset + _HEADER.size : end]
        if size < _FIXED.size or len(body) < size or zlib.crc32(body) != crc32:
            break
        number, time_unix_us, stream, level = _FIXED.unpack_from(body)
        text = body[_FIXED.size :].decode(errors="replace")
        lines.append(Line(number, time_unix_us, stream, level, text))
        offset = end
    return lines, offset


def file_name(number: int) -> str:
    """Return the name of a record's file."""
    return f"{number:08d}.lines"


def list_files(folder: str) -> list[int]:
    """Return the numbers of a record's files, rising; none when there is no folder."""
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return []
    return sorted(int(name.partition(".")[0]) for name in names if _FILE_NAME.fullmatch(name))
