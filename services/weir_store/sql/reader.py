"""Asking ClickHouse on behalf of people: admitted by the gate, within limits, in bounded memory."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Self

import pyarrow as pa

from weir_store.arrow_stream import ArrowStream
from weir_store.clickhouse import ClickHouse
from weir_store.errors import InvalidQuery, StoreError
from weir_store.sql.base import Answer, LimitReached, Limits, Question
from weir_store.sql.gate import Admitted, admit
from weir_store.sql.idle import Idle
from weir_store.sql.limits import LATE, believed, depends_on_rows, explain, settings_of
from weir_store.sql.quoting import string
from weir_store.sql.turns import Turns
from weir_store.views.catalog import VIEWS, View

_SHARE_OF_CONNECTION: Final = 0.95  # so that the server says why before the connection gives up


class ClickHouseSql:
    """`SqlReader` over ClickHouse. Safe from any thread."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        *,
        views: tuple[View, ...] = VIEWS,
        at_once: int = 16,
        each: int = 8,
        wait_s: float = 5.0,
        idle_s: float = 60.0,
    ) -> None:
        """Ask for the views of a database.

        Args:
            clickhouse: The connection; its user must be able to read the views.
            database: Where the views are, e.g. `weir`.
            views: What there is to ask.
            at_once: Statements that run at the same time.
            each: … of one asker, those that wait among them.
            wait_s: How long a statement waits for its turn.
            idle_s: How long an answer waits for somebody to take the next batch.
        """
        self._clickhouse = clickhouse
        self._database = database
        self._views = views
        self._names = frozenset(view.name for view in views)
        self._turns = Turns(at_once=at_once, each=each, wait_s=wait_s)
        self._idle = Idle(idle_s)
        self._lock = threading.Lock()  # guards what follows
        self._missing: frozenset[str] = frozenset()  # empty until asked for

    def list_views(self) -> tuple[View, ...]:
        """Return the views that SQL may see, in the order people read them."""
        return self._views

    def ask(self, question: Question) -> Answer:
        """Run one statement; see `SqlReader.ask`.

        Raises:
            Refused: The gate does not admit it, or a parameter has no value.
            LimitReached: It takes too much, or too many are running; also raised by `batches`.
            InvalidQuery: ClickHouse does not understand it.
            StoreUnavailable: No definite answer.
        """
        admitted = self.admit(question)
        parameters = admitted.values_of(question.parameters)
        give_back = self._turns.take(question.asker)
        try:
            return self._begin(admitted, parameters, question, give_back)
        except BaseException:
            give_back()
            raise

    def admit(self, question: Question, *, walled: bool = False) -> Admitted:
        """Pass a question through the gate without asking it."""
        return admit(
            question.text,
            question.rights,
            database=self._database,
            views=self._names,
            walled=walled,
        )

    def settings(self, question: Question) -> dict[str, str | int | float]:
        """Return the settings under which an admitted question must run; nobody may change them.

        Raises:
            StoreUnavailable: The server cannot say which settings it has.
        """
        wanted = settings_of(
            question.limits,
            seconds=self._seconds(question),
            restricted=question.rights.projects is not None,
        )
        with self._lock:
            if not self._missing:
                self._missing = self._missing_settings(wanted)
            known = {name: value for name, value in wanted.items() if name not in self._missing}
        return {**known, "log_comment": question.mark} if question.mark else known

    def stop(self, mark: str) -> None:
        """Stop the statements that were asked with a mark; those that have not begun are not found.

        Raises:
            StoreUnavailable: No definite answer.
        """
        self._clickhouse.command(f"KILL QUERY WHERE Settings['log_comment'] = {string(mark)} ASYNC")

    def _begin(
        self,
        admitted: Admitted,
        parameters: Mapping[str, Any],
        question: Question,
        give_back: Callable[[], None],
    ) -> Answer:
        limits, seconds = question.limits, self._seconds(question)
        stream = self._open(admitted, parameters, question)
        try:
            _refuse_unreadable_names(stream.schema)
        except InvalidQuery:
            stream.close()
            raise
        answer = Answer(stream.schema, iter(()))
        answer.batches = _Batches(
            answer,
            stream,
            limits,
            seconds,
            give_back,
            self._idle,
            restricted=question.rights.projects is not None,
        )
        return answer

    def _open(
        self, admitted: Admitted, parameters: Mapping[str, Any], question: Question
    ) -> ArrowStream:
        """Begin the answer; an error that rows may have caused is believed from our own rows only."""
        settings = self.settings(question)

        def ask(walled: bool) -> ArrowStream:
            passed = self.admit(question, walled=True) if walled else admitted
            return self._clickhouse.open_arrow(passed.sql, parameters, settings)

        return believed(ask, question, self._seconds(question))

    def _seconds(self, question: Question) -> float:
        return min(question.limits.seconds, self._clickhouse.query_timeout_s * _SHARE_OF_CONNECTION)

    def _missing_settings(self, wanted: Mapping[str, object]) -> frozenset[str]:
        """Return the settings that this server is too old to have, or too new; "" is always in it."""
        known = self._clickhouse.query_rows(
            "SELECT name FROM system.settings WHERE name IN {names:Array(String)}",
            {"names": list(wanted)},
        )
        return frozenset(["", *wanted]) - {name for (name,) in known}


