"""ClickHouse over HTTP: the one file that knows `clickhouse_connect`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.binding import DT64Param
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, Error, ProgrammingError
from clickhouse_connect.driver.httputil import get_pool_manager
from urllib3.exceptions import HTTPError

from weir_store.arrow_stream import ArrowStream, BrokenOff
from weir_store.byte_stream import ByteStream
from weir_store.codes import Doing, to_store_error
from weir_store.errors import InvalidQuery, SchemaMismatch, StoreError, StoreUnavailable

# Its errors are raised to us in full; without this they are also printed where nobody set up logs.
logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())

CONNECT_TIMEOUT_S: Final = 5
_PIECE_BYTES: Final = 1 << 18
_CONNECTIONS: Final = 16  # kept open to the server; more are opened when needed
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

Params = Mapping[str, Any]
Settings = Mapping[str, str | int | float]


def connect(
    url: str,
    *,
    user: str = "default",
    password: str = "",
    query_timeout_s: float = 30.0,
    insert_timeout_s: float = 120.0,
) -> ClickHouse:
    """Return a connection; nothing is sent before the first call, so the server may still be down."""
    return ClickHouse(url, user, password, query_timeout_s, insert_timeout_s)


class ClickHouse:
    """Asks, inserts and changes. Safe from any thread: calls share a pool of HTTP connections.

    Parameters are bound by the server (`{name:Type}` in the text), never
    pasted into SQL. Every method raises `StoreUnavailable` when there is no
    definite answer; what else it raises depends on ClickHouse's code (codes.py).
    """

    def __init__(
        self, url: str, user: str, password: str, query_timeout_s: float, insert_timeout_s: float
    ) -> None:
        self._ask = _LazyClient(url, user, password, query_timeout_s)
        self._put = _LazyClient(url, user, password, insert_timeout_s)
        self.query_timeout_s = query_timeout_s

    def query_arrow(
        self, sql: str, params: Params | None = None, settings: Settings | None = None
    ) -> pa.Table:
        """Return the whole answer as one Arrow table, strings as strings."""
        with _translated(Doing.ASKING):
            return self._ask.get().query_arrow(
                sql, dict(params or {}), self._limited(settings), use_strings=True
            )

    def query_rows(
        self, sql: str, params: Params | None = None, settings: Settings | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the whole answer as Python tuples: for small answers only."""
        with _translated(Doing.ASKING):
            answer = self._ask.get().query(sql, dict(params or {}), self._limited(settings))
            return [tuple(row) for row in answer.result_rows]

    def stream_arrow(
        self, sql: str, params: Params | None = None, settings: Settings | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Yield the answer batch by batch; memory holds one batch at a time."""
        stream = self.open_arrow(sql, params, settings)
        try:
            with _translated(Doing.ASKING):
                yield from stream
        finally:
            stream.close()

    def open_arrow(
        self, sql: str, params: Params | None = None, settings: Settings | None = None
    ) -> ArrowStream:
        """Begin an answer: its schema is there, its batches come; closing it stops the query.

        Iterate within `ClickHouse.translated()`, which turns what is raised into the house's errors.
        """
        with _translated(Doing.ASKING):
            response: Any = self._ask.get().raw_stream(
                sql,
                dict(params or {}),
                {"output_format_arrow_string_as_string": 1, **self._limited(settings)},
                fmt="ArrowStream",
            )
            return ArrowStream(response.stream(_PIECE_BYTES), response.close)

    def open_bytes(
        self,
        sql: str,
        form: str,
        params: Mapping[str, str] | None = None,
        settings: Settings | None = None,
    ) -> ByteStream:
        """Begin an answer in a format of ClickHouse, e.g. `Native`; closing it stops the query.

        Values of parameters are texts as they stand in an address, already escaped. Iterate within
        `ClickHouse.translated()`, which turns what is raised into the house's errors.
        """
        with _translated(Doing.ASKING):
            values = {name: _Verbatim(text) for name, text in (params or {}).items()}
            response: Any = self._ask.get().raw_stream(
                sql, values, self._limited(settings), fmt=form
            )

        read_out = False

        def pieces() -> Iterator[bytes]:
            nonlocal read_out
            try:
                yield from response.stream(_PIECE_BYTES)
            except HTTPError as error:
                raise StoreUnavailable(f"the answer of ClickHouse broke off: {error}") from error
            read_out = True  # the connection is back in the pool, and no longer ours to close

        def close() -> None:
            if read_out:
                return
            # Wakes a thread that waits for more; urllib3 before 2.3 leaves it to the time limit.
            with suppress(RuntimeError, ValueError, OSError, AttributeError):
                response.shutdown()
            response.close()

        headers = {name.lower(): value for name, value in response.headers.items()}
        return ByteStream(headers, pieces(), close)

    @staticmethod
    def translated() -> AbstractContextManager[None]:
        """Return the context in which to iterate over what `open_arrow` returned."""
        return _translated(Doing.ASKING)

    def command(
        self, sql: str, params: Params | None = None, settings: Settings | None = None
    ) -> None:
        """Run one statement that answers nothing: DDL, a mutation, OPTIMIZE."""
        with _translated(Doing.CHANGING):
            self._put.get().command(sql, dict(params or {}), settings=dict(settings or {}))

    def insert_arrow(self, table: str, rows: pa.Table, settings: Settings | None = None) -> None:
        """Insert rows into `database.table`; columns are matched by name.

        Raises:
            StoreRejected: The server will never take these rows.
            SchemaMismatch: The table or a column does not exist.
        """
        with _translated(Doing.INSERTING):
            self._put.get().insert_arrow(table, rows, settings=dict(settings or {}))

    def close(self) -> None:
        """Let go of the connections."""
        self._ask.close()
        self._put.close()

    def _limited(self, settings: Settings | None) -> dict[str, str | int | float]:
        """Tell the server to stop, too, when we have stopped waiting."""
        return {"max_execution_time": self.query_timeout_s, **(settings or {})}


class _Verbatim(DT64Param):
    """A parameter's value that the driver sends as it is, where it would escape a `str`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def format(self, *_: object) -> str:
        return self.text


class _LazyClient:
    """A client made at the first call: the driver talks to the server in its constructor."""

    def __init__(self, url: str, user: str, password: str, timeout_s: float) -> None:
        self._address = urlsplit(url)
        self._user = user
        self._password = password
        self._timeout_s = timeout_s
        self._lock = threading.Lock()  # guards _client
        self._client: Client | None = None
        self._pool = get_pool_manager(maxsize=_CONNECTIONS)

    def get(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._make()
            return self._client

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._pool.clear()
                self._client = None

    def _make(self) -> Client:
        address = self._address
        host = address.hostname or "127.0.0.1"
        return clickhouse_connect.get_client(
            interface=address.scheme or "http",
            host=host,
            port=address.port or (8443 if address.scheme == "https" else 8123),
            username=unquote(address.username or "") or self._user,
            password=unquote(address.password or "") or self._password,
            proxy_path=address.path.strip("/"),
            pool_mgr=self._pool,
            compress=False if host in _LOOPBACK else "lz4",
            connect_timeout=CONNECT_TIMEOUT_S,
            send_receive_timeout=self._timeout_s,
            autogenerate_session_id=False,  # a session would serialise the threads
            query_limit=0,
            client_name="weir",
        )


@contextmanager
def _translated(doing: Doing) -> Iterator[None]:
    """Turn what the driver raises into the house's errors, chained."""
    try:
        yield
    except StoreError:
        raise
    except ClickHouseError as error:
        raise _to_store_error(error, doing) from error
    except BrokenOff as error:
        raise to_store_error(error.code, str(error), doing) from error
    except pa.ArrowInvalid as error:  # the answer broke off
        raise StoreUnavailable(f"the answer of ClickHouse broke off: {error}") from error
    except OSError as error:
        raise StoreUnavailable(f"no connection to ClickHouse: {error}") from error


def _to_store_error(error: ClickHouseError, doing: Doing) -> StoreError:
    code = error.code if isinstance(error, Error) else None
    if code is None and isinstance(error, ProgrammingError):
        # The driver itself refused the call, before anything was sent.
        return InvalidQuery(str(error)) if doing is Doing.ASKING else SchemaMismatch(str(error))
    return to_store_error(code, str(error), doing)
