"""Arrow streams as the table a notebook wants. pyarrow is imported when the first table is read.

A table that is not all there is says so: see `marked`.
"""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

from weir.errors import UsageError
from weir_proto.v1 import query_pb2, runs_pb2

TableKind = Literal["pandas", "polars", "arrow"]
_PAGE_TEXTS: Final = 10_000
_FACTS: Final = b"weir"
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


def read_names(stream: io.BufferedIOBase) -> Any:
    """Read an Arrow IPC stream of which texts may come as dictionaries; they are texts in the table."""
    return _named(read_arrow(stream))


def stream_names(stream: io.BufferedIOBase) -> Iterator[Any]:
    """Read such a stream table by table, as its batches come. Raises `TransportError`."""
    pa = _import("pyarrow", _INSTALL)
    with pa.ipc.open_stream(stream) as batches:
        for batch in batches:
            yield _named(pa.Table.from_batches([batch]))


def _named(table: Any) -> Any:
    pa = _import("pyarrow", _INSTALL)
    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(index, field.name, table.column(index).cast(pa.string()))
    return table


def read_texts(
    ask: Callable[[query_pb2.ReadTextRequest], io.BufferedIOBase],
    ref: runs_pb2.RunRef,
    metric: str,
    limit: int | None,
) -> Any:
    """Read texts or media page by page, as an Arrow table; `marked` when there are more than asked for.

    Raises:
        TransportError: The server did not send all of it.
        UsageError: The limit is none.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}", hint="1 or more, or None for all")
    pages, rows = [], 0
    request = query_pb2.ReadTextRequest(run=ref, metric=metric)
    while True:
        wanted = _PAGE_TEXTS if limit is None else min(_PAGE_TEXTS, limit + 1 - rows)
        request.limit = wanted
        page = read_arrow(ask(request))
        pages.append(page)
        rows += page.num_rows
        if page.num_rows < wanted or (limit is not None and rows > limit):
            break
        request.after.rank, request.after.step = page["rank"][-1].as_py(), page["step"][-1].as_py()
    table = _import("pyarrow", _INSTALL).concat_tables(pages)
    return table if limit is None else marked(table.slice(0, limit), cut=rows > limit)


def marked(table: Any, **facts: Any) -> Any:
    """Return an Arrow table that says of itself how it differs from all there is.

    `shown_as` hands it on: pandas has it in `frame.attrs["weir"]`, Arrow as JSON under `weir` in
    the metadata of the schema; polars has no place for it.
    """
    told = {name: fact for name, fact in facts.items() if fact}
    if not told:
        return table
    known = {**(table.schema.metadata or {}), _FACTS: json.dumps(told).encode()}
    return table.replace_schema_metadata(known)


def _shown_in_pandas(table: Any) -> Any:
    frame = table.to_pandas()
    if facts := (table.schema.metadata or {}).get(_FACTS):
        frame.attrs["weir"] = json.loads(facts)
    return frame


def shown_as(table: Any, as_: TableKind) -> Any:
    """Return an Arrow table as the kind asked for; raises as `read_table` does."""
    if as_ not in ("pandas", "polars", "arrow"):
        raise UsageError(f"no such kind of table {as_!r}", hint="use pandas, polars or arrow")
    if as_ == "pandas":
        _import("pandas", _INSTALL)
        return _shown_in_pandas(table)
    if as_ == "polars":
        return _import("polars", "pip install polars").from_arrow(table)
    return table


def check_tables(as_: TableKind) -> None:
    """Raise `UsageError` before anything is asked for, when the answer could not be shown."""
    if as_ in ("pandas", "polars"):
        _import(as_, _INSTALL if as_ == "pandas" else "pip install polars")
    _import("pyarrow", _INSTALL)


def import_late(name: str) -> Any:
    """Return a library of `weir[api]`. Raises `UsageError` when it is not installed."""
    return _import(name, _INSTALL)


def _import(name: str, hint: str) -> Any:
    from importlib import import_module

    try:
        if name == "pyarrow":
            import_module("pyarrow.ipc")
        return import_module(name)
    except ImportError as error:
        raise UsageError(f"tables need {name}, which is not installed", hint=hint) from error
