"""Exported rows back into the tables they came from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from weir_store.base import Inserter
from weir_store.errors import InvalidQuery
from weir_store.export.base import exported_shape, is_uuid, stored_in, stored_shape


def stored_rows(table: str, rows: pa.Table) -> pa.Table:
    """Return exported rows as they are stored.

    Raises:
        InvalidQuery: There is no such table, or the columns are not as `exported_shape` says.
    """
    told, shape = exported_shape(table), stored_shape(table)
    if set(rows.column_names) != set(told.names):
        raise InvalidQuery(
            f"columns of {table} are {', '.join(sorted(rows.column_names))}",
            hint=f"they are to be {', '.join(told.names)}: was it exported by another release?",
        )
    try:
        columns = [_stored(field, rows[field.name]) for field in shape]
        return pa.table(columns, schema=shape)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError, TypeError) as error:
        raise InvalidQuery(f"rows of {table} are not as they are stored: {error}") from error


def write_rows(inserter: Inserter, table: str, rows: pa.Table) -> int:
    """Store exported rows; the same rows again are the same rows. Returns how many they are.

    Raises:
        InvalidQuery: As `stored_rows`.
        StoreUnavailable: Nothing is decided; repeat the same rows.
        StoreRejected: They can never be stored.
    """
    stored = stored_rows(table, rows)
    if stored.num_rows:
        inserter.insert({stored_in(table): stored}, f"import-{_digest(table, stored)}")
    return int(stored.num_rows)


def _stored(field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if column.null_count:
        raise ValueError(f"{field.name} has no value in {column.null_count} rows")
    if is_uuid(field):
        return _uuids(column)
    if field.name == "run_date":
        return column.cast(pa.int32()).cast(field.type)
    if pa.types.is_dictionary(field.type):
        # Several batches may have dictionaries of their own; a dictionary must not hold a value twice.
        return pc.dictionary_encode(_plain(column))
    return column.cast(field.type)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _uuids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    encoded = pc.dictionary_encode(_plain(column)).combine_chunks()
    chunks: Iterable[pa.DictionaryArray] = (
        encoded.chunks if isinstance(encoded, pa.ChunkedArray) else [encoded]
    )
    taken = [
        pa.array([UUID(text).bytes for text in chunk.dictionary.to_pylist()], pa.binary(16)).take(
            chunk.indices
        )
        for chunk in chunks
    ]
    return pa.chunked_array(taken, pa.binary(16))


def _digest(table: str, rows: pa.Table) -> str:
    """Return what the rows are, as a token against storing them twice."""
    digest = hashlib.sha256(table.encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows.combine_chunks())
    digest.update(sink.getvalue())
    return digest.hexdigest()
