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


def read_extent(spool: SpoolDir) -> Extent:
    """Look at the first header and through the last segment. Raises OSError as the disk does."""
    first_seqs = [seq for path in spool.list_segments() if (seq := read_first_seq(path))]
    if not first_seqs:
        committed_seq = spool.read_watermark().committed_seq
        return Extent(committed_seq + 1, committed_seq, final=False)
    reader = SpoolReader(spool, next_seq=first_seqs[-1])
    last: Frame | None = None
    try:
        for found in reader.read(writer_alive=True):
            last = found if isinstance(found, Frame) else last
    finally:
        reader.close()
    return Extent(first_seqs[0], reader.next_seq - 1, final=last is not None and last.final)
