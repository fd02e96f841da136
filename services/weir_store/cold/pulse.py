"""A sign of life of a change under way: who looks round leaves alone what was written down a moment ago."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, Final

from weir_store.changes.base import Change
from weir_store.changes.book import ChangeBook
from weir_store.errors import StoreError

PERIOD_S: Final = 15.0


class Pulse:
    """Writes a change down again every quarter of a minute, as it stands, while the `with` lasts."""

    def __init__(
        self,
        book: ChangeBook,
        change: Change,
        now_unix_us: Callable[[], int],
        *,
        period_s: float = PERIOD_S,
    ) -> None:
        self._book = book
        self._change = change
        self._now = now_unix_us
        self._period_s = period_s
        self._lock = threading.Lock()  # guards _change
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def change(self) -> Change:
        """The change as it was written down last."""
        with self._lock:
            return self._change

    def note(self, **receipt: Any) -> Change:
        """Add to the receipt and write it down."""
        with self._lock:
            told = replace(self._change, receipt={**self._change.receipt, **receipt})
            self._change = self._book.put(told, self._now())
            return self._change

    def _beat(self) -> None:
        while not self._ended.wait(self._period_s):
            try:
                self.note()
            except StoreError:  # then the work itself fails, too
                continue
