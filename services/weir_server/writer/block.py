"""When a block is full, what it is called, and how it is halved: pure, with no clock of its own."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from weir_server.stream.base import StreamEntry
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.unpack import Frame

Item: TypeAlias = Frame | DeadLetter
"""What one entry becomes."""

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
    """Entries on their way into one insert.

    Attributes:
        opened_s: When its first entry may have come, monotonic seconds.
        entries: All of them, in stream order; they leave the stream when the block is committed.
        items: What becomes rows, in stream order; the other entries had been stored before.
        rows: How many rows the items become.
        bytes: What the items weigh, packed or unpacked, whichever is more.
    """

    opened_s: float
    entries: list[StreamEntry] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    rows: int = 0
    bytes: int = 0

    def skip(self, entry: StreamEntry) -> None:
        """Take an entry that is in the store already."""
        self.entries.append(entry)

    def add(self, item: Item) -> None:
        """Take an entry that becomes rows, alive or dead."""
        self.entries.append(item.source)
        self.items.append(item)
        self.rows += item.rows
        self.bytes += item.bytes

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


def token_of(shard: int, items: Sequence[Item]) -> str:
    """Return the name of these rows: the same for the same entries, different for any others.

    ClickHouse drops an insert whose token it knows without looking at the
    rows, so the token says exactly which entries, with which content, are in.
    """
    digest = hashlib.blake2b(struct.pack("<I", shard), digest_size=16)
    for item in items:
        source = item.source
        digest.update(f"{type(item).__name__} {source.id} ".encode())
        digest.update(source.producer)
        digest.update(struct.pack("<QI", source.seq, item.crc32))
    return digest.hexdigest()


def halve(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """Return the first and the second half, in order; needs two items or more."""
    middle = len(items) // 2
    return items[:middle], items[middle:]
