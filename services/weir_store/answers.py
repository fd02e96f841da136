"""The columns of every Arrow answer, once: both readers conform to them."""

from __future__ import annotations

import pyarrow as pa

from weir_store.records import Reduce, SeriesQuery

_SERIES = [("project", pa.string()), ("run_id", pa.string()), ("metric", pa.string())]
_F64, _I64, _U32, _U8 = pa.float64(), pa.int64(), pa.uint32(), pa.uint8()

FULL = pa.schema(
    [
        *_SERIES,
        ("rank", _U32),
        ("x", _F64),
        ("step", _I64),
        ("time_unix_us", _I64),
        ("value", _F64),
    ]
)
THINNED = pa.schema(
    [
        *_SERIES,
        ("rank", _U32),
        ("x", _F64),
        ("x_min", _F64),
        ("x_max", _F64),
        ("step", _I64),
        ("first", _F64),
        ("last", _F64),
        ("min", _F64),
        ("max", _F64),
        ("nonfinite", _U8),
    ]
)
REDUCED = pa.schema(
    [
        *_SERIES,
        ("x", _F64),
        ("x_min", _F64),
        ("x_max", _F64),
        ("step", _I64),
        ("min", _F64),
        ("mean", _F64),
        ("max", _F64),
        ("ranks", _U32),
        ("nonfinite", _U8),
    ]
)
TEXT = pa.schema([("rank", _U32), ("step", _I64), ("time_unix_us", _I64), ("value", pa.string())])
LATEST = pa.schema(
    [
        *_SERIES,
        ("rank", _U32),
        ("step", _I64),
        ("time_unix_us", _I64),
        ("last", _F64),
        ("min", _F64),
        ("max", _F64),
        ("min_at", _I64),
        ("max_at", _I64),
        ("nonfinite", _U8),
    ]
)


def series_schema(query: SeriesQuery) -> pa.Schema:
    """Return the columns that answer this question."""
    thinned = FULL if query.max_points is None else THINNED
    schema = REDUCED if query.reduce is Reduce.RANKS else thinned
    return _encoded(schema) if query.encoded else schema


def _encoded(schema: pa.Schema) -> pa.Schema:
    """Return the same columns with texts as dictionaries."""
    name = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([(f.name, name if f.type == pa.string() else f.type) for f in schema])


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Bring a table to the schema: its columns, their order and their types."""
    return table.select(schema.names).cast(schema)
