"""Bands of groups in the form of packing.py: `y` is the mean, `lo` and `hi` the lowest and highest point. Pure.

More columns beside these: std, ci (half of the 95 % interval), n (runs in the mean), odd (runs with
NaN or ±Inf in the bucket), all f32; `run` in the header is the group's name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from weir_dashboard.packing import Column, assemble, narrow, numbers, widths
from weir_store.records import XAxis


def pack_bands(table: pa.Table, axis: XAxis, *, log_x: bool = False) -> bytes:
    """Pack BANDS (weir_store/groups/base.py) as `GroupReader.read_bands` returns them.

    Args:
        table: Ordered by group, metric, x.
        axis: What x is.
        log_x: Buckets grow with x; their width is told as a part of x.
    """
    columns = {
        "x": numbers(table, "x", "<f8"),
        "y": narrow(numbers(table, "mean", "<f8")),
        "lo": narrow(numbers(table, "min", "<f8")),
        "hi": narrow(numbers(table, "max", "<f8")),
        "std": narrow(numbers(table, "std", "<f8")),
        "ci": narrow(numbers(table, "ci", "<f8")),
        "n": numbers(table, "n", "<f4"),
        "odd": numbers(table, "bad", "<f4"),
        "bad": numbers(table, "nonfinite", "u1"),
    }
    starts = _starts(table)
    return assemble(_lines(table, starts), widths(table, starts, axis, log_x=log_x), columns)


def _lines(table: pa.Table, starts: Column) -> list[dict[str, Any]]:
    heads = table.take(pa.array(starts))
    points = np.diff(np.append(starts, table.num_rows)).tolist()
    names = (heads.column(name).to_pylist() for name in ("group", "metric"))
    return [
        {"run": group, "metric": metric, "rank": 0, "points": count}
        for group, metric, count in zip(*names, points, strict=True)
    ]


def _starts(table: pa.Table) -> Column:
    """Return the row where each line begins."""
    if table.num_rows == 0:
        return np.zeros(0, dtype=np.int64)
    changes = np.ones(table.num_rows, dtype=bool)
    changes[1:] = False
    for name in ("group", "metric"):
        codes = table.column(name).combine_chunks().dictionary_encode().indices.to_numpy()
        changes[1:] |= codes[1:] != codes[:-1]
    return np.flatnonzero(changes)
