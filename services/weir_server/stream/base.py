"""What the stream promises to the gateway (`Appender`) and to the writer (`Consumer`).

Both have two implementations judged by one suite (tests/contract/test_stream.py):
`redis/` and `memory.py`. Keys and scripts: docs/formats/stream.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

TIMES_FREE: Final = 8
"""How many times the free room of a shard one project may hold.

So a project that sends all it can comes to hold 8/9 of the budget when it is alone, and whoever is
new finds room. Where nobody floods, the free room is large and nobody meets this.

Source: Choudhury and Hahne, "Dynamic Queue Length Thresholds for Shared-Memory Packet Switches",
IEEE/ACM Transactions on Networking 6(2), 1998.
"""


def may_grow(own_bytes: int, size: int, *, held_bytes: int, most_bytes: int, projects: int) -> bool:
    """Return whether a project that has entries in a shard may add one; `append.lua` says the same.

    Args:
        own_bytes: What the project holds; 0 = nothing, and then the budget alone decides.
        size: Bytes of the entry.
        held_bytes: What all hold together.
        most_bytes: The shard's budget.
        projects: How many hold something.
    """
    share = float(TIMES_FREE * (most_bytes - held_bytes))
    if held_bytes * 2 > most_bytes:
        share = min(share, most_bytes / projects)
    return own_bytes == 0 or own_bytes + size <= share


def shard_of(project: str, run_id: str, producer: bytes, shards: int) -> int:
    """Return the shard of a producer; the same for ever once `shards` is fixed."""
    key = b"\x00".join((project.encode(), run_id.encode(), producer))
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") % shards


class Outcome(StrEnum):
    """What became of an append."""

    OK = "OK"  # in the stream now
    DUP = "DUP"  # was there before
    GAP = "GAP"  # frames before it are missing: rewind to last_seq + 1
    FULL = "FULL"  # over the byte budget, or the project's share of it: wait
    UNKNOWN = "UNKNOWN"  # the stream does not know the producer: raise it first


@dataclass(frozen=True, slots=True)
class NewEntry:
    """One frame on its way into the stream."""

    shard: int
    producer: bytes
    seq: int
    payload: bytes
    project: str = ""  # whose share of the room it takes
    first_seq: int = (
        0  # it stands for the frames from here to `seq`, which never came; 0 = for itself
    )


@dataclass(frozen=True, slots=True)
class AppendResult:
    """The outcome, and the highest accepted seq of the producer after it."""

    outcome: Outcome
    last_seq: int


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Somebody asked a run to stop.

    Attributes:
        reason: Why, in words.
        by: Name of the token that asked.
        asked_unix_us: When, by the gateway's clock: it concerns the process lives begun by then.
    """

    reason: str
    by: str
    asked_unix_us: int = 0


class Appender(Protocol):
    """The gateway's side; coroutines of one event loop. Every call may raise `StreamUnavailable`."""

    async def append(self, entries: Sequence[NewEntry]) -> list[AppendResult]:
        """Append entries in order, in one round trip; a result for each.

        After the first entry of a producer that is not OK or DUP, the later
        ones of the same producer come back as GAP. Safe to repeat.
        """
        ...

    async def raise_to(self, shard: int, producer: bytes, seq: int) -> int:
        """Set accepted := max(accepted, seq), making the producer known; return it."""
        ...

    async def read_accepted(self, shard: int, producer: bytes) -> int | None:
        """Return the highest accepted seq, or None when the producer is unknown."""
        ...

    async def read_committed(self, shard: int, producers: Sequence[bytes]) -> dict[bytes, int]:
        """Return committed seqs as the stream caches them; unknown producers are absent."""
        ...

    async def register_run(self, project: str, run_id: str, created_unix_us: int) -> int:
        """Return the run's birth: the one registered before, else this one, now registered."""
        ...

    async def read_registered(self, project: str, run_id: str) -> int | None:
        """Return the run's registered birth, Unix µs, or None."""
        ...

    async def request_stop(self, project: str, run_id: str, stop: StopRequest) -> None:
        """Leave a note for the run's processes; kept 7 days."""
        ...

    async def read_stops(
        self, runs: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], StopRequest]:
        """Return the notes left for these (project, run_id); absent when there is none."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One entry read from a shard."""

    id: str
    producer: bytes
    seq: int
    payload: bytes
    project: str = ""


@dataclass(frozen=True, slots=True)
class Inflight:
    """The block being inserted: a range of entries and the token bound to its content."""

    first_id: str
    last_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the writer is behind: entries, payload bytes, age of the oldest in seconds."""

    entries: int
    bytes: int
    oldest_s: float


class Consumer(Protocol):
    """The writer's side of one shard; one thread. Every call may raise `StreamUnavailable`."""

    def acquire(self) -> bool:
        """Take or keep the shard's lease; False when another writer holds it."""
        ...

    def keep(self) -> bool:
        """Keep the lease; False when it is not ours any more, also when nobody has it.

        Whoever lost it for a moment knows nothing: another writer may have come and gone, or the
        stream and the store may have been set back to what they were long ago.
        """
        ...

    def release(self) -> None:
        """Give the lease back if it is ours."""
        ...

    def read_inflight(self) -> Inflight | None:
        """Return the block a writer before us (or we) had begun to insert."""
        ...

    def write_inflight(self, inflight: Inflight) -> bool:
        """Note the block before its insert begins; False when the lease is lost."""
        ...

    def read_range(self, first_id: str, last_id: str) -> list[StreamEntry]:
        """Read entries again, both ends included; entries already removed are absent."""
        ...

    def read_pending(self, count: int) -> list[StreamEntry]:
        """Read entries delivered before and never committed, oldest first."""
        ...

    def read_new(self, count: int, wait_s: float) -> list[StreamEntry]:
        """Read entries never delivered, waiting at most `wait_s` for the first."""
        ...

    def commit(self, entries: Sequence[StreamEntry], committed: Mapping[bytes, int]) -> bool:
        """Remove entries that are stored, clear inflight, raise watermarks; all or nothing.

        False when the lease is lost (fenced): nothing was changed.
        """
        ...

    def read_lag(self) -> Lag:
        """Return how far behind the shard is."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...
