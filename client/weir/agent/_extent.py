"""What lies in a spool, and whether it is complete."""

from dataclasses import dataclass

from weir._spool import Frame, SpoolDir, SpoolReader
from weir._spool.layout import read_first_seq


@dataclass(frozen=True, slots=True)
class Extent:
    """The frames of one spool.

    Attributes:
        first_seq: Lowest seq there; `last_seq + 1` when it is empty.
        last_seq: Highest seq there, or that was there; 0 = none ever.
        final: Whether the last frame says that the producer will never write again.
    """

    first_seq: int
    last_seq: int
    final: bool


def read_extent(spool: SpoolDir, *, live: bool = True) -> Extent:
    """Look at the first header and through the newest segment. Raises OSError as the disk does.

    Args:
        spool: Where to look.
        live: The trainer may still be writing: a bad frame at the end is one not yet written. Of
            the dead, what lies behind damage counts too.
    """
    first_seq = _first_readable(spool, live=live)
    if first_seq is None:
        committed_seq = spool.read_watermark().committed_seq
        return Extent(committed_seq + 1, committed_seq, final=False)
    known = (seq for path in spool.list_segments() if (seq := read_first_seq(path)))
    reader = SpoolReader(spool, next_seq=max(known, default=first_seq))
    last: Frame | None = None
    try:
        for found in reader.read(writer_alive=live):
            last = found if isinstance(found, Frame) else last
    finally:
        reader.close()
    return Extent(first_seq, reader.next_seq - 1, final=last is not None and last.final)


def _first_readable(spool: SpoolDir, *, live: bool) -> int | None:
    """The lowest seq that can be read; None when there is none."""
    segments = spool.list_segments()
    if segments and (first_seq := read_first_seq(segments[0])):
        return first_seq
    reader = SpoolReader(spool)
    try:
        frames = (found.seq for found in reader.read(writer_alive=live) if isinstance(found, Frame))
        return next(frames, None)
    finally:
        reader.close()
