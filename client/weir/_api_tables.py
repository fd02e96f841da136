"""Arrow streams as the table a notebook wants. pyarrow is imported when the first table is read."""

import io
from typing import Any, Final, Literal

from weir.errors import UsageError

TableKind = Literal["pandas", "polars", "arrow"]
_INSTALL: Final = 'pip install "weir[api]"'


def read_table(stream: io.BufferedIOBase, as_: TableKind) -> Any:
    """Read an Arrow IPC stream to its end.

    Raises:
        TransportError: The server did not send all of it.
        UsageError: The library for `as_` is not installed, or there is no such kind.
    """
    return shown_as(read_arrow(stream), as_)


def read_arrow(stream: io.BufferedIOBase) -> Any:
    """Read an Arrow IPC stream to its end, as the Arrow table it is. Raises `TransportError`."""
    return _import("pyarrow", _INSTALL).ipc.open_stream(stream).read_all()


def shown_as(table: Any, as_: TableKind) -> Any:
    """Return an Arrow table as the kind asked for; raises as `read_table` does."""
    if as_ not in ("pandas", "polars", "arrow"):
        raise UsageError(f"no such kind of table {as_!r}", hint="use pandas, polars or arrow")
    if as_ == "pandas":
        _import("pandas", _INSTALL)
        return table.to_pandas()
    if as_ == "polars":
        return _import("polars", "pip install polars").from_arrow(table)
    return table


def check_tables(as_: TableKind) -> None:
    """Raise `UsageError` before anything is asked for, when the answer could not be shown."""
    if as_ in ("pandas", "polars"):
        _import(as_, _INSTALL if as_ == "pandas" else "pip install polars")
    _import("pyarrow", _INSTALL)


def _import(name: str, hint: str) -> Any:
    from importlib import import_module

    try:
        if name == "pyarrow":
            import_module("pyarrow.ipc")
        return import_module(name)
    except ImportError as error:
        raise UsageError(f"tables need {name}, which is not installed", hint=hint) from error
