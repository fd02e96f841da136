"""An entry that can never be stored, kept whole with the reason, so that nothing vanishes quietly."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from weir_proto.v1 import ingest_pb2, stream_pb2
from weir_server.stream.base import StreamEntry


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The entry, why it is dead, and whose it was.

    Project and run are empty, and `points` is 0, when that is unreadable. `entry` is there when
    its outside could be read, `body` when everything could.
    """

    source: StreamEntry
    reason: str
    project: str = ""
    run_id: str = ""
    rank: int = 0
    accepted_unix_us: int = 0
    points: int = 0
    entry: stream_pb2.Entry | None = None
    body: ingest_pb2.Body | None = None

    @classmethod
    def of(
        cls,
        source: StreamEntry,
        entry: stream_pb2.Entry | None,
        reason: str,
        *,
        points: int = 0,
        body: ingest_pb2.Body | None = None,
    ) -> DeadLetter:
        """Make one of an entry as far as it could be read."""
        if entry is None:
            return cls(source, reason)
        return cls(
            source,
            reason,
            project=entry.origin.project,
            run_id=entry.origin.run_id,
            rank=entry.origin.rank,
            accepted_unix_us=entry.accepted_unix_us,
            points=points,
            entry=entry,
            body=body,
        )

    @property
    def rows(self) -> int:
        """Rows it becomes: itself, an event, a line of the ledger, a watermark."""
        return 4

    @property
    def bytes(self) -> int:
        """What it weighs."""
        return len(self.source.payload)

    @property
    def crc32(self) -> int:
        """Checksum of its content."""
        return zlib.crc32(self.source.payload)
