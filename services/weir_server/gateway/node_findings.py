"""What nodes measured and processes printed: columns of equal length, names, times and streams. Pure.

As in points.py a block that is good is returned as it is; from another one the bad rows are taken
out. What is counted as points is every value and every line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from weir_proto.v1 import ingest_pb2
from weir_server.gateway.findings import Findings, longer_rows
from weir_server.gateway.limits import Code
from weir_server.gateway.names import Fault, Names
from weir_server.gateway.points import (
    F8,
    I8,
    U4,
    Indices,
    Ints,
    Mask,
    PointRules,
    add_mismatch,
    good_indices,
    good_times,
)

_U8: Final = np.dtype("<u8")
_PROCESS_BYTES: Final = 16
_STREAMS: Final = (ingest_pb2.LineBlock.STDOUT, ingest_pb2.LineBlock.LOGGING)  # first and last
_OF_METRICS_ONLY: Final = frozenset({Code.TOO_MANY_METRICS, Code.METRIC_NAME_EMPTY})


def count_of(body: ingest_pb2.Body) -> int:
    """Return how many values and lines a body holds that are neither points nor texts."""
    return sum(len(block.value) // F8.itemsize for block in body.system) + sum(
        len(block.line) for block in body.lines
    )


def metrics_used(body: ingest_pb2.Body) -> frozenset[int] | None:
    """Return the indices of names that count as metrics of the run; None = all of them.

    What nodes measure has names of its own: they are the same for every run.
    """
    if not body.system:
        return None
    columns = [*(b.metric for b in body.points), *(b.metric for b in body.texts)]
    whole = [np.frombuffer(raw, U4) for raw in columns if len(raw) % U4.itemsize == 0]
    return frozenset(np.unique(np.concatenate([np.empty(0, U4), *whole])).tolist())


def check_system(
    block: ingest_pb2.SystemBlock, rules: PointRules, findings: Findings
) -> ingest_pb2.SystemBlock | None:
    """Return the block, or what is good of it, or None when nothing is."""
    points, rest = divmod(len(block.value), F8.itemsize)
    indices = points * U4.itemsize
    if rest or not (
        len(block.metric) == len(block.device) == indices
        and len(block.time_unix_us) == points * I8.itemsize
    ):
        add_mismatch(findings, "system", points)
        return None
    metric, device = np.frombuffer(block.metric, U4), np.frombuffer(block.device, U4)
    time_us = np.frombuffer(block.time_unix_us, I8)
    keep = _good_system(metric, device, time_us, rules, findings)
    if keep.all():
        return block
    if not keep.any():
        return None
    return ingest_pb2.SystemBlock(
        metric=metric[keep].tobytes(),
        device=device[keep].tobytes(),
        time_unix_us=time_us[keep].tobytes(),
        value=np.frombuffer(block.value, F8)[keep].tobytes(),
    )


def _good_system(
    metric: Indices, device: Indices, time_us: Ints, rules: PointRules, findings: Findings
) -> Mask:
    names = rules.names
    keep = good_times(time_us, rules, findings)
    # One after the other, so that a point with several faults is counted once.
    keep &= good_indices(
        metric, _without(names, {Code.TOO_MANY_METRICS}), findings, among=keep, field="metric"
    )
    keep &= good_indices(
        device, _without(names, _OF_METRICS_ONLY), findings, among=keep, field="device"
    )
    return keep


def _without(names: Names, codes: Iterable[Code]) -> Names:
    """Return the names without faults that are none here."""
    if not names.faults:
        return names
    left_out = frozenset(codes)
    faults: Mapping[int, Fault] = {
        index: fault for index, fault in names.faults.items() if fault.code not in left_out
    }
    return Names(names.table, faults)


def check_lines(
    block: ingest_pb2.LineBlock, rules: PointRules, findings: Findings
) -> ingest_pb2.LineBlock | None:
    """Return the block, or what is good of it, or None when nothing is."""
    lines = list(block.line)  # once: every look into a repeated field makes its strings anew
    if not _lines_fit(block, len(lines)):
        add_mismatch(findings, "lines", len(lines))
        return None
    if len(block.process) != _PROCESS_BYTES:
        _refuse(findings, max(len(lines), 1), len(lines), "process", "a process has 16 bytes")
        return None
    time_us = np.frombuffer(block.time_unix_us, I8)
    stream = np.frombuffer(block.stream, np.uint8)
    keep = good_times(time_us, rules, findings)
    keep &= _good_streams(stream, keep, findings)
    keep &= _good_lengths(lines, keep, rules.limits.max_text_bytes, findings)
    if keep.all():
        return block
    if not keep.any():
        return None
    return ingest_pb2.LineBlock(
        process=block.process,
        rank=block.rank,
        number=np.frombuffer(block.number, _U8)[keep].tobytes(),
        time_unix_us=time_us[keep].tobytes(),
        stream=stream[keep].tobytes(),
        level=np.frombuffer(block.level, np.uint8)[keep].tobytes(),
        line=[line for line, kept in zip(lines, keep.tolist(), strict=True) if kept],
    )


def _lines_fit(block: ingest_pb2.LineBlock, lines: int) -> bool:
    return (
        len(block.number) == lines * _U8.itemsize
        and len(block.time_unix_us) == lines * I8.itemsize
        and len(block.stream) == len(block.level) == lines
    )


def _good_streams(stream: NDArray[np.uint8], among: Mask, findings: Findings) -> Mask:
    first, last = _STREAMS
    known: Mask = (stream >= first) & (stream <= last)
    unknown = int((among & ~known).sum())
    if unknown:
        _refuse(findings, unknown, unknown, "stream", f"a stream is {first} … {last}")
    return known


def _good_lengths(lines: Sequence[str], among: Mask, limit_bytes: int, findings: Findings) -> Mask:
    short = np.ones(len(lines), np.bool_)
    short[longer_rows(lines, limit_bytes)] = False
    long = int((among & ~short).sum())
    if long:
        findings.add(
            Code.TEXT_TOO_LONG,
            "line",
            f"the line takes over {limit_bytes} bytes, cut it",
            count=long,
            points=long,
        )
    return short


def _refuse(findings: Findings, count: int, points: int, field: str, message: str) -> None:
    findings.add(Code.LINE_INVALID, field, message, count=count, points=points)
