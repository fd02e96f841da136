"""Some columns of any table as plain rows, for a chart."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from weir._media.base import Unfit


def rows_of(table: Any, columns: Sequence[str], most: int) -> list[dict[str, Any]]:
    """Return the first rows of a table as dicts of plain values.

    Args:
        table: `weir.Table`, DataFrame of pandas or polars, Arrow table, or columns by name.
        columns: Which columns.
        most: At most so many rows.

    Raises:
        Unfit: There is no such column, or there are more rows.
    """
    found = {name: list(_column(table, name)) for name in columns}
    length = max(map(len, found.values()))
    if length > most:
        raise Unfit(f"a chart of {length:,} rows; at most {most:,}: log a part, or weir.Table")
    if min(map(len, found.values())) < length:
        raise Unfit("the columns are not equally long")
    return [{name: _plain(found[name][at]) for name in columns} for at in range(length)]


def _column(table: Any, name: str) -> Iterable[Any]:
    if hasattr(table, "dataframe") and table.dataframe is not None:  # weir.Table around a frame
        table = table.dataframe
    elif hasattr(table, "add_data"):
        if name not in table.columns:
            raise Unfit(f"the table has no column {name!r}, but {', '.join(table.columns)}")
        at = table.columns.index(name)
        return [row[at] for row in table.data]
    try:
        column = table[name]
    except (KeyError, LookupError, TypeError) as error:
        known = table if isinstance(table, Mapping) else getattr(table, "columns", ())
        raise Unfit(
            f"the table has no column {name!r}, but {', '.join(map(str, known))}"
        ) from error
    return column.tolist() if hasattr(column, "tolist") else list(column)


def _plain(value: Any) -> Any:
    if hasattr(value, "as_py"):  # Arrow
        value = value.as_py()
    elif hasattr(value, "item"):
        value = value.item()
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)
