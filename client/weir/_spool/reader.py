"""Frames out of a spool, in order: also while they are being written, also behind damage."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir._spool.frame import (
    FRAME_HEADER,
    MAX_BODY_BYTES,
    SEGMENT_HEADER,
    Frame,
    find_frame,
    parse_frame,
)
from weir._spool.layout import SpoolDir, read_first_seq

# Read this much at a time: room for the largest frame, so one chunk always makes progress.
_CHUNK_BYTES: Final = FRAME_HEADER.size + MAX_BODY_BYTES


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames that were written and cannot be read. To be reported as a `Loss`.

    Attributes:
        first_seq: First frame missing.
        last_seq: Last frame missing, inclusive.
        path: The segment that holds the next good frame.
    """

    first_seq: int
    last_seq: int
    path: Path


class SpoolReader:
    """Read one producer's frames from a given seq on. Used by one thread.

    `read` returns what is there now and may be called again; a frame that is cut short at the
    very end is "not written yet" while the trainer lives, and a torn tail (passed over) when it is
    dead. Segments below the first one may be missing: they were committed.

    Attributes:
        next_seq: The frame that will be read next.
    """

    def __init__(self, spool: SpoolDir, *, next_seq: int = 1) -> None:
        self._spool = spool
        self._segment: Path | None = None
        self._descriptor = -1
        self._offset = 0
        self.next_seq = next_seq

    def seek(self, seq: int) -> None:
        """Read again from `seq` (a rewind), or skip ahead to it."""
        self.close()
        self.next_seq = seq

    def close(self) -> None:
        """Close the open segment. `read` opens it again where it was left."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1
        self._segment = None
        self._offset = 0

    def unread_bytes(self) -> int:
        """Return what lies behind the place that was read to, bytes on disk."""
        if self._segment is None:
            return self._spool.size_bytes()
        number = int(self._segment.stem)
        later = (path for path in self._spool.list_segments() if int(path.stem) > number)
        rest_bytes = os.fstat(self._descriptor).st_size - self._offset
        return max(0, rest_bytes) + sum(_size_bytes(path) for path in later)

    def read(self, *, writer_alive: bool) -> Iterator[Frame | Gap]:
        """Iterate over the frames from `next_seq` that are there now, and the gaps between them.

        Stopping early loses nothing: `next_seq` moves on as each is taken.

        Args:
            writer_alive: Whether the trainer may still be writing. When it may, a bad frame in
                the last segment ends the iteration instead of being a gap.
        """
        if self._segment is None and not self._open(self._starting_segment()):
            return
        while True:
            following = self._following_segment()
            yield from self._read_segment(resync=not (writer_alive and following is None))
            if following is None:
                return
            if not self._open(following):
                return

    def _read_segment(self, *, resync: bool) -> Iterator[Frame | Gap]:
        """Iterate to the end of the open segment; `resync` tells to look behind damage."""
        chunk, position = self._chunk(), 0
        while position < len(chunk):
            frame = parse_frame(chunk, position)
            if frame is not None:
                position += frame.disk_bytes
                self._offset += frame.disk_bytes
                yield from self._in_order(frame)
            elif position > 0:
                chunk, position = self._chunk(), 0
            elif not resync or not self._skip_damage():
                return
            else:
                chunk, position = self._chunk(), 0
            if position == len(chunk):
                chunk, position = self._chunk(), 0

    def _in_order(self, frame: Frame) -> Iterator[Frame | Gap]:
        if frame.seq < self.next_seq:
            return
        if frame.seq > self.next_seq:
            gap = Gap(self.next_seq, frame.seq - 1, self._segment or self._spool.path)
            self.next_seq = frame.seq
            yield gap
        self.next_seq = frame.seq + 1
        yield frame

    def _skip_damage(self) -> bool:
        """Move to the next good frame of the open segment; False when there is none."""
        rest = os.pread(self._descriptor, os.fstat(self._descriptor).st_size, self._offset)
        found = find_frame(rest, 1)
        if found is None:
            return False
        self._offset += found
        return True

    def _chunk(self) -> bytes:
        return os.pread(self._descriptor, _CHUNK_BYTES, self._offset)

    def _starting_segment(self) -> Path | None:
        """The segment with the highest first seq up to `next_seq`, else the first there is."""
        start: Path | None = None
        highest_seq = 0
        for segment in self._spool.list_segments():
            first_seq = read_first_seq(segment)
            # Not simply the last one: it may be a copy of an older segment.
            if first_seq is not None and highest_seq < first_seq <= self.next_seq:
                start, highest_seq = segment, first_seq
            start = start or segment
        return start

    def _following_segment(self) -> Path | None:
        assert self._segment is not None
        number = int(self._segment.stem)
        later = (path for path in self._spool.list_segments() if int(path.stem) > number)
        return next(later, None)

    def _open(self, segment: Path | None) -> bool:
        """Open `segment` at its first frame; False when there is nothing to open yet."""
        self.close()
        if segment is None:
            return False
        try:
            self._descriptor = os.open(segment, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # committed and unlinked since it was listed
            return False
        self._segment = segment
        self._offset = SEGMENT_HEADER.size
        return True


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # committed and unlinked since it was listed
        return 0


def seq_range(spool: SpoolDir) -> tuple[int, int]:
    """Return the lowest and the highest seq in the spool; (n + 1, n) when it is empty.

    Empty means that everything up to n, the watermark, was committed and removed.
    """
    segments = spool.list_segments()
    committed_seq = spool.read_watermark().committed_seq
    first_seqs = [seq for path in segments if (seq := read_first_seq(path)) is not None]
    if not first_seqs:
        return committed_seq + 1, committed_seq
    reader = SpoolReader(spool, next_seq=max(first_seqs))
    try:
        for _ in reader.read(writer_alive=True):
            pass
        return first_seqs[0], reader.next_seq - 1
    finally:
        reader.close()
