"""What a gateway knows of one producer, and what to do with its next frame. Pure: time is handed in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from weir_proto.v1 import ingest_pb2
from weir_server.stream.base import StopRequest


class Turn(Enum):
    """What to do with a frame that arrived."""

    APPEND = auto()  # it is the next one
    SEEN = auto()  # accepted before
    MISSING = auto()  # some before it never came: find out from where to send again
    PASSED_BY = auto()  # it was under way when we asked for an earlier one


@dataclass(slots=True)
class Producer:
    """One producer on one stream, from its Welcome on.

    Attributes:
        origin: Who writes.
        shard: Where its entries go.
        birth_unix_us: Of its run.
        accepted: Highest seq in the stream, as far as we know.
        committed: Highest seq in the store, as far as we know.
        greeted_unix_us: When this gateway let it in.
        told_committed: The committed seq the client has heard of.
        damaged_seq: A frame that arrived damaged once; 0 = none.
        refused: It is not served on this stream any more.
        stop: Somebody asked its run to stop.
        told_stop: The client has heard of it.
        forgotten: Redis lost frames that it had accepted; the client must send them again.
    """

    origin: ingest_pb2.Origin
    shard: int
    birth_unix_us: int
    accepted: int
    committed: int
    greeted_unix_us: int = 0
    told_committed: int = 0
    damaged_seq: int = 0
    refused: bool = False
    stop: StopRequest | None = None
    told_stop: bool = False
    forgotten: bool = False
    _rewinding: bool = False
    _ask_again_at_s: float = 0.0

    @property
    def id(self) -> bytes:
        """16 bytes."""
        return self.origin.producer

    @property
    def run(self) -> tuple[str, str]:
        """Project and run id."""
        return self.origin.project, self.origin.run_id

    def must_heed(self, stop: StopRequest) -> bool:
        """Return whether a request to stop its run concerns this life of it.

        One that was asked for before the process began was meant for those before it: a run that
        is resumed is not stopped again. Began is what its own clock says, or ours if it was here.
        """
        began_unix_us = min(self.origin.started_unix_us, self.greeted_unix_us)
        return began_unix_us <= stop.asked_unix_us

    def turn_of(self, seq: int, *, next_seq: int, now_s: float) -> Turn:
        """Decide about a frame.

        Args:
            seq: Of the frame.
            next_seq: The seq that would follow what is accepted and what is about to be.
            now_s: Monotonic seconds.
        """
        if seq <= self.accepted:
            return Turn.SEEN
        if seq == next_seq:
            self._rewinding = False
            return Turn.APPEND
        if self._rewinding and now_s < self._ask_again_at_s:
            return Turn.PASSED_BY
        return Turn.MISSING if seq > next_seq else Turn.PASSED_BY

    def asked_to_rewind(self, *, now_s: float, patience_s: float) -> None:
        """Note that the client was told to send again from `accepted + 1`.

        Frames beyond it that are under way are passed by; should they still come after
        `patience_s`, the client is asked once more.
        """
        self._rewinding = True
        self._ask_again_at_s = now_s + patience_s

    def commit_seen(self, seq: int) -> None:
        """Learn a committed seq; what is committed was accepted, whatever Redis remembers."""
        self.committed = max(self.committed, seq)
        self.accepted = max(self.accepted, self.committed)
