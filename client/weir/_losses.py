"""Points that never reach the spool: counted, told to the server in the next frame, and to the user."""

from collections.abc import Callable

from weir._queue import Queue
from weir._speak import Speaker
from weir._spool import CapReached
from weir.errors import SpoolError, SpoolFull
from weir_proto.v1 import ingest_pb2 as pb


def loss_reason(error: SpoolError) -> str:
    """Return why a frame was not written, as a `Loss` says it. Pure."""
    if isinstance(error, CapReached):
        return "spool_cap"
    return "disk_full" if isinstance(error, SpoolFull) else "disk_error"


class Losses:
    """Points that were never spooled, told once each in a frame that reached the disk.

    Used by the spool thread only.

    Attributes:
        reason: Why the disk took nothing, since the last `take`; `queue_full` when it took all.
    """

    def __init__(self, queue: Queue, rejected: Callable[[], int]) -> None:
        self._queue = queue
        self._rejected = rejected
        self._taken = 0, 0  # dropped and rejected, as the frame taken last tells them
        self._told = 0, 0  # as frames on disk tell them
        self._warned = 0
        self.reason = "queue_full"

    def take(self) -> list[pb.Loss]:
        """Return what no frame on disk tells yet."""
        self._taken = dropped, rejected = self._queue.dropped, self._rejected()
        reason, self.reason = self.reason, "queue_full"
        losses = [
            _loss(reason, dropped - self._told[0], "not spooled: the queue was full"),
            _loss(
                "bad_value", rejected - self._told[1], "refused by log(), see the events `rejected`"
            ),
        ]
        return [loss for loss in losses if loss]

    def settle(self) -> None:
        """The frame that what was taken last went into is on disk."""
        self._told = self._taken

    def warn(self, speaker: Speaker) -> None:
        """Tell the user, once a minute at most, that more points were lost since the last time.

        Not while the disk refuses frames: that was said, and the end of it will be said too.
        """
        lost = self._queue.dropped - self._warned
        if lost and not self._queue.obstacle:
            self._warned += lost
            speaker.warn(
                "dropped",
                f"{self._warned} points are lost so far: they come faster than they can be written, "
                "and memory (queue_max_bytes) is full",
            )

    def recovered(self, speaker: Speaker) -> None:
        """Tell the user that the disk takes frames again, when that was too late for some."""
        self._queue.obstacle = ""
        lost = self._queue.dropped - self._warned
        if lost:
            self._warned += lost
            speaker.warn("recovered", f"points reach the disk again; {lost} were lost meanwhile")


def _loss(reason: str, points: int, message: str) -> pb.Loss | None:
    return pb.Loss(reason=reason, points=points, message=message) if points > 0 else None
