"""Rows on their way: an Arrow stream into a Parquet file, and a Parquet file into Arrow streams."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from weir._api_tables import import_late

_GROUP_ROWS: Final = 1 << 19  # of a row group: what is held in memory
_GROUP_BYTES: Final = 64 << 20
_AT_ONCE_ROWS: Final = 1 << 17
_AT_ONCE_BYTES: Final = 4 << 20


class Written:
    """What a file came to.

    Attributes:
        rows: How many.
        by_run: How many of each `run_id`; empty for tables without.
        born: `created_at` of each run, Unix µs; of the table `runs` only.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.by_run: Counter[str] = Counter()
        self.born: dict[str, int] = {}


def write_parquet(stream: Any, path: Path, *, births: bool = False) -> Written:
    """Write an Arrow IPC stream as Parquet, in bounded memory.

    Plain Parquet, without Arrow's own schema: what any reader makes of it is what is there.
    """
    pa, pq = import_late("pyarrow"), import_late("pyarrow.parquet")
    written = Written()
    with pa.ipc.open_stream(stream) as batches:
        schema = batches.schema
        with pq.ParquetWriter(path, schema, **_options(pa, schema)) as writer:
            for table in _groups(pa, batches):
                _count(pa, table, written, births=births)
                writer.write_table(table, row_group_size=table.num_rows)
    return written


def read_pieces(
    path: Path, names: dict[str, str | None], suffix: str
) -> Iterator[tuple[bytes, int]]:
    """Yield a Parquet file as Arrow IPC streams of a few MiB, each with its rows.

    Args:
        path: The file.
        names: By column of projects: what to call them all; None leaves them.
        suffix: Put behind the id of every run.
    """
    pa, pq = import_late("pyarrow"), import_late("pyarrow.parquet")
    repeated = [
        column.name
        for column in pq.read_schema(path)
        if column.type == pa.string() and column.name in _NAMES
    ]
    with pq.ParquetFile(path, read_dictionary=repeated) as file:
        for batch in file.iter_batches(_AT_ONCE_ROWS):
            table = _renamed(pa, pa.Table.from_batches([batch]), names, suffix)
            yield from _pieces(pa, table)


def sha256_of(path: Path) -> str:
    """Return the digest of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


_NAMES: Final = frozenset({"project", "run_id", "metric", "node", "device", "stream", "kind"})
_RUN_IDS: Final = ("run_id", "parent_run_id")


def _options(pa: Any, schema: Any) -> dict[str, Any]:
    """Names as dictionaries, rising numbers as differences: small, and quick to write."""
    rising = [f.name for f in schema if f.name in ("step", "ts", "ver", "number")]
    named = [f.name for f in schema if pa.types.is_dictionary(f.type) or f.name == "rank"]
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": named,
        "column_encoding": dict.fromkeys(rising, "DELTA_BINARY_PACKED"),
        "store_schema": False,
        "version": "2.6",
    }


def _groups(pa: Any, batches: Any) -> Iterator[Any]:
    held: list[Any] = []
    rows = size_bytes = 0
    for batch in batches:
        held.append(batch)
        rows += batch.num_rows
        size_bytes += batch.nbytes
        if rows >= _GROUP_ROWS or size_bytes >= _GROUP_BYTES:
            yield _one(pa, held)
            held, rows, size_bytes = [], 0, 0
    if held:
        yield _one(pa, held)


def _one(pa: Any, batches: list[Any]) -> Any:
    return pa.Table.from_batches(batches).unify_dictionaries()


def _count(pa: Any, table: Any, written: Written, *, births: bool) -> None:
    written.rows += table.num_rows
    if "run_id" in table.column_names:
        for each in table["run_id"].cast(pa.string()).value_counts().to_pylist():
            written.by_run[each["values"]] += each["counts"]
    if births:
        born = table["created_at"].cast(pa.int64()).to_pylist()
        written.born.update(zip(table["run_id"].to_pylist(), born, strict=True))


def _renamed(pa: Any, table: Any, names: dict[str, str | None], suffix: str) -> Any:
    for column, name in names.items():
        if name is not None and column in table.column_names:
            table = _set(table, column, pa.repeat(name, table.num_rows))
    if suffix:
        pc = import_late("pyarrow.compute")
        for column in _RUN_IDS:
            if column in table.column_names:
                ids = table[column].cast(pa.string())
                named = pc.binary_join_element_wise(ids, suffix, "")
                table = _set(table, column, pc.if_else(pc.equal(ids, ""), ids, named))
    return table


def _set(table: Any, column: str, values: Any) -> Any:
    return table.set_column(table.column_names.index(column), column, values)


def _pieces(pa: Any, table: Any) -> Iterator[tuple[bytes, int]]:
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table.combine_chunks())
    data = sink.getvalue()
    if data.size > _AT_ONCE_BYTES and table.num_rows > 1:
        half = table.num_rows // 2
        yield from _pieces(pa, table.slice(0, half))
        yield from _pieces(pa, table.slice(half))
    else:
        yield data.to_pybytes(), table.num_rows
