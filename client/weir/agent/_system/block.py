"""Samples as the columns of a frame."""

import sys
from array import array
from collections.abc import Sequence

from weir._columns import Symbols
from weir.agent._system.source import Sample
from weir_proto.v1 import ingest_pb2 as pb


def system_block(samples: Sequence[Sample], symbols: Symbols, time_unix_us: int) -> pb.SystemBlock:
    """Return samples of one moment as a block; `symbols` gets their names."""
    return pb.SystemBlock(
        metric=_raw(symbols.indices(sample.metric for sample in samples)),
        device=_raw(symbols.indices(sample.device for sample in samples)),
        time_unix_us=_raw(array("q", [time_unix_us]) * len(samples)),
        value=_raw(array("d", [sample.value for sample in samples])),
    )


def _raw(column: "array[int] | array[float]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
