"""What `weir sql` writes: one function per format, from batches to a file, in bounded memory."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from weir._api_tables import import_late
from weir._printing import print_table
from weir._sql_command_values import for_csv, for_json, in_a_cell
from weir.errors import UsageError

if TYPE_CHECKING:
    from weir._api_sql import SqlResult

FORMATS: Final = ("table", "csv", "json", "jsonl", "arrow", "parquet")
BINARY: Final = frozenset({"arrow", "parquet"})
_ROWS_AT_ONCE: Final = 65_536  # of a Parquet row group


def format_of(given: str | None, path: Path | None) -> str:
    """Return the format asked for: by name, else by the suffix of the file, else a table."""
    if given:
        return given
    suffix = path.suffix[1:].lower() if path else ""
    return suffix if suffix in FORMATS else "table"


def show_table(result: "SqlResult") -> int:
    """Print a table for people; return how many rows it has."""
    from rich.markup import escape

    schema, rows = result.schema, []
    types = import_late("pyarrow").types
    for batch in result.batches():
        columns = [column.to_pylist() for column in batch.columns]
        rows += [[in_a_cell(value) for value in row] for row in zip(*columns, strict=True)]
    names = list(map(escape, _apart(schema.names)))
    numbers = (types.is_integer, types.is_floating, types.is_decimal)
    right = [n for n, f in zip(names, schema, strict=True) if any(is_(f.type) for is_ in numbers)]
    print_table(names, rows, right=right)
    return len(rows)


def write(result: "SqlResult", form: str, out: BinaryIO) -> int:
    """Write an answer to `out` in any format but `table`; return how many rows it has.

    Raises:
        UsageError: pyarrow was built without Parquet.
        TransportError: The answer broke off; what was written is a part of it.
    """
    return _WRITERS[form](result, out)


def _apart(names: list[str]) -> list[str]:
    """Two columns of one name are two columns: the heading of the second says so."""
    return [f"{n} ({names[:i].count(n) + 1})" if n in names[:i] else n for i, n in enumerate(names)]


def _csv(result: "SqlResult", out: BinaryIO) -> int:
    text = io.TextIOWrapper(out, "utf-8", newline="", write_through=True)
    writer, count = csv.writer(text), 0
    try:
        writer.writerow(result.schema.names)
        for batch in result.batches():
            columns = [map(for_csv, column.to_pylist()) for column in batch.columns]
            writer.writerows(zip(*columns, strict=True))
            count += batch.num_rows
    finally:
        text.detach()
    return count


def _json(result: "SqlResult", out: BinaryIO) -> int:
    out.write(b"[")
    count = _objects(result, out, before=b"\n", between=b",\n")
    out.write(b"\n]\n")
    return count


def _jsonl(result: "SqlResult", out: BinaryIO) -> int:
    count = _objects(result, out, before=b"", between=b"\n")
    out.write(b"\n" if count else b"")
    return count


def _objects(result: "SqlResult", out: BinaryIO, *, before: bytes, between: bytes) -> int:
    names, count = _apart(result.schema.names), 0
    for batch in result.batches():
        columns = [map(for_json, column.to_pylist()) for column in batch.columns]
        for row in zip(*columns, strict=True):
            out.write(between if count else before)
            row_object = dict(zip(names, row, strict=True))
            out.write(json.dumps(row_object, ensure_ascii=False, allow_nan=False).encode())
            count += 1
    return count


def _arrow(result: "SqlResult", out: BinaryIO) -> int:
    """A file that polars and pandas open by name; a pipe gets the same."""
    arrow = import_late("pyarrow")
    return _with_writer(result, arrow.ipc.new_file(out, result.schema))


def _parquet(result: "SqlResult", out: BinaryIO) -> int:
    try:
        from pyarrow.parquet import ParquetWriter
    except ImportError as error:
        raise UsageError(f"pyarrow has no Parquet here: {error}", hint="--format arrow") from error
    return _with_writer(result, ParquetWriter(out, result.schema, compression="zstd"))


def _with_writer(result: "SqlResult", writer: Any) -> int:
    count = 0
    with writer:
        for batch in result.batches():
            for first in range(0, batch.num_rows, _ROWS_AT_ONCE):
                writer.write_batch(batch.slice(first, _ROWS_AT_ONCE))
            count += batch.num_rows
    return count


_WRITERS: Final[dict[str, Callable[["SqlResult", BinaryIO], int]]] = {
    "csv": _csv,
    "json": _json,
    "jsonl": _jsonl,
    "arrow": _arrow,
    "parquet": _parquet,
}
