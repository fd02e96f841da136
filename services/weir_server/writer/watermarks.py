"""What of each producer is stored, and whether the next entry follows on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Final, TypeAlias
from uuid import UUID

from weir_server.stream.base import StreamEntry

MOST_PRODUCERS: Final = 100_000  # remembered; the rest is asked for again
ReadCommitted: TypeAlias = Callable[[Sequence[UUID]], Mapping[UUID, int]]


class Verdict(Enum):
    """What to do with an entry."""

    TAKE = "take"
    SKIP = "skip"  # stored before: Redis was rolled back, or the commit did not get through
    GAP = "gap"  # entries before it are missing


class Watermarks:
    """Committed seqs of the shard's producers, as this tenure of the lease knows them.

    A watermark says "everything up to here is stored", so it may only rise
    over entries that were all taken. Redis delivers each entry once; when a
    reply is lost on the way, later entries arrive without the ones before
    them, and taking them would lift the watermark over the missing ones.
    """

    def __init__(self, read_committed: ReadCommitted) -> None:
        self._read_committed = read_committed
        self._committed: dict[bytes, int] = {}
        self._taken: dict[bytes, int] = {}

    def forget(self) -> None:
        """Believe only the store from now on."""
        self._committed.clear()
        self._taken.clear()

    def learn(self, entries: Iterable[StreamEntry]) -> None:
        """Ask the store about producers not met before; one question for all of them."""
        if len(self._committed) > MOST_PRODUCERS:
            self._committed = dict(self._taken)
        unknown = {entry.producer for entry in entries} - self._committed.keys()
        if not unknown:
            return
        stored = self._read_committed([UUID(bytes=producer) for producer in sorted(unknown)])
        for producer in unknown:
            self._committed[producer] = stored.get(UUID(bytes=producer), 0)

    def judge(self, entry: StreamEntry) -> Verdict:
        """Say what to do with an entry of a producer that was learned; changes nothing."""
        last = self._last(entry.producer)
        if entry.seq <= last:
            return Verdict.SKIP
        return Verdict.TAKE if entry.seq == last + 1 else Verdict.GAP

    def take(self, entry: StreamEntry) -> None:
        """Note that the entry is in the open block."""
        self._taken[entry.producer] = max(entry.seq, self._last(entry.producer))

    def of(self, entries: Iterable[StreamEntry]) -> dict[bytes, int]:
        """Return the watermark of each entry's producer once the open block is stored."""
        return {
            producer: self._last(producer) for producer in {entry.producer for entry in entries}
        }

    def commit(self) -> None:
        """The open block is stored."""
        self._committed.update(self._taken)
        self._taken.clear()

    def _last(self, producer: bytes) -> int:
        return self._taken.get(producer, self._committed[producer])
