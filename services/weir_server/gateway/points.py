"""Columns of points: equal lengths, indices in the table, steps and times that make sense. Pure.

A block that is good is returned as it is; from another one the bad rows and columns are taken out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from weir_proto.v1 import ingest_pb2
from weir_server.gateway.findings import Findings, is_json, longer_rows
from weir_server.gateway.limits import MAX_CLOCK_ERROR_US, MAX_STEP, Code, Limits
from weir_server.gateway.names import Fault, Names

Ints: TypeAlias = NDArray[np.int64]
Indices: TypeAlias = NDArray[np.uint32]
Mask: TypeAlias = NDArray[np.bool_]

F8: Final = np.dtype("<f8")
I8: Final = np.dtype("<i8")
U4: Final = np.dtype("<u4")


@dataclass(frozen=True, slots=True)
class PointRules:
    """What holds for every block of one frame."""

    names: Names
    limits: Limits
    now_unix_us: int


def points_in(block: ingest_pb2.PointBlock) -> int:
    """Return how many values a block holds."""
    return len(block.value) // F8.itemsize


def check_block(
    block: ingest_pb2.PointBlock, rules: PointRules, findings: Findings
) -> ingest_pb2.PointBlock | None:
    """Return the block, or what is good of it, or None when nothing is."""
    points = points_in(block)
    if not _block_fits(block):
        add_mismatch(findings, "points", points)
        return None
    metric = np.frombuffer(block.metric, U4)
    step = np.frombuffer(block.step, I8)
    time_us = np.frombuffer(block.time_unix_us, I8)
    if points == 0 or _is_good(metric, step, time_us, rules):
        return block
    per_row = block.width or 1
    rows = _good_rows(step, time_us, rules, findings, points_per_row=per_row)
    if block.width == 0:
        keep = rows & good_indices(metric, rules.names, findings, among=rows)
        return _columns(block, metric, step, time_us, keep)
    columns = good_indices(metric, rules.names, findings, points_each=int(rows.sum()))
    return _grid(block, metric, step, time_us, rows, columns)


def check_texts(
    block: ingest_pb2.TextBlock, rules: PointRules, findings: Findings
) -> ingest_pb2.TextBlock | None:
    """Return the block, or what is good of it, or None when nothing is."""
    points = len(block.value)
    if not _columns_fit(block.metric, block.step, block.time_unix_us, points):
        add_mismatch(findings, "texts", points)
        return None
    metric = np.frombuffer(block.metric, U4)
    step = np.frombuffer(block.step, I8)
    time_us = np.frombuffer(block.time_unix_us, I8)
    values = list(block.value)
    faults = _text_faults(values, block.kind, rules.limits.max_text_bytes)
    if points == 0 or (_is_good(metric, step, time_us, rules) and not faults):
        return block
    keep = _good_rows(step, time_us, rules, findings)
    keep &= good_indices(metric, rules.names, findings, among=keep)
    for row, fault in faults.items():
        if keep[row]:
            name = rules.names.table[metric[row]]
            findings.add(fault.code, name, fault.message, points=1)
            keep[row] = False
    if not keep.any():
        return None
    return ingest_pb2.TextBlock(
        metric=metric[keep].tobytes(),
        step=step[keep].tobytes(),
        time_unix_us=time_us[keep].tobytes(),
        value=[text for text, kept in zip(values, keep.tolist(), strict=True) if kept],
        kind=block.kind,
    )


def _text_faults(
    values: Sequence[str], kind: ingest_pb2.TextBlock.Kind, limit_bytes: int
) -> Mapping[int, Fault]:
    """Return which texts cannot be kept, by row."""
    long = Fault(
        Code.TEXT_TOO_LONG, f"the text takes over {limit_bytes} bytes, log it as an artifact"
    )
    faults = dict.fromkeys(longer_rows(values, limit_bytes), long)
    match kind:
        case ingest_pb2.TextBlock.TEXT:
            return faults
        case ingest_pb2.TextBlock.MEDIA:
            bad = Fault(Code.TEXT_INVALID, "what tells of a file is no JSON")
            rows = [row for row, text in enumerate(values) if not is_json(text)]
        case _:
            bad = Fault(Code.TEXT_INVALID, f"texts of kind {kind} are not known")
            rows = list(range(len(values)))
    return dict.fromkeys(rows, bad) | faults


def _block_fits(block: ingest_pb2.PointBlock) -> bool:
    if block.width == 0:
        points, rest = divmod(len(block.value), F8.itemsize)
        return rest == 0 and _columns_fit(block.metric, block.step, block.time_unix_us, points)
    rows, rest = divmod(len(block.step), I8.itemsize)
    return (
        rest == 0
        and len(block.time_unix_us) == len(block.step)
        and len(block.metric) == block.width * U4.itemsize
        and len(block.value) == rows * block.width * F8.itemsize
    )


def _columns_fit(metric: bytes, step: bytes, time_unix_us: bytes, points: int) -> bool:
    return (
        len(metric) == points * U4.itemsize
        and len(step) == points * I8.itemsize
        and len(time_unix_us) == points * I8.itemsize
    )


def _is_good(metric: Indices, step: Ints, time_us: Ints, rules: PointRules) -> bool:
    first_us, last_us = _time_range(rules.now_unix_us)
    return (
        int(metric.max()) < len(rules.names.table)
        and int(step.min()) >= -MAX_STEP
        and int(step.max()) <= MAX_STEP
        and int(time_us.min()) >= first_us
        and int(time_us.max()) <= last_us
        and (not rules.names.faults or not _bad_indices(metric, rules.names).any())
    )


def _time_range(now_unix_us: int) -> tuple[int, int]:
    return now_unix_us - MAX_CLOCK_ERROR_US, now_unix_us + MAX_CLOCK_ERROR_US


def _bad_indices(metric: Indices, names: Names) -> Mask:
    return np.isin(metric, np.fromiter(names.faults, np.uint32, len(names.faults)))


def _good_rows(
    step: Ints, time_us: Ints, rules: PointRules, findings: Findings, *, points_per_row: int = 1
) -> Mask:
    steps: Mask = (step >= -MAX_STEP) & (step <= MAX_STEP)
    bad_steps = int((~steps).sum()) * points_per_row
    if bad_steps:
        findings.add(
            Code.STEP_OUT_OF_RANGE,
            "step",
            "a step lies beyond ±2^53",
            count=bad_steps,
            points=bad_steps,
        )
    times = good_times(time_us, rules, findings, among=steps, points_per_row=points_per_row)
    return steps & times


def good_times(
    time_us: Ints,
    rules: PointRules,
    findings: Findings,
    *,
    among: Mask | None = None,
    points_per_row: int = 1,
) -> Mask:
    """Return which times are near the server's; counts those of `among` that are not."""
    first_us, last_us = _time_range(rules.now_unix_us)
    times: Mask = (time_us >= first_us) & (time_us <= last_us)
    bad_times = int((~times if among is None else among & ~times).sum()) * points_per_row
    if bad_times:
        findings.add(
            Code.TIME_OUT_OF_RANGE,
            "time",
            "a time is over ten years from the server's, set the clock of the node",
            count=bad_times,
            points=bad_times,
        )
    return times