class _Batches:
    """The rows of one answer; closing it, or letting it go, stops the statement."""

    def __init__(
        self,
        answer: Answer,
        stream: ArrowStream,
        limits: Limits,
        seconds: float,
        give_back: Callable[[], None],
        idle: Idle,
        *,
        restricted: bool,
    ) -> None:
        self._restricted = restricted
        self._answer = weakref.ref(answer)  # a circle would live on when it is let go
        self._stream = stream
        self._limits = limits
        self._seconds = seconds
        self._give_back = give_back
        self._idle = idle
        self._lock = threading.Lock()  # held while a batch is taken and while the stream closes
        self._ended = False
        self._given_up = False
        self._rows = 0
        self._bytes = 0
        idle.watch(self)
        self.touched_s = time.monotonic()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        with self._lock:
            if self._given_up:
                raise LimitReached("nobody took the next rows of the answer in time")
            if self._ended:
                raise StopIteration
            try:
                batch = self._fitting(self._next())
            except BaseException:
                self._end()
                raise
            self.touched_s = time.monotonic()
            return batch

    def _next(self) -> pa.RecordBatch:
        try:
            with ClickHouse.translated():
                batch = next(self._stream)
            _refuse_bytes(batch)
            return batch
        except StoreError as error:
            told = explain(error, self._limits, self._seconds)
            if self._restricted and depends_on_rows(error) and not isinstance(told, LimitReached):
                told = InvalidQuery(
                    LATE,
                    hint="why is not told: values of other projects might be in it",
                )
            raise told from error

    def _fitting(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return as much of a batch as the limits allow; ClickHouse's own come in whole blocks."""
        limits = self._limits
        room = limits.result_rows - self._rows
        over_bytes = self._bytes + batch.nbytes > limits.result_bytes
        if batch.num_rows <= room and not over_bytes:
            self._rows += batch.num_rows
            self._bytes += batch.nbytes
            return batch
        if not limits.cut:
            raise LimitReached(
                f"the answer has more than {limits.result_rows} rows or {limits.result_bytes} bytes"
                " (limits: result_rows, result_bytes; settings: gateway.sql_result_…)",
                hint="add LIMIT, or aggregate",
            )
        if (answer := self._answer()) is not None:
            answer.cut = True
        if over_bytes:
            share = (limits.result_bytes - self._bytes) / max(1, batch.nbytes)
            room = min(room, int(batch.num_rows * share))
        self._end()
        if room <= 0:
            raise StopIteration
        return batch.slice(0, room)

    def close(self) -> None:
        """Stop the statement, if it still runs."""
        with self._lock:
            self._end()

    def give_up(self, before_s: float) -> bool:
        """Close an answer whose last batch was taken before `before_s`; return whether it ended."""
        if not self._lock.acquire(blocking=False):
            return False  # somebody is taking a batch right now
        try:
            if not self._ended and self.touched_s < before_s:
                self._given_up = True
                self._end()
            return self._ended
        finally:
            self._lock.release()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            try:
                self._stream.close()
            finally:
                self._give_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "_ended", True):
            self._end()


def _refuse_unreadable_names(schema: pa.Schema) -> None:
    try:
        schema.names  # noqa: B018 - decoding them is what may fail
    except UnicodeDecodeError:
        raise InvalidQuery(
            "the name of a column is no UTF-8", hint="give the column a name with AS"
        ) from None


def _refuse_bytes(batch: pa.RecordBatch) -> None:
    """Refuse strings that are none: who takes them for text would fail without a word."""
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InvalidQuery(
            f"a text of the answer is no UTF-8 ({error})",
            hint="ask for hex(x) or base64Encode(x) of columns that hold bytes",
        ) from None
