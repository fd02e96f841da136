"""Rows to a Parquet file and back, in bounded memory: the layout of docs/formats/export.md."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

_GROUP_ROWS: Final = 1 << 17  # of a row group: what a question for one series reads at least
_GROUP_BYTES: Final = 64 << 20
_AT_ONCE_ROWS: Final = 1 << 19
_RISING: Final = ("step", "ts", "ver", "number")


def write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], path: Path) -> int:
    """Write rows as plain Parquet, without Arrow's own schema; return how many there were."""
    rows = 0
    with pq.ParquetWriter(path, schema, **_options(schema)) as writer:
        for group in _groups(schema, batches):
            writer.write_table(group, row_group_size=group.num_rows)
            rows += group.num_rows
    return rows


def read_parquet(path: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of a file, some hundred thousand at a time."""
    names = [field.name for field in schema if pa.types.is_dictionary(field.type)]
    with pq.ParquetFile(path, read_dictionary=names) as file:
        for batch in file.iter_batches(_AT_ONCE_ROWS):
            yield pa.Table.from_batches([batch])


def sha256_of(path: Path) -> str:
    """Return the digest of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _options(schema: pa.Schema) -> dict[str, Any]:
    """Names as dictionaries, rising numbers as differences, of measured ones equal bytes together."""
    how = dict.fromkeys((f.name for f in schema if f.name in _RISING), "DELTA_BINARY_PACKED")
    how |= {f.name: "BYTE_STREAM_SPLIT" for f in schema if pa.types.is_floating(f.type)}
    named = [f.name for f in schema if pa.types.is_dictionary(f.type) or f.name == "rank"]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": named,
        "column_encoding": how,
        "store_schema": False,
        "version": "2.6",
    }


def _groups(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    rows = size_bytes = 0
    for batch in batches:
        for start in range(0, batch.num_rows, _GROUP_ROWS):
            piece = batch.slice(start, _GROUP_ROWS)
            held.append(piece)
            rows += piece.num_rows
            size_bytes += piece.nbytes
            if rows >= _GROUP_ROWS or size_bytes >= _GROUP_BYTES:
                yield pa.Table.from_batches(held, schema).unify_dictionaries()
                held, rows, size_bytes = [], 0, 0
    if held:
        yield pa.Table.from_batches(held, schema).unify_dictionaries()
