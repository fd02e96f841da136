"""An encoder for one producer, from the run's settings."""

from collections.abc import Callable
from contextlib import suppress

from weir._clock import Clock
from weir._media.base import MB
from weir._media.encoder import Encoder
from weir._queue import Queue
from weir._settings import Settings
from weir._speak import Speaker
from weir._spool import Outbox, SpoolDir, SpoolRoom


class _WithBlobs(SpoolDir):
    """The same folder, counted with the bytes that wait in its outbox: points go before media."""

    def size_bytes(self) -> int:
        """Return how much of the disk segments and blobs take."""
        taken_bytes = SpoolDir.size_bytes(self)
        with suppress(FileNotFoundError):
            for path in (self.outbox_path / "blobs").iterdir():
                with suppress(FileNotFoundError):  # uploaded meanwhile
                    taken_bytes += path.stat().st_size
        return taken_bytes


def open_encoder(
    spool: SpoolDir,
    settings: Settings,
    queue: Queue,
    speaker: Speaker,
    clock: Clock,
    *,
    reject: Callable[[str, str, int], None],
) -> Encoder:
    """Return an encoder whose thread begins with the first value."""
    room = SpoolRoom(
        _WithBlobs(spool.path),
        max_bytes=settings.spool_max_bytes,
        free_share=settings.spool_free_share,
        clock=clock,
    )
    return Encoder(
        queue,
        Outbox(spool),
        room,
        speaker,
        max_bytes=int(settings.media_max_mb * MB),
        queue_max_bytes=int(settings.media_queue_mb * MB),
        spool_max_bytes=settings.spool_max_bytes,
        on_full=settings.on_full,
        tick_s=settings.flush_interval_s,
        reject=reject,
    )
