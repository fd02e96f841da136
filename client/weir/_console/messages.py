"""Small messages through a pipe that never blocks its writer: logging records, wrapped writes.

    u8 kind (STDOUT, STDERR, LOGGING, or LOST) | u8 level | u8 flags | u16 bytes | payload

Each is at most PIPE_BUF bytes, so the kernel takes it whole or not at all, from any number of
threads and forked processes, without a lock.
"""

import os
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from weir._console.pipes import open_pipe

LOST: Final = 9  # payload: u64, messages that found no room
SEPARATOR: Final = "\x1f"
"""Between the logger, the message and the error of a record of `logging`."""

PRINTED: Final = 1  # flag: a handler prints this record to the console too
_HEADER: Final = struct.Struct("<BBBH")
_COUNT: Final = struct.Struct("<Q")
_PIPE_BYTES: Final = 256 << 10
# With the word of what was lost before it, a message is one write of PIPE_BUF bytes on Linux.
_MAX_PAYLOAD_BYTES: Final = 4096 - 2 * _HEADER.size - _COUNT.size
_CUT: Final = " … [cut]".encode()


class Message(NamedTuple):
    """One message as it was sent."""

    kind: int
    level: int
    flags: int
    payload: bytes


class Sender:
    """The training process's end. Safe from any thread, in signal handlers and in forked children.

    Attributes:
        lost: Messages that found no room and are not told yet.
    """

    def __init__(self, descriptor: int) -> None:
        """Take the write end of a pipe, which must not block."""
        self.descriptor = descriptor
        self.lost = 0

    def send_text(self, stream: int, text: str) -> None:
        """Send what was written to a stream, in pieces; a piece that finds no room is counted."""
        content = text.encode(errors="replace")
        for start in range(0, len(content), _MAX_PAYLOAD_BYTES):
            self._send(stream, 0, 0, content[start : start + _MAX_PAYLOAD_BYTES])

    def send_record(self, kind: int, level: int, flags: int, text: str) -> None:
        """Send one record, cut to what fits."""
        content = text.encode(errors="replace")
        if len(content) > _MAX_PAYLOAD_BYTES:
            content = content[: _MAX_PAYLOAD_BYTES - len(_CUT)] + _CUT
        self._send(kind, level, flags, content)

    def _send(self, kind: int, level: int, flags: int, payload: bytes) -> None:
        told = self.lost
        before = _HEADER.pack(LOST, 0, 0, _COUNT.size) + _COUNT.pack(told) if told else b""
        try:
            os.write(
                self.descriptor, before + _HEADER.pack(kind, level, flags, len(payload)) + payload
            )
            self.lost -= told
        except OSError:  # no room, or the recording is over
            self.lost += 1


class Channel:
    """The pipe that messages go through, as the training process holds it.

    Attributes:
        source: Read end; kept open here, so that no writer meets a broken pipe.
        sender: Writes to it.
    """

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self.sender = Sender(sink)

    @classmethod
    def open(cls) -> "Channel":
        """Open one.

        Raises:
            OSError: No more descriptors.
        """
        source, sink = open_pipe(_PIPE_BYTES)
        os.set_blocking(sink, False)
        return cls(source, sink)


class Unpacker:
    """The scribe's end: bytes in, whole messages out."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """Iterate over the messages that are whole now."""
        content = self._rest + chunk
        offset = 0
        while len(content) - offset >= _HEADER.size:
            kind, level, flags, size = _HEADER.unpack_from(content, offset)
            end = offset + _HEADER.size + size
            if end > len(content):
                break
            yield Message(kind, level, flags, content[offset + _HEADER.size : end])
            offset = end
        self._rest = content[offset:]


def lost_count(message: Message) -> int:
    """Return how many messages a LOST message tells of."""
    return int(_COUNT.unpack(message.payload)[0])


def read_words(payload: bytes) -> tuple[str, str]:
    """Return the line that a record of `logging` makes, and the first line of its message."""
    name, _, rest = payload.decode(errors="replace").partition(SEPARATOR)
    message, _, error = rest.rpartition(SEPARATOR)
    message = message or error  # it was cut
    error = "" if message is error else error
    return f"{name}: {message}{error}", message.partition("\n")[0]
