"""Series as bytes a browser reads without parsing: typed arrays behind a small JSON header. Pure.

    u32 header length · JSON header · zeros to a multiple of 8 · columns, each on a multiple of 8

Little-endian. The header holds `series` ({run, metric, rank, points} in the order
of the columns' rows), `columns` ({name, type, offset from the first column,
length}) and `widths` (metric → {every, width}: what one row stands for, in the
unit of x). Columns: x f64 · y lo hi f32, or f64 where f32 would lose a value ·
bad u8 (bit 0 NaN, bit 1 +Inf, bit 2 −Inf). component/assets/packed.js reads it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from weir_store.records import XAxis

Column: TypeAlias = npt.NDArray[Any]

_ALIGN: Final = 8
_TYPES: Final = {np.dtype("<f8"): "f64", np.dtype("<f4"): "f32", np.dtype("u1"): "u8"}


def pack(table: pa.Table, axis: XAxis, *, log_x: bool = False) -> bytes:
    """Pack thinned or rank-reduced rows as `Reader.read_series` returns them.

    Args:
        table: Ordered by project, run_id, metric, rank, x.
        axis: What x is; buckets over steps are powers of two.
        log_x: Buckets grow with x; their width is told as a part of x.
    """
    centre = "mean" if "mean" in table.column_names else "last"
    columns = {
        "x": numbers(table, "x", "<f8"),
        "y": narrow(numbers(table, centre, "<f8")),
        "lo": narrow(numbers(table, "min", "<f8")),
        "hi": narrow(numbers(table, "max", "<f8")),
        "bad": numbers(table, "nonfinite", "u1"),
    }
    starts = _starts(table)
    return assemble(_series(table, starts), widths(table, starts, axis, log_x=log_x), columns)


def assemble(
    series: Sequence[Mapping[str, Any]],
    widths: Mapping[str, Mapping[str, Any]],
    columns: Mapping[str, Column],
) -> bytes:
    """Put header and columns together: the form above, with these columns."""
    header = {"series": series, "widths": widths, "columns": _layout(columns)}
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    parts = [_padded(struct.pack("<I", len(text)) + text)]
    parts += [_padded(column.tobytes()) for column in columns.values()]
    return b"".join(parts)


def widths(
    table: pa.Table, starts: Column, axis: XAxis, *, log_x: bool = False
) -> dict[str, dict[str, Any]]:
    """Tell per metric whether every point is there, and else how wide a bucket is."""
    if table.num_rows == 0:
        return {}
    low, high = numbers(table, "x_min", "<f8"), numbers(table, "x_max", "<f8")
    metrics = table.column("metric").take(pa.array(starts)).to_pylist()
    ends = np.append(starts[1:], table.num_rows)
    found: dict[str, dict[str, Any]] = {}
    for metric, start, end in zip(metrics, starts, ends, strict=True):
        ends_of = (low[start:end], high[start:end])
        width = part_of_x(*ends_of) if log_x else bucket_width(*ends_of, axis)
        known = found.setdefault(metric, {"every": True, "width": 0.0})
        known["every"] = known["every"] and width == 0.0
        known["width"] = max(known["width"], width)
    return found


def bucket_width(low: Column, high: Column, axis: XAxis) -> float:
    """Infer how wide the buckets are whose points span [low, high]; 0 = one point each.

    Over steps: the smallest power of two whose aligned buckets hold every span.
    Over other axes: the widest span, which is at most the bucket's width.
    """
    if not np.any(high > low):
        return 0.0
    if axis is not XAxis.STEP:
        return float(np.max(high - low))
    spanned = np.bitwise_or.reduce(low.astype(np.int64) ^ high.astype(np.int64))
    return float(1 << int(spanned).bit_length())


def part_of_x(low: Column, high: Column) -> float:
    """Return the widest bucket of a logarithmic axis, as a part of the x where it begins; 0 = one point each."""
    wide = (low > 0) & (high > low)
    return float(np.max(high[wide] / low[wide] - 1)) if np.any(wide) else 0.0


def numbers(table: pa.Table, name: str, dtype: str) -> Column:
    """Return a column of the table as numbers of this type."""
    column: Column = table.column(name).to_numpy()
    return column.astype(dtype, copy=False)


def narrow(column: Column) -> Column:
    """Halve the bytes where float32 keeps every value apart from 0 and Inf."""
    with np.errstate(over="ignore", under="ignore"):
        small = column.astype("<f4")
    overflowed = np.isinf(small) != np.isinf(column)
    vanished = (small == 0) != (column == 0)
    return column if np.any(overflowed | vanished) else small


def _starts(table: pa.Table) -> Column:
    """Return the row where each series begins."""
    if table.num_rows == 0:
        return np.zeros(0, dtype=np.int64)
    changes = np.zeros(table.num_rows, dtype=bool)
    changes[0] = True
    for name in ("project", "run_id", "metric", "rank"):
        if name in table.column_names:
            codes = _codes(table.column(name))
            changes[1:] |= codes[1:] != codes[:-1]
    return np.flatnonzero(changes)


def _codes(column: pa.ChunkedArray) -> Column:
    whole = column.combine_chunks()
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    codes: Column = whole.indices.to_numpy(zero_copy_only=False)
    return codes


def _series(table: pa.Table, starts: Column) -> list[dict[str, Any]]:
    heads = table.take(pa.array(starts))
    points = np.diff(np.append(starts, table.num_rows)).tolist()
    ranks = heads.column("rank").to_pylist() if "rank" in heads.column_names else [0] * len(points)
    names = (heads.column(name).to_pylist() for name in ("project", "run_id", "metric"))
    return [
        {"run": f"{project}/{run_id}", "metric": metric, "rank": rank, "points": count}
        for project, run_id, metric, rank, count in zip(*names, ranks, points, strict=True)
    ]


def _layout(columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    layout, offset = [], 0
    for name, column in columns.items():
        layout.append(
            {"name": name, "type": _TYPES[column.dtype], "offset": offset, "length": len(column)}
        )
        offset += -(-column.nbytes // _ALIGN) * _ALIGN
    return layout


def _padded(raw: bytes) -> bytes:
    return raw + bytes(-len(raw) % _ALIGN)
