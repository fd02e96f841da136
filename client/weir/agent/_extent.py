"""What lies in a spool, and whether it is complete."""

from dataclasses import dataclass

from weir._spool import Frame, SpoolDir, SpoolReader, seq_range


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
    """Look at a spool's first header and last segment. Raises OSError as the disk does."""
    first_seq, last_seq = seq_range(spool)
    return Extent(first_seq, last_seq, _is_final(spool, last_seq))


def _is_final(spool: SpoolDir, last_seq: int) -> bool:
    if last_seq == 0:
        return False
    reader = SpoolReader(spool, next_seq=last_seq)
    try:
        found = next(iter(reader.read(writer_alive=True)), None)
    finally:
        reader.close()
    return isinstance(found, Frame) and found.final
