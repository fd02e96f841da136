"""An entry that can never be stored, kept whole with the reason, so that nothing vanishes quietly."""

from __future__ import annotations

from dataclasses import dataclass

from weir_proto.v1 import stream_pb2
from weir_server.stream.base import StreamEntry


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The entry, why it is dead, and whose it was; project and run are empty when that is unreadable."""

    source: StreamEntry
    reason: str
    project: str = ""
    run_id: str = ""
    rank: int = 0
    accepted_unix_us: int = 0

    @classmethod
    def of(cls, source: StreamEntry, entry: stream_pb2.Entry | None, reason: str) -> DeadLetter:
        """Make one of an entry as far as it could be read."""
        if entry is None:
            return cls(source, reason)
        origin = entry.origin
        return cls(
            source, reason, origin.project, origin.run_id, origin.rank, entry.accepted_unix_us
        )
