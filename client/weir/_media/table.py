"""Tables: typed columns as Parquet, with pictures in the cells if you like."""

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

from weir._media.base import MB, Blob, Encoded, Media, Snapshot, Taking, Unfit, without_none
from weir._media.cells import Cells, take_cells
from weir._media.need import need

MAX_ROWS: Final = 10_000_000
MAX_BYTES: Final = 200 * MB
MAX_COLUMNS: Final = 1_000  # their names and types live in the point
PARQUET: Final = "application/vnd.apache.parquet"


class Table(Media):
    """Rows and columns; needs pyarrow.

    Args:
        columns: Names of the columns; or a DataFrame of pandas or polars or an Arrow table, as the
            only argument.
        data: Rows, each as long as `columns`.
        dataframe: DataFrame of pandas or polars, or Arrow table.
        caption: Words beside it.

    Cells may be numbers, texts, instants, lists, and media such as `weir.Image` (at most 400 in a
    table). A column that mixes kinds becomes text.
    """

    kind: ClassVar = "table"

    def __init__(
        self,
        columns: Any = None,
        data: Iterable[Sequence[Any]] | None = None,
        *,
        dataframe: Any = None,
        caption: str | None = None,
    ) -> None:
        if _is_frame(columns) and data is None and dataframe is None:
            columns, dataframe = None, columns
        self.columns: list[str] = [str(name) for name in columns or ()]
        self.data: list[Sequence[Any]] = list(data or ())
        self.dataframe, self.caption = dataframe, caption

    def add_data(self, *row: Any) -> None:
        """Add one row; its width is checked when the table is logged."""
        self.data.append(row)

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        need("pyarrow", "a table")
        said = without_none({"caption": None if self.caption is None else str(self.caption)})
        if self.dataframe is not None:
            frame, rows = self.dataframe, len(self.dataframe)
            names = [str(name) for name in getattr(frame, "column_names", frame.columns)]
        else:
            names, rows = list(self.columns), len(self.data)
            frame = None
        if rows > MAX_ROWS:
            raise Unfit(f"a table of {rows:,} rows; at most {MAX_ROWS:,}: log a part, or a file")
        _check_names(names)
        if frame is None:
            copied, size_bytes = self._copy_rows(), 64 * len(self.data) * len(names)
        else:
            copied, size_bytes = _copy_frame(frame)
        if size_bytes > MAX_BYTES:
            raise Unfit(f"a table takes {size_bytes / MB:.0f} MB, over {MAX_BYTES // MB}")
        cells = Cells()
        columns = take_cells(copied, names, cells, taking)
        whole = copied if columns is None else None
        return Snapshot(
            size_bytes + cells.size_bytes, lambda: _encode(whole, columns, names, cells, said)
        )

    def _copy_rows(self) -> list[tuple[Any, ...]]:
        rows = [tuple(row) for row in self.data]
        for index, row in enumerate(rows):
            if len(row) != len(self.columns):
                raise Unfit(f"row {index} has {len(row)} cells for {len(self.columns)} columns")
        return rows


def _is_frame(data: Any) -> bool:
    return hasattr(data, "columns") and hasattr(data, "shape")


def _check_names(names: list[str]) -> None:
    if not names:
        raise Unfit("a table needs columns: weir.Table(columns=['a'], data=[[1]])")
    if len(names) > MAX_COLUMNS:
        raise Unfit(f"a table of {len(names):,} columns; at most {MAX_COLUMNS:,}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Unfit(f"two columns are called {twice!r}")


def _copy_frame(frame: Any) -> tuple[Any, int]:
    """A frame that nobody changes any more, and what it takes. polars and Arrow never change."""
    if hasattr(frame, "estimated_size"):  # polars
        return frame, int(frame.estimated_size())
    if hasattr(frame, "column_names"):  # Arrow
        return frame, int(frame.nbytes)
    if not hasattr(frame, "memory_usage"):
        raise Unfit(f"a {type(frame).__name__} is no table of pandas, polars or Arrow")
    return frame.copy(deep=True), int(frame.memory_usage(index=True, deep=False).sum())


def _encode(
    frame: Any,
    columns: dict[str, Any] | None,
    names: list[str],
    cells: Cells,
    said: dict[str, Any],
) -> Encoded:
    parquet = need("pyarrow.parquet", "a table")
    blobs = cells.encode()
    if columns is not None:
        table, mixed = _from_columns(columns, cells)
    else:
        table, mixed = _from_frame(frame)
    if blobs:
        marked = {"weir.media": json.dumps(cells.columns())}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **marked})
    file = io.BytesIO()
    parquet.write_table(table, file, compression="zstd")
    content = file.getvalue()
    if len(content) > MAX_BYTES:
        raise Unfit(f"a table takes {len(content) / MB:.0f} MB, over {MAX_BYTES // MB}")
    facts = {"type": Table.kind, "rows": table.num_rows, **said}
    facts["columns"] = [
        without_none(
            {
                "name": field.name,
                "type": str(field.type),
                "media": True if field.name in cells.columns() else None,
                "mixed": True if field.name in mixed else None,
            }
        )
        for field in table.schema
    ]
    return Encoded(facts, Blob(PARQUET, content), cells=blobs)


def _from_columns(columns: dict[str, Any], cells: Cells) -> tuple[Any, set[str]]:
    import pyarrow as pa

    arrays, mixed = [], set()
    for name, values in columns.items():
        found, is_mixed = _to_array(cells.named(name, values))
        arrays.append(found)
        mixed |= {name} if is_mixed else set()
    return pa.table(arrays, names=list(columns)), mixed


def _from_frame(frame: Any) -> tuple[Any, set[str]]:
    import pyarrow as pa

    if isinstance(frame, pa.Table):
        return frame, set()
    if hasattr(frame, "to_arrow"):
        return frame.to_arrow(), set()
    frame.columns = [str(name) for name in frame.columns]  # it is our copy
    mixed: set[str] = set()
    for name in frame.columns:
        if str(frame[name].dtype) == "object":
            found, is_mixed = _to_array(list(frame[name]))
            if is_mixed:
                frame[name] = found.to_pylist()
                mixed.add(name)
    return pa.Table.from_pandas(frame), mixed


def _to_array(values: Sequence[Any]) -> tuple[Any, bool]:
    """Values as one Arrow array; those that have no common type as texts."""
    import pyarrow as pa

    try:
        return pa.array(values, from_pandas=True), False
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        texts = [None if value is None else str(value) for value in values]
        return pa.array(texts, type=pa.string()), True
