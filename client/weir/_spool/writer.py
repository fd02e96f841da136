"""Frames onto disk: one `write(2)` each, segments rolled, half a frame never left behind."""

import errno
import os
from typing import Final

from weir._spool.frame import (
    MAGIC,
    MAX_BODY_BYTES,
    SEGMENT_HEADER,
    find_frame,
    pack_frame,
    parse_frame,
)
from weir._spool.layout import SpoolDir
from weir.errors import SpoolError, SpoolFull

SEGMENT_BYTES: Final = 16 << 20
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SegmentWriter:
    """Append frames to one producer's spool. One per producer, used by one thread.

    Opens no file before the first frame, and always begins a new segment. When a write fails,
    what it left is cut off (or the segment is abandoned), so the frame may be tried again.

    Attributes:
        segment_bytes: A segment larger than this is closed. May be changed at any time.
    """

    def __init__(self, spool: SpoolDir, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._spool = spool
        self.segment_bytes = segment_bytes
        self._path = spool.path
        self._descriptor = -1
        self._size_bytes = 0

    def append(self, seq: int, flags: int, body: bytes) -> int:
        """Write one frame; returns the bytes it takes on disk, a new segment's header included.

        The caller numbers the frames densely. The bytes are in the page cache when this returns:
        they survive the death of the process; the agent syncs them against power loss.

        Raises:
            SpoolFull: The disk has no room. Nothing was written; the same frame may be tried again.
            SpoolError: The disk failed otherwise. Likewise.
        """
        if len(body) > MAX_BODY_BYTES:
            raise SpoolError(f"frame body of {len(body)} bytes is over {MAX_BODY_BYTES}")
        record = pack_frame(seq, flags, body)
        try:
            if self._descriptor < 0:
                record = SEGMENT_HEADER.pack(MAGIC, seq) + record
                self._open_next_segment()
            self._write_whole(record)
        except OSError as error:
            self._undo_write()
            kind = SpoolFull if error.errno in _NO_ROOM else SpoolError
            raise kind(f"cannot write to {self._spool.path}: {error.strerror}") from error
        self._size_bytes += len(record)
        if self._size_bytes > self.segment_bytes:
            self.close()
        return len(record)

    def close(self) -> None:
        """Close the open segment. The next `append` begins another."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            self._size_bytes = 0
            os.close(descriptor)

    def _open_next_segment(self) -> None:
        segments = self._spool.list_segments()
        number = int(segments[-1].stem) + 1 if segments else 1
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._path = self._spool.segment_path(number)
        self._descriptor = os.open(self._path, flags, 0o600)
        self._size_bytes = 0

    def _write_whole(self, record: bytes) -> None:
        written = os.write(self._descriptor, record)
        if written < len(record):
            raise OSError(errno.ENOSPC, "the disk took only part of a frame")

    def _undo_write(self) -> None:
        """Cut off a frame written in part; where that fails too, leave it as the segment's end."""
        if self._descriptor < 0:
            return
        try:
            os.ftruncate(self._descriptor, self._size_bytes)
        except OSError:
            self.close()
            return
        if self._size_bytes == 0:
            self.close()
            self._path.unlink(missing_ok=True)


def cut_torn_tail(spool: SpoolDir) -> int:
    """Cut off what a dead trainer left half written; returns the bytes removed.

    Only for a producer whose process is gone. Looks at the last segment alone and keeps every
    frame that can be read, also behind damage (the reader reports that as a `Gap`).
    """
    segments = spool.list_segments()
    if not segments:
        return 0
    content = segments[-1].read_bytes()
    end = _end_of_last_good_frame(content)
    if end == SEGMENT_HEADER.size and not _has_whole_header(content):
        segments[-1].unlink()
        return len(content)
    if end < len(content):
        os.truncate(segments[-1], end)
    return len(content) - end


def _has_whole_header(content: bytes) -> bool:
    return len(content) >= SEGMENT_HEADER.size and content.startswith(MAGIC)


def _end_of_last_good_frame(content: bytes) -> int:
    """Where the last frame ends that can be read; the end of the header when there is none."""
    end = offset = SEGMENT_HEADER.size
    while True:
        frame = parse_frame(content, offset)
        if frame is not None:
            end = offset = offset + frame.disk_bytes
            continue
        found = find_frame(content, offset + 1)
        if found is None:
            return end
        offset = found
