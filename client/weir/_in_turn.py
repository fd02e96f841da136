"""One at a time: what is asked for while somebody is at work waits, and is then done together."""

import threading
from collections.abc import Callable
from typing import Any

Work = Callable[[list[Any], Callable[[], None]], None]  # (items, call this when they are done)


class InTurn:
    """Hands items to `work`, never more than one handful at a time. Safe from any thread.

    A thousand files that are named one after the other are so looked at by a few processes, not by
    a thousand.

    Args:
        work: Begins to work on items and returns; whoever does it calls back when it is done.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lock = threading.Lock()  # guards all below
        self._waiting: list[Any] = []
        self._busy = False

    def ask(self, item: Any) -> None:
        """Have an item worked on: now, or after what is at work."""
        with self._lock:
            self._waiting.append(item)
            items = [] if self._busy else self._take()
        self._begin(items)

    def ask_all(self) -> None:
        """Have everything that waits worked on now: nobody will be there later."""
        with self._lock:
            items = self._take()
        self._begin(items)

    def _take(self) -> list[Any]:
        items, self._waiting = self._waiting, []
        self._busy = self._busy or bool(items)
        return items

    def _begin(self, items: list[Any]) -> None:
        if items:
            self._work(items, self._done)

    def _done(self) -> None:
        with self._lock:
            self._busy = False
            items = self._take()
        self._begin(items)
