"""Frames into the Arrow tables of one block. No Python loop runs over points.

A grid of r rows and w metrics becomes r · w rows: steps and times are spread
along each row, metrics along each column, both by numpy broadcasting into
columns allocated once for the whole block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weir_server.writer import facts
from weir_server.writer.block import Item
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.ledger_rows import ledger_rows
from weir_server.writer.unpack import Frame, Points
from weir_store import columns, tables
from weir_store.base import Block

_DAY_US: Final = 86_400_000_000
_MAX_DATE: Final = 0xFFFF  # ClickHouse Date, days since 1970


def build_block(items: Sequence[Item]) -> Block:
    """Return the rows of frames and dead letters by table; the same input, the same rows."""
    frames = [item for item in items if isinstance(item, Frame)]
    dead = [item for item in items if isinstance(item, DeadLetter)]
    rows = {
        tables.POINTS: _point_table(frames),
        tables.TEXT_POINTS: _text_table(frames),
        tables.RUN_ATTRS: _plain(columns.RUN_ATTRS, facts.attr_rows(frames)),
        tables.BRANCHES: _plain(columns.BRANCHES, facts.branch_rows(frames)),
        tables.SESSIONS: _plain(columns.SESSIONS, facts.session_rows(frames)),
        tables.EVENTS: _plain(columns.EVENTS, facts.event_rows(frames, dead)),
        tables.DEAD_LETTERS: _plain(columns.DEAD_LETTERS, facts.dead_letter_rows(dead)),
        tables.LEDGER: _plain(columns.LEDGER, ledger_rows(frames, dead)),
        tables.RUNS: _plain(columns.RUNS, facts.run_rows(frames)),
        tables.INGEST_COMMITS: _plain(columns.INGEST_COMMITS, facts.commit_rows(frames, dead)),
    }
    return {table: part for table, part in rows.items() if part.num_rows}


class _Symbols:
    """One dictionary column of a block: every distinct string gets the next index."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}

    def indices(self, names: Sequence[str]) -> npt.NDArray[np.int32]:
        """Return the index of each name, shape (len(names),)."""
        index = self._index
        return np.fromiter(
            (index.setdefault(name, len(index)) for name in names), np.int32, len(names)
        )

    def column(self, indices: npt.NDArray[np.int32]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(indices, pa.array(self._index, pa.string()))


class _Spread:
    """Values of a whole frame, repeated for each of its pieces' points."""

    def __init__(self, frames: Sequence[Frame], counts: Sequence[int]) -> None:
        self._frames = frames
        self._counts = np.asarray(counts, np.int64)

    def numbers(self, dtype: type[np.generic], of: Callable[[Frame], int]) -> npt.NDArray[Any]:
        per_piece = np.fromiter((of(frame) for frame in self._frames), dtype, len(self._frames))
        return np.repeat(per_piece, self._counts)

    def names(self, of: Callable[[Frame], str]) -> pa.DictionaryArray:
        symbols = _Symbols()
        per_piece = symbols.indices([of(frame) for frame in self._frames])
        return symbols.column(np.repeat(per_piece, self._counts))


def _point_table(frames: Sequence[Frame]) -> pa.Table:
    pieces = [(frame, points) for frame in frames for points in frame.points]
    counts = [points.count for _, points in pieces]
    total = sum(counts)
    step, time_unix_us = np.empty(total, np.int64), np.empty(total, np.int64)
    value, metric = np.empty(total, np.float64), np.empty(total, np.int32)
    symbols, start = _Symbols(), 0
    for (frame, points), count in zip(pieces, counts, strict=True):
        here = slice(start, start + count)
        names = symbols.indices(frame.body.names)
        _lay_out(points, names, step[here], time_unix_us[here], metric[here])
        value[here] = points.value
        start += count
    spread = _Spread([frame for frame, _ in pieces], counts)
    rewrites = np.fromiter((points.rewrites for _, points in pieces), np.uint8, len(pieces))
    return pa.Table.from_arrays(
        [
            spread.names(_project),
            spread.names(_run_id),
            symbols.column(metric),
            pa.array(step),
            pa.array(spread.numbers(np.uint32, _rank)),
            pa.array(value),
            _timestamps(time_unix_us),
            pa.array(spread.numbers(np.uint64, _ver)),
            pa.array(np.repeat(rewrites, np.asarray(counts, np.int64))),
            pa.array(spread.numbers(np.uint16, _run_date)),
        ],
        schema=columns.POINTS,
    )


def _lay_out(
    points: Points,
    names: npt.NDArray[np.int32],
    step: npt.NDArray[np.int64],
    time_unix_us: npt.NDArray[np.int64],
    metric: npt.NDArray[np.int32],
) -> None:
    """Write one piece's coordinates into its stretch of the block's columns."""
    if not points.width:
        step[:], time_unix_us[:], metric[:] = points.step, points.time_unix_us, names[points.metric]
        return
    grid = (-1, points.width)
    step.reshape(grid)[:] = points.step[:, None]
    time_unix_us.reshape(grid)[:] = points.time_unix_us[:, None]
    metric.reshape(grid)[:] = names[points.metric]


def _text_table(frames: Sequence[Frame]) -> pa.Table:
    pieces = [(frame, texts) for frame in frames for texts in frame.texts]
    symbols = _Symbols()
    metrics = [symbols.indices(frame.body.names)[texts.metric] for frame, texts in pieces]
    spread = _Spread([frame for frame, _ in pieces], [len(texts.value) for _, texts in pieces])
    values = [text for _, texts in pieces for text in texts.value]
    return pa.Table.from_arrays(
        [
            spread.names(_project),
            spread.names(_run_id),
            symbols.column(_joined(metrics, np.int32)),
            pa.array(_joined([texts.step for _, texts in pieces], np.int64)),
            pa.array(spread.numbers(np.uint32, _rank)),
            pa.array(values, pa.string()),
            _timestamps(_joined([texts.time_unix_us for _, texts in pieces], np.int64)),
            pa.array(spread.numbers(np.uint64, _ver)),
            pa.array(spread.numbers(np.uint16, _run_date)),
        ],
        schema=columns.TEXT_POINTS,
    )


def _plain(schema: pa.Schema, rows: Iterable[facts.Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema)


def _joined(parts: Sequence[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.concatenate([np.empty(0, dtype), *parts])


def _timestamps(unix_us: npt.NDArray[np.int64]) -> pa.Array:
    # By buffer: as numpy datetime64 they would be copied and checked one by one.
    return pa.Array.from_buffers(
        pa.timestamp("us", "UTC"), len(unix_us), [None, pa.py_buffer(unix_us)]
    )


def _project(frame: Frame) -> str:
    return frame.origin.project


def _run_id(frame: Frame) -> str:
    return frame.origin.run_id


def _rank(frame: Frame) -> int:
    return frame.origin.rank


def _ver(frame: Frame) -> int:
    return frame.ver


def _run_date(frame: Frame) -> int:
    return min(frame.entry.run_created_unix_us // _DAY_US, _MAX_DATE)
