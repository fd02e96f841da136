"""What nodes measured and what processes printed, as Arrow tables. No Python loop runs over rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weir_server.tally import STREAMS
from weir_server.writer import block_columns as of
from weir_server.writer.unpack import Frame
from weir_store import columns

_STREAM_WORDS: Final = tuple(STREAMS[number] for number in sorted(STREAMS))
_FIRST_STREAM: Final = min(STREAMS)
_PROCESS: Final = pa.binary(16)


def system_table(frames: Sequence[Frame]) -> pa.Table:
    """Return the rows of `system_points`."""
    pieces = [(frame, system) for frame in frames for system in frame.system]
    metrics, devices = of.Symbols(), of.Symbols()
    spread = of.Spread([frame for frame, _ in pieces], [len(part.value) for _, part in pieces])
    metric, device = [], []
    for frame, part in pieces:
        names = list(frame.body.names)
        metric.append(_picked(metrics, names, part.metric))
        device.append(_picked(devices, names, part.device))
    return pa.Table.from_arrays(
        [
            spread.names(of.project),
            spread.names(of.run_id),
            metrics.column(of.joined(metric, np.int32)),
            spread.names(of.node),
            devices.column(of.joined(device, np.int32)),
            of.timestamps(of.joined([part.time_unix_us for _, part in pieces], np.int64)),
            pa.array(of.joined([part.value for _, part in pieces], np.float64)),
            pa.array(spread.numbers(np.uint32, of.rank)),
            pa.array(spread.numbers(np.uint64, of.ver)),
            pa.array(spread.numbers(np.uint16, of.run_date)),
        ],
        schema=columns.SYSTEM_POINTS,
    )


def console_table(frames: Sequence[Frame]) -> pa.Table:
    """Return the rows of `console`."""
    pieces = [(frame, lines) for frame in frames for lines in frame.lines]
    spread = of.Spread([frame for frame, _ in pieces], [len(part.line) for _, part in pieces])
    ranks = np.fromiter((part.rank for _, part in pieces), np.uint32, len(pieces))
    streams = of.joined([part.stream for _, part in pieces], np.uint8)
    return pa.Table.from_arrays(
        [
            spread.names(of.project),
            spread.names(of.run_id),
            pa.array(spread.repeated(ranks)),
            of.timestamps(of.joined([part.time_unix_us for _, part in pieces], np.int64)),
            _processes([part.process for _, part in pieces], spread),
            pa.array(of.joined([part.number for _, part in pieces], np.uint64)),
            of.choices(streams.astype(np.int32) - _FIRST_STREAM, _STREAM_WORDS),
            pa.array(of.joined([part.level for _, part in pieces], np.uint8)),
            spread.names(of.node),
            pa.array([line for _, part in pieces for line in part.line], pa.string()),
            pa.array(spread.numbers(np.uint32, of.rank)),
            pa.array(spread.numbers(np.uint64, of.ver)),
            pa.array(spread.numbers(np.uint16, of.run_date)),
        ],
        schema=columns.CONSOLE,
    )


def _picked(
    symbols: of.Symbols, names: Sequence[str], indices: npt.NDArray[np.uint32]
) -> npt.NDArray[np.int32]:
    """Return the block's index of each row's name; only names that some row has become symbols."""
    used, inverse = np.unique(indices, return_inverse=True)
    return symbols.indices([names[index] for index in used.tolist()])[inverse]


def _processes(ids: Sequence[bytes], spread: of.Spread) -> pa.Array:
    """Return the column of producers; each has 16 bytes."""
    per_piece = np.frombuffer(b"".join(ids), np.uint8).reshape(len(ids), 16)
    rows = np.ascontiguousarray(spread.repeated(per_piece))
    return pa.Array.from_buffers(_PROCESS, len(rows), [None, pa.py_buffer(rows)])
