"""Frames into the Arrow tables of one block. No Python loop runs over points.

A grid of r rows and w metrics becomes r · w rows: steps and times are spread
along each row, metrics along each column, both by numpy broadcasting into
columns allocated once for the whole block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weir_server.writer import block_columns as of
from weir_server.writer import facts
from weir_server.writer.block import Item
from weir_server.writer.dead_letter import DeadLetter
from weir_server.writer.ledger_rows import ledger_rows
from weir_server.writer.node_rows import console_table, system_table
from weir_server.writer.unpack import TEXT_KINDS, Frame, Points
from weir_store import columns, tables
from weir_store.base import Block

_TEXT_WORDS: Final = tuple(TEXT_KINDS[number] for number in sorted(TEXT_KINDS))


def build_block(items: Sequence[Item]) -> Block:
    """Return the rows of frames and dead letters by table; the same input, the same rows."""
    frames = [item for item in items if isinstance(item, Frame)]
    dead = [item for item in items if isinstance(item, DeadLetter)]
    rows = {
        tables.POINTS: _point_table(frames),
        tables.TEXT_POINTS: _text_table(frames),
        tables.SYSTEM_POINTS: system_table(frames),
        tables.CONSOLE: console_table(frames),
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


def _point_table(frames: Sequence[Frame]) -> pa.Table:
    pieces = [(frame, points) for frame in frames for points in frame.points]
    counts = [points.count for _, points in pieces]
    total = sum(counts)
    step, time_unix_us = np.empty(total, np.int64), np.empty(total, np.int64)
    value, metric = np.empty(total, np.float64), np.empty(total, np.int32)
    symbols, start = of.Symbols(), 0
    for (frame, points), count in zip(pieces, counts, strict=True):
        here = slice(start, start + count)
        names = symbols.indices(frame.body.names)
        _lay_out(points, names, step[here], time_unix_us[here], metric[here])
        value[here] = points.value
        start += count
    spread = of.Spread([frame for frame, _ in pieces], counts)
    rewrites = np.fromiter((points.rewrites for _, points in pieces), np.uint8, len(pieces))
    return pa.Table.from_arrays(
        [
            spread.names(of.project),
            spread.names(of.run_id),
            symbols.column(metric),
            pa.array(step),
            pa.array(spread.numbers(np.uint32, of.rank)),
            pa.array(value),
            of.timestamps(time_unix_us),
            pa.array(spread.numbers(np.uint64, of.ver)),
            pa.array(np.repeat(rewrites, np.asarray(counts, np.int64))),
            pa.array(spread.numbers(np.uint16, of.run_date)),
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
    symbols = of.Symbols()
    metrics = [symbols.indices(frame.body.names)[texts.metric] for frame, texts in pieces]
    spread = of.Spread([frame for frame, _ in pieces], [len(texts.value) for _, texts in pieces])
    values = [text for _, texts in pieces for text in texts.value]
    kinds = np.fromiter((texts.kind for _, texts in pieces), np.int32, len(pieces))
    return pa.Table.from_arrays(
        [
            spread.names(of.project),
            spread.names(of.run_id),
            symbols.column(of.joined(metrics, np.int32)),
            pa.array(of.joined([texts.step for _, texts in pieces], np.int64)),
            pa.array(spread.numbers(np.uint32, of.rank)),
            pa.array(values, pa.string()),
            of.timestamps(of.joined([texts.time_unix_us for _, texts in pieces], np.int64)),
            pa.array(spread.numbers(np.uint64, of.ver)),
            of.choices(spread.repeated(kinds), _TEXT_WORDS),
            pa.array(spread.numbers(np.uint16, of.run_date)),
        ],
        schema=columns.TEXT_POINTS,
    )


def _plain(schema: pa.Schema, rows: Iterable[facts.Row]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=schema)
