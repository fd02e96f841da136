"""The chDB engine behind the HTTP face: the only file that imports chdb.

What was found out about chDB 4.4 (ClickHouse 26.9), and is relied on here:

- A process has one engine for one path and any number of handles to it, usable from any thread;
  opening a handle costs 0.1 ms. What `SET` and `USE` change stays on its handle, and `readonly`
  cannot be taken back. So every request gets a handle of its own.
- `INTO OUTFILE '/dev/fd/N' APPEND` writes a result of any format into a pipe, also under
  `readonly`, and waits when the pipe is full: results stream in bounded memory. A reader that
  goes away does not stop the query; `KILL QUERY` does.
- `send_insert` tells nobody of what goes wrong behind the parser: a full disk, too many parts, a
  constraint, a view that throws all end as success with nothing stored (chdb-core 26.9.0). So rows
  go in by `FROM INFILE '/dev/fd/N'`, which does tell.
- The database `default` starts as an overlay with the file system: SELECT * FROM `/etc/passwd`
  reads that file, under `readonly` too. Detached and attached again it is a plain database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self, cast

import chdb
from chdb import _chdb

from weir_server.engine import errors
from weir_server.engine.errors import QueryFailed, from_engine
from weir_server.engine.outcome import Outcome
from weir_server.engine.rows_file import held
from weir_server.engine.statement import Kind, Statement
from weir_server.engine.stderr import caught
from weir_server.errors import StartupError

_MAX_REASON = 300
_QUOTED = re.compile(r"([\\'])")


class Handle:
    """One connection to the engine: its settings and database are its own. Not for two threads at once."""

    def __init__(self, connection: Any, folder: Path) -> None:
        self._connection = connection
        self._folder = folder  # for rows that are too many for memory

    def apply(self, settings: Mapping[str, str], *, database: str = "", readonly: int = 0) -> None:
        """Set the database, the settings and, last, `readonly`.

        Raises:
            QueryFailed: A setting or a database that does not exist, or a value that does not fit.
        """
        if database:
            self._query(f"USE {_identifier(database)}")
        pairs = [f"{name} = {_literal(value)}" for name, value in settings.items()]
        if readonly:
            pairs.append(f"readonly = {readonly}")
        if pairs:
            self._query(f"SET {', '.join(pairs)}")

    def reset(self, names: Iterable[str]) -> None:
        """Give settings their defaults again."""
        pairs = [f"{name} = DEFAULT" for name in names]
        if pairs:
            self._query(f"SET {', '.join(pairs)}")

    def write_result(
        self,
        statement: Statement,
        fd: int,
        *,
        marker: str,
        default_format: str,
        parameters: Mapping[str, str],
    ) -> Outcome:
        """Run a statement that has a result and write it to `fd`; `marker` is for `Engine.kill`."""
        self._refuse_several(statement.sql)
        door = f" INTO OUTFILE '/dev/fd/{fd}' APPEND /*{marker}*/ ".encode()
        at = statement.answer_at
        sql = statement.sql[:at] + door + statement.sql[at:]
        done = self._query(sql, default_format, parameters)
        return Outcome(
            read_rows=done.storage_rows_read(),
            read_bytes=done.storage_bytes_read(),
            result_rows=done.rows_read(),
            elapsed_ns=int(done.elapsed() * 1e9),
        )

    def command(
        self, statement: Statement, *, default_format: str, parameters: Mapping[str, str]
    ) -> tuple[bytes, Outcome]:
        """Run a statement whose result, if any, is small; return it with what was done."""
        self._refuse_several(statement.sql)
        done = self._query(statement.sql, default_format, parameters)
        return done.bytes() or b"", Outcome(
            read_rows=done.storage_rows_read(),
            read_bytes=done.storage_bytes_read(),
            written_rows=done.rows_written(),
            written_bytes=done.bytes_written(),
            result_rows=done.rows_read(),
            elapsed_ns=int(done.elapsed() * 1e9),
        )

    def insert(
        self, statement: Statement, rows: Iterable[bytes], *, parameters: Mapping[str, str]
    ) -> Outcome:
        """Insert `rows`, in the statement's format, once all of them are there.

        Whatever goes wrong while iterating over `rows` ends the insert before it began.
        """
        at = statement.source_at
        with held(rows, self._folder) as source:
            door = f" FROM INFILE '/dev/fd/{source}' ".encode()
            sql = statement.sql[:at] + door + statement.sql[at:]
            done = self._query(sql + f" FORMAT {statement.format}".encode(), parameters=parameters)
        return Outcome(
            read_rows=done.rows_written(),
            read_bytes=done.bytes_written(),
            written_rows=done.rows_written(),
            written_bytes=done.bytes_written(),
            elapsed_ns=int(done.elapsed() * 1e9),
        )

    def close(self) -> None:
        """Give the connection back to the engine."""
        self._connection.close()

    def _query(
        self,
        sql: str | bytes,
        default_format: str = "TabSeparated",
        parameters: Mapping[str, str] | None = None,
    ) -> Any:
        return _engine_call(
            self._connection.query, sql, default_format, params=dict(parameters or {})
        )

    def _refuse_several(self, sql: bytes) -> None:
        """Ask ClickHouse's own parser too: what it takes for two statements is not run."""
        text = sql.decode("utf-8", "replace")
        if self._connection._conn.classify_query(text)["statement_count"] > 1:
            raise QueryFailed(errors.SYNTAX_ERROR, "Multi-statements are not allowed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Engine:
    """One chDB data directory, open for this process alone."""

    def __init__(
        self, path: Path, *, max_threads: int, memory_bytes: int, query_timeout_s: float
    ) -> None:
        """Open the directory; make it when it is not there.

        Args:
            path: Data directory.
            max_threads: Threads of one query; 0 leaves it to the engine.
            memory_bytes: Memory that all queries may take together.
            query_timeout_s: Longest run of a query that has a result, unless it asks otherwise.

        Raises:
            StartupError: The directory cannot be opened: held by another process, damaged, full.
        """
        options = {"implicit_select": 0, "allow_introspection_functions": 0}
        options["max_memory_usage_for_user"] = memory_bytes
        if max_threads:
            options["max_threads"] = max_threads
        if "?" in str(path.absolute()):
            raise StartupError(
                f"chDB cannot open a path with a question mark: {path}",
                hint="point engine.path somewhere else",
            )
        self._path = path
        self._options = "&".join(f"{name}={value}" for name, value in options.items())
        self._timeout = f"&max_execution_time={query_timeout_s:g}"
        cast("Any", _chdb).set_signal_handlers_enabled(0)  # the process answers signals itself
        said: list[str] = []
        try:
            path.mkdir(parents=True, exist_ok=True)
            with caught() as said:  # chDB tells its reason there, and an empty one to us
                self._anchor = self.handle()  # the engine lives as long as one handle does
            self._close_file_door()
            facts = self._anchor._query("SELECT version(), timezone(), hostName()").bytes()
        except (OSError, RuntimeError, QueryFailed) as fault:
            reason = " ".join((" ".join(said) or str(fault)).split())
            raise StartupError(
                f"cannot open the data directory {path}: {reason[:_MAX_REASON]}",
                hint="restore it from a backup, or point engine.path at an empty directory",
            ) from fault
        self.version, self.timezone, self.host_name = facts.decode().rstrip("\n").split("\t")

    def handle(self, kind: Kind = Kind.COMMAND) -> Handle:
        """Open a handle for one request; only a RESULT has a time limit from the start."""
        timeout = self._timeout if kind is Kind.RESULT else ""
        address = f"{self._path.absolute()}?{self._options}{timeout}"  # chDB decodes no path
        return Handle(_engine_call(chdb.connect, address), self._path)

    def kill(self, marker: str) -> None:
        """Stop the query that carries `marker`; nothing happens when there is none."""
        with self.handle() as handle:
            # concat keeps the marker out of the text of this very statement
            mark = f"concat('{marker[:1]}', '{marker[1:]}')"
            handle._query(f"KILL QUERY WHERE position(query, {mark}) > 0 ASYNC")

    def close(self) -> None:
        """Close the engine; every other handle must be closed by then."""
        self._anchor.close()

    def _close_file_door(self) -> None:
        """Make `default` a database like any other; see the top of this file."""
        engine = self._anchor._query("SELECT engine FROM system.databases WHERE name = 'default'")
        if engine.bytes().strip() != b"Overlay":
            return
        metadata = self._path / "metadata"
        stored = any((metadata / "default").glob("*.sql"))
        self._anchor._query("DETACH DATABASE default")
        if not stored:  # chDB forgets the UUID of a database without tables and cannot attach it
            (metadata / "default.sql").unlink(missing_ok=True)
        self._anchor._query(
            "ATTACH DATABASE default" if stored else "CREATE DATABASE default ENGINE = Atomic"
        )
        self._anchor._query("USE default")


def _engine_call(call: Any, *args: Any, **named: Any) -> Any:
    """Call chDB and translate what it raises."""
    try:
        return call(*args, **named)
    except RuntimeError as fault:  # ChdbError is one
        raise from_engine(str(fault)) from fault


def _literal(value: str) -> str:
    return "'" + _QUOTED.sub(r"\\\1", value) + "'"


def _identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
