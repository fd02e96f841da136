"""One statement on its way: asked in a thread of its own, so that a page can wait, show or cancel."""

from __future__ import annotations

import threading
import time
from typing import Final

import pyarrow as pa

from weir_store.errors import StoreError
from weir_store.sql.base import Answer, Question, SqlReader

SHOWN_ROWS: Final = 10_000
"""So many rows are kept for the page; the others are counted, and can be downloaded."""

SHOWN_BYTES: Final = 64 << 20


class Asking:
    """Asks one statement once, reads the answer to its end, and keeps its beginning.

    Everything may be read from any thread; what came is complete when `done` says so.

    Attributes:
        question: What is asked.
        began_unix_s: When.
        took_s: How long it took, or has taken.
        rows: How many rows came.
        cut: Whether the answer was longer still, and ended by the limits.
        error: Why there is no answer.
        cancelled: Whether `cancel` ended it.
    """

    def __init__(self, question: Question) -> None:
        self.question = question
        self.began_unix_s = time.time()
        self.rows = 0
        self.cut = False
        self.error: StoreError | None = None
        self.cancelled = False
        self._kept: list[pa.RecordBatch] = []
        self._kept_rows = 0
        self._kept_bytes = 0
        self._schema = pa.schema([])
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._began_s = time.monotonic()
        self._took_s = 0.0

    def start(self, reader: SqlReader) -> Asking:
        """Ask; returns at once."""
        threading.Thread(
            target=self._run, args=(reader,), name="weir-dashboard-sql", daemon=True
        ).start()
        return self

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; returns whether it has come."""
        return self._ended.wait(timeout_s)

    def cancel(self) -> None:
        """Give up: the page has its end at once, the store when the next rows come or time is up."""
        if not self.done:
            self.cancelled = True
            self._stop.set()
            self._end()

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self._ended.is_set()

    @property
    def took_s(self) -> float:
        """Seconds from asking to the end, or to now."""
        return self._took_s if self.done else time.monotonic() - self._began_s

    @property
    def table(self) -> pa.Table:
        """The rows that were kept, the first ones."""
        return pa.Table.from_batches(self._kept, self._schema)

    def _run(self, reader: SqlReader) -> None:
        try:
            answer = reader.ask(self.question)
            self._schema = answer.schema
            self._read(answer)
        except StoreError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a page shows a sentence, not a spinner for ever
            self.error = StoreError(f"the answer could not be read: {error}")
        self._end()

    def _read(self, answer: Answer) -> None:
        for batch in answer.batches:
            if self._stop.is_set():
                close(answer)
                return
            self.rows += batch.num_rows
            self._keep(batch)
        self.cut = answer.cut

    def _keep(self, batch: pa.RecordBatch) -> None:
        room = SHOWN_ROWS - self._kept_rows
        if room > 0 and self._kept_bytes < SHOWN_BYTES:
            part = batch.slice(0, room)
            self._kept.append(part)
            self._kept_rows += part.num_rows
            self._kept_bytes += part.nbytes

    def _end(self) -> None:
        if not self._ended.is_set():
            self._took_s = time.monotonic() - self._began_s
            self._ended.set()


def close(answer: Answer) -> None:
    """Leave an answer before its end: the store stops when its batches are closed."""
    closing = getattr(answer.batches, "close", None)
    if closing is not None:
        closing()
