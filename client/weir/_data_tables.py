"""Fingerprints of data frames and Arrow tables: schema and content. Imports none of their libraries.

pandas hashes rows itself; polars goes the way of Arrow. Beyond 100 MB, 100 000 rows spread evenly
stand for all, which is said. The same rows in another order, or other types, are other data; and
another version of the library may come to another fingerprint for the same rows.
"""

import hashlib
import sys
from importlib import import_module
from typing import Any, Final

FULL_BYTES: Final = 100 << 20
_SAMPLED_ROWS: Final = 100_000
_MAX_COLUMNS: Final = 500


def table_facts(table: Any) -> dict[str, Any] | None:
    """Return facts on a pandas or polars data frame, Arrow table or Hugging Face dataset.

    None when it is none of these. Keys: `kind`, `library`, `rows`, `columns`, `schema`,
    `size_bytes`, `fingerprint`, `fingerprint_of`.
    """
    module = type(table).__module__.partition(".")[0]
    name = type(table).__name__
    if module == "pandas" and name in {"DataFrame", "Series"}:
        return _pandas(table.to_frame() if name == "Series" else table)
    if module == "polars" and name in {"DataFrame", "Series"}:
        frame = table.to_frame() if name == "Series" else table
        return {**_arrow(frame.to_arrow()), "kind": "polars", "library": _version("polars")}
    if module == "pyarrow" and name in {"Table", "RecordBatch"}:
        return {**_arrow(table), "kind": "arrow", "library": _version("pyarrow")}
    if module == "datasets" and hasattr(table, "_fingerprint"):
        return _hugging_face(table)
    return None


def _pandas(frame: Any) -> dict[str, Any]:
    pandas = sys.modules["pandas"]
    schema = {
        str(column): str(kind) for column, kind in zip(frame.columns, frame.dtypes, strict=True)
    }
    size_bytes = int(frame.memory_usage(index=True, deep=False).sum())
    rows = len(frame)
    part = frame if size_bytes <= FULL_BYTES else frame.iloc[:: max(1, rows // _SAMPLED_ROWS)]
    digest = hashlib.sha256(f"{rows} {list(schema.items())}\n".encode(errors="replace"))
    for number in range(part.shape[1]):  # by place: two columns may have one name
        digest.update(_pandas_column(pandas, part.iloc[:, number]))
    digest.update(_pandas_column(pandas, part.index.to_series()))
    return {
        "kind": "pandas",
        "library": _version("pandas"),
        **_shape(rows, schema, size_bytes),
        **_print(digest, len(part), rows),
    }


def _pandas_column(pandas: Any, column: Any) -> bytes:
    """Of values that cannot be hashed, as lists, what they print as."""
    try:
        hashes = pandas.util.hash_pandas_object(column, index=False)
    except TypeError:
        hashes = pandas.util.hash_pandas_object(column.map(repr), index=False)
    return bytes(hashes.to_numpy().tobytes())


def _arrow(table: Any) -> dict[str, Any]:
    """By columns, as Arrow's own stream format has them: whatever chunks the table is in."""
    pyarrow = sys.modules["pyarrow"]
    if not hasattr(table, "combine_chunks") or not hasattr(table, "itercolumns"):
        table = pyarrow.Table.from_batches([table])
    rows, size_bytes = table.num_rows, int(table.nbytes)
    schema = {field.name: str(field.type) for field in table.schema}
    part = table
    if size_bytes > FULL_BYTES:
        part = table.take(list(range(0, rows, max(1, rows // _SAMPLED_ROWS))))
    digest = hashlib.sha256(f"{rows} {list(schema.items())}\n".encode(errors="replace"))
    ipc = import_module("pyarrow.ipc")
    plain = part.replace_schema_metadata(None).combine_chunks()
    sink = _DigestSink(digest)
    with ipc.new_stream(pyarrow.PythonFile(sink, mode="w"), plain.schema) as stream:
        stream.write_table(plain)
    return {**_shape(rows, schema, size_bytes), **_print(digest, part.num_rows, rows)}


class _DigestSink:
    """A file that only counts what is written into its digest."""

    closed = False

    def __init__(self, digest: Any) -> None:
        self._digest = digest
        self._size = 0

    def write(self, content: Any) -> int:
        self._digest.update(content)
        self._size += len(content)
        return len(content)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        self.closed = True


def _hugging_face(dataset: Any) -> dict[str, Any]:
    """The library keeps a fingerprint of how a dataset came about; nothing is read."""
    info = getattr(dataset, "info", None)
    found = {
        "kind": "huggingface",
        "library": _version("datasets"),
        "rows": len(dataset) if hasattr(dataset, "__len__") else None,
        "columns": len(getattr(dataset, "column_names", None) or ()),
        "schema": {
            name: str(kind) for name, kind in (getattr(dataset, "features", None) or {}).items()
        },
        "fingerprint": f"huggingface:{dataset._fingerprint}",
        "fingerprint_of": "how it came about, as the library says",
        "builder": getattr(info, "builder_name", None),
        "config": getattr(info, "config_name", None),
        "split": str(getattr(dataset, "split", "") or ""),
        "source_version": str(getattr(info, "version", "") or ""),
    }
    return {key: value for key, value in found.items() if value not in (None, "", {})}


def _shape(rows: int, schema: dict[str, str], size_bytes: int) -> dict[str, Any]:
    shown = dict(list(schema.items())[:_MAX_COLUMNS])
    return {"rows": rows, "columns": len(schema), "schema": shown, "size_bytes": size_bytes}


def _print(digest: Any, looked_at: int, rows: int) -> dict[str, str]:
    of = "schema and content" if looked_at == rows else f"schema and {looked_at} of {rows} rows"
    return {"fingerprint": f"sha256:{digest.hexdigest()}", "fingerprint_of": of}


def _version(module: str) -> str:
    return f"{module} {getattr(sys.modules.get(module), '__version__', '')}".strip()
