"""Asking on behalf of tools that want ClickHouse's own formats: the same gate and limits, other bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

from weir_store.byte_stream import ByteStream
from weir_store.clickhouse import ClickHouse
from weir_store.sql.base import Question
from weir_store.sql.limits import LATE, believed
from weir_store.sql.reader import ClickHouseSql

_TAG: Final = "x-clickhouse-exception-tag"
_MARK: Final = b"\r\n__exception__\r\n"
_LATE: Final = f"Code: 395. DB::Exception: {LATE}. (weir)\n".encode()


class RawSql(Protocol):
    """Asks on behalf of tools. Safe from any thread; does not count who asks how much at once."""

    def open(
        self, question: Question, form: str, settings: Mapping[str, str] | None = None
    ) -> ByteStream:
        """Begin one answer; raises as `SqlReader.ask` does.

        Args:
            question: What is asked. Its parameters are texts as ClickHouse takes them: escaped.
            form: A format of ClickHouse, from a list of those that only write rows.
            settings: How values are written, from a list of settings that do no more.
        """
        ...

    def stop(self, mark: str) -> None:
        """Stop the statements that were asked with a mark. Raises `StoreUnavailable`."""
        ...


class ClickHouseRaw:
    """`RawSql` over ClickHouse."""

    def __init__(self, clickhouse: ClickHouse, sql: ClickHouseSql) -> None:
        """Ask through the gate of `sql`."""
        self._clickhouse = clickhouse
        self._sql = sql

    def open(
        self, question: Question, form: str, settings: Mapping[str, str] | None = None
    ) -> ByteStream:
        """Begin one answer; see `RawSql.open`."""
        return believed(
            lambda walled: self._open(question, form, settings or {}, walled=walled),
            question,
            question.limits.seconds,
        )

    def stop(self, mark: str) -> None:
        """Stop the statements that were asked with a mark; see `RawSql.stop`."""
        self._sql.stop(mark)

    def _open(
        self, question: Question, form: str, settings: Mapping[str, str], *, walled: bool
    ) -> ByteStream:
        admitted = self._sql.admit(question, walled=walled)
        bounds = self._sql.settings(question)
        stream = self._clickhouse.open_bytes(
            admitted.sql,
            form,
            admitted.values_of(question.parameters, "send param_{}"),
            {**settings, **bounds},
        )
        if question.rights.projects is None:
            return stream
        return replace(stream, pieces=without_reasons(stream.pieces, stream.headers.get(_TAG, "")))


def without_reasons(pieces: Iterator[bytes], tag: str) -> Iterator[bytes]:
    """Pass an answer on, but not why it fails behind its first rows: values of others may be in it.

    ClickHouse writes `__exception__`, the tag, the reason, its length and the tag again.
    """
    if not tag:  # a server so old that it says nothing
        yield from pieces
        return
    mark, held = _MARK + tag.encode(), b""
    keep = len(mark) - 1  # the mark may be cut in two
    for piece in pieces:
        held += piece
        if (at := held.find(mark)) >= 0:
            length = str(len(_LATE)).encode()
            yield held[:at] + mark + b"\r\n" + _LATE + length + b" " + tag.encode() + _MARK
            return
        if len(held) > keep:
            yield held[:-keep]
            held = held[-keep:]
    if held:
        yield held
