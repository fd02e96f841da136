"""SQL over everything recorded: `weir.Api().sql("SELECT …")`.

frame = api.sql("SELECT * FROM runs WHERE project = {p:String}", {"p": "vision"}).to_pandas()
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from weir._api_tables import check_tables, import_late, shown_as
from weir._api_transport import ApiTransport, SqlAnswer
from weir.errors import Unavailable, UsageError
from weir_proto.v1 import sql_pb2

_BROKE_OFF: Final = "the answer broke off"


@dataclass(frozen=True)
class SqlColumnView:
    """A column of a view: `type` as ClickHouse says it, `unit` "" where there is none."""

    name: str
    type: str
    unit: str
    about: str


@dataclass(frozen=True)
class SqlView:
    """A view that SQL may ask, with a statement that works as an `example`."""

    name: str
    about: str
    columns: tuple[SqlColumnView, ...]
    example: str


class SqlResult:
    """The answer to one statement. It is read once, by one of the methods below.

    A `with` block, or `close`, ends the statement early; a result that was read to its end, or is
    forgotten, needs neither. Every method may raise `weir.errors.TransportError`: also half-way,
    when the server cannot give the rest.
    """

    def __init__(self, answer: SqlAnswer) -> None:
        self._answer = answer
        self._reader: Any = None

    def __enter__(self) -> "SqlResult":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if answer := getattr(self, "_answer", None):
            answer.cancel()

    @property
    def schema(self) -> Any:
        """The columns, a `pyarrow.Schema`; waits for the beginning of the answer."""
        return self._opened().schema

    @property
    def cut(self) -> bool:
        """Whether there were more rows than `limit`; known when the answer was read."""
        return bool(self._end.cut)

    @property
    def seconds(self) -> float:
        """How long the server took; known when the answer was read."""
        return float(self._end.seconds)

    def batches(self) -> Iterator[Any]:
        """Yield `pyarrow.RecordBatch`es as they come; memory holds one at a time."""
        reader = self._opened()
        try:
            yield from reader
        except BaseException:
            self.close()
            raise
        self._read_end()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield rows as dictionaries, by the names of their columns; memory holds one batch."""
        for batch in self.batches():
            yield from batch.to_pylist()

    def to_arrow(self) -> Any:
        """Return everything as a `pyarrow.Table`."""
        arrow = import_late("pyarrow")
        return arrow.Table.from_batches(list(self.batches()), self.schema)

    def to_pandas(self) -> Any:
        """Return everything as a pandas data frame."""
        check_tables("pandas")
        return shown_as(self.to_arrow(), "pandas")

    def to_polars(self) -> Any:
        """Return everything as a polars data frame."""
        check_tables("polars")
        return shown_as(self.to_arrow(), "polars")

    def close(self) -> None:
        """End the statement, wherever it is."""
        self._answer.cancel()

    @property
    def _end(self) -> sql_pb2.AskEnd:
        if self._answer.end is None:
            raise UsageError("this is known when the answer was read to its end", hint="read it")
        return self._answer.end

    def _opened(self) -> Any:
        if self._reader is None:
            self._reader = import_late("pyarrow").ipc.open_stream(self._answer.stream)
        return self._reader

    def _read_end(self) -> None:
        """Read the last word behind the rows; without it some may be missing."""
        while self._answer.stream.read(1 << 16):
            pass
        if self._answer.end is None:
            raise Unavailable(_BROKE_OFF)


class SqlApi:
    """The part of `weir.Api` that asks SQL."""

    _transport: ApiTransport

    def sql(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        limit: int | None = None,
        seconds: float | None = None,
    ) -> SqlResult:
        """Ask one SELECT over the views of docs/sql.md; you see the projects your token may read.

        Args:
            text: ClickHouse's dialect, e.g. `SELECT name FROM runs WHERE project = {p:String}`.
            parameters: Values of `{name:Type}`: numbers, texts, booleans, dates, `None`, lists.
            limit: End the answer after so many rows; `result.cut` says whether there were more.
            seconds: Give up when it takes the server longer.

        Returns:
            What to read the answer from. The statement has begun; what is wrong with it is said
            by the first method that reads.

        Raises:
            UsageError: The call is wrong, or pyarrow is not installed.
        """
        check_tables("arrow")
        if limit is not None and limit < 1:
            raise UsageError(f"limit is {limit}", hint="1 or more, or None")
        if seconds is not None and not seconds > 0:
            raise UsageError(f"seconds is {seconds}", hint="more than 0, or None")
        request = sql_pb2.AskRequest(
            text=text,
            parameters={name: _as_json(name, value) for name, value in (parameters or {}).items()},
            limit=limit or 0,
            seconds=seconds or 0.0,
        )
        return SqlResult(self._transport.ask_sql(request))

    def views(self) -> list[SqlView]:
        """Return the views that SQL may ask, with their columns, in the order people read them."""
        return [_view(each) for each in self._transport.list_views().views]

    def functions(self) -> list[str]:
        """Return the names of the functions that SQL may call; most are ClickHouse's own."""
        return list(self._transport.list_views().functions)


def _as_json(name: str, value: Any) -> str:
    """Return a parameter as it travels: JSON; times as ClickHouse reads them, in UTC."""
    try:
        return json.dumps(_plain(value), default=_plain_or_fail)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"parameter {name!r} cannot be sent: {error}",
            hint="numbers, texts, booleans, dates, None and lists can",
        ) from error


def _plain(value: Any) -> Any:
    match value:
        case list() | tuple():
            return [_plain(each) for each in value]
        case datetime():
            moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
            return moment.isoformat(" ")
        case date():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)
    return value


def _plain_or_fail(value: Any) -> Any:
    """Numbers of numpy know how to become Python's."""
    item: Callable[[], Any] | None = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"it is a {type(value).__name__}")
    return item()


def _view(view: sql_pb2.SqlView) -> SqlView:
    columns = tuple(SqlColumnView(c.name, c.type, c.unit, c.about) for c in view.columns)
    return SqlView(view.name, view.about, columns, view.example)