def good_indices(
    column: Indices,
    names: Names,
    findings: Findings,
    *,
    among: Mask | None = None,
    points_each: int = 1,
    field: str = "metric",
) -> Mask:
    """Return which entries of a column stand for good names; counts those of `among` that do not."""
    outside = column >= len(names.table)
    bad = _bad_indices(column, names) & ~outside
    counted = np.ones(len(column), np.bool_) if among is None else among
    missing = int((outside & counted).sum()) * points_each
    if missing:
        findings.add(
            Code.INDEX_OUT_OF_RANGE,
            field,
            f"an index lies beyond the {len(names.table)} names of the frame",
            count=missing,
            points=missing,
        )
    indices, counts = np.unique(column[bad & counted], return_counts=True)
    for index, count in zip(indices.tolist(), (counts * points_each).tolist(), strict=True):
        fault = names.faults[index]
        if count:
            findings.add(fault.code, names.table[index], fault.message, count=count, points=count)
    return ~(outside | bad)


def _columns(
    block: ingest_pb2.PointBlock, metric: Indices, step: Ints, time_us: Ints, keep: Mask
) -> ingest_pb2.PointBlock | None:
    if not keep.any():
        return None
    return ingest_pb2.PointBlock(
        metric=metric[keep].tobytes(),
        step=step[keep].tobytes(),
        time_unix_us=time_us[keep].tobytes(),
        value=np.frombuffer(block.value, F8)[keep].tobytes(),
        rewrites=block.rewrites,
    )


def _grid(
    block: ingest_pb2.PointBlock,
    metric: Indices,
    step: Ints,
    time_us: Ints,
    rows: Mask,
    columns: Mask,
) -> ingest_pb2.PointBlock | None:
    if not rows.any() or not columns.any():
        return None
    values = np.frombuffer(block.value, F8).reshape(len(step), block.width)
    return ingest_pb2.PointBlock(
        width=int(columns.sum()),
        metric=metric[columns].tobytes(),
        step=step[rows].tobytes(),
        time_unix_us=time_us[rows].tobytes(),
        value=np.ascontiguousarray(values[rows][:, columns]).tobytes(),
        rewrites=block.rewrites,
    )


def add_mismatch(findings: Findings, field: str, points: int) -> None:
    """Note that nothing of a block is taken, because its columns do not fit each other."""
    text = "the columns of a block differ in length"
    findings.add(Code.COLUMNS_MISMATCH, field, text, count=max(points, 1), points=points)
