"""Runs as rows of a file: everything the table says of them, unrounded. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import pyarrow as pa

from weir_dashboard import columns_of, words
from weir_dashboard.run_table import cell
from weir_store.records import Run

_TIME: Final = pa.timestamp("us", "UTC")


def table(runs: Sequence[Run], columns: Sequence[str], now_unix_s: float) -> pa.Table:
    """Return one row a run, in order: what every run has, then the columns under their full names.

    A column that holds numbers alone is numeric, one that holds true and false alone is boolean; of a mixed one
    every value is text.
    """
    held: dict[str, pa.Array] = {
        "project": pa.array([run.project for run in runs], pa.string()),
        "run_id": pa.array([run.run_id for run in runs], pa.string()),
        "name": pa.array([run.name for run in runs], pa.string()),
        "state": pa.array([str(run.state) for run in runs], pa.string()),
        "created": pa.array([run.created_unix_us for run in runs], pa.int64()).cast(_TIME),
        "duration_s": pa.array([words.run_span_s(run, now_unix_s) for run in runs], pa.float64()),
        "ranks": pa.array([run.ranks for run in runs], pa.int64()),
        "user": pa.array([run.user for run in runs], pa.string()),
        "group": pa.array([run.group for run in runs], pa.string()),
        "tags": pa.array([list(run.tags) for run in runs], pa.list_(pa.string())),
        "notes": pa.array([run.notes for run in runs], pa.string()),
    }
    for column in columns_of.known(columns):
        held[columns_of.label(column)] = _array(cell(run, column) for run in runs)
    return pa.table(held)


def _array(values: Iterable[object]) -> pa.Array:
    found = list(values)
    kinds = {type(value) for value in found if value is not None}
    if kinds <= {bool}:
        return pa.array(found, pa.bool_())
    if kinds <= {int} and all(abs(value) < 1 << 63 for value in found if isinstance(value, int)):
        return pa.array(found, pa.int64())
    if kinds <= {int, float}:
        return pa.array([None if value is None else _number(value) for value in found])
    texts = [None if value is None else _text(value) for value in found]
    return pa.array(texts, pa.string())


def _number(value: Any) -> float:
    return float(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
