"""When a block is full, what it is called, and how it is halved: pure, with no clock of its own."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from weir_server.stream.base import StreamEntry
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.unpack import Frame

_READ_BYTES: Final = 4 << 20  # aim of one read: far below a block, so a block overshoots by little
_FEWEST, _MOST = 16, 1_024


@dataclass(frozen=True, slots=True)
class Limits:
    """A block is full at any of these."""

    rows: int
    bytes: int
    age_s: float


@dataclass(slots=True)
class OpenBlock:
    """Entries on their way into one insert, in stream order.

    `entries` leave the stream when the block is committed; of them `frames`
    and `dead` become rows, the rest had been stored before.
    """

    opened_s: float
    entries: list[StreamEntry] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0

    def skip(self, entry: StreamEntry) -> None:
        """Take an entry that is in the store already."""
        self.entries.append(entry)

    def add(self, frame: Frame) -> None:
        """Take an entry that can be stored."""
        self.entries.append(frame.source)
        self.frames.append(frame)
        self.rows += frame.rows
        self.bytes += max(len(frame.source.payload), frame.entry.frame.raw_bytes)

    def bury(self, letter: DeadLetter) -> None:
        """Take an entry that can not."""
        self.entries.append(letter.source)
        self.dead.append(letter)
        self.rows += 1
        self.bytes += len(letter.source.payload)

    @property
    def has_rows(self) -> bool:
        """Whether there is anything to insert."""
        return bool(self.frames or self.dead)

    def is_full(self, limits: Limits) -> bool:
        """Whether it holds as much as one insert should."""
        return self.rows >= limits.rows or self.bytes >= limits.bytes

    def left_s(self, limits: Limits, now_s: float) -> float:
        """Return how long it may still wait for more, >= 0."""
        return max(self.opened_s + limits.age_s - now_s, 0.0)


def entries_to_read(entries_seen: int, bytes_seen: int) -> int:
    """Return how many entries to ask for at once, by what they weighed so far."""
    if not entries_seen:
        return _FEWEST
    average_bytes = max(bytes_seen // entries_seen, 1)
    return min(max(_READ_BYTES // average_bytes, _FEWEST), _MOST)


def token_of(shard: int, frames: Sequence[Frame], dead: Sequence[DeadLetter]) -> str:
    """Return the name of these rows: the same for the same entries, different for any others.

    ClickHouse drops an insert whose token it knows without looking at the
    rows, so the token says exactly which frames, with which content, are in.
    """
    digest = hashlib.blake2b(struct.pack("<I", shard), digest_size=16)
    for frame in frames:
        _tell(digest, frame.source, frame.entry.frame.crc32)
    digest.update(b"dead")
    for letter in dead:
        _tell(digest, letter.source, zlib.crc32(letter.source.payload))
    return digest.hexdigest()


def halve(frames: Sequence[Frame]) -> tuple[Sequence[Frame], Sequence[Frame]]:
    """Return the first and the second half, in order; needs two frames or more."""
    middle = len(frames) // 2
    return frames[:middle], frames[middle:]


def _tell(digest: hashlib.blake2b, source: StreamEntry, crc32: int) -> None:
    digest.update(source.id.encode())
    digest.update(source.producer)
    digest.update(struct.pack("<QI", source.seq, crc32))
