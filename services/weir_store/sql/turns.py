"""Who may ask now: a bounded number of statements at once, in all and for each asker."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

from weir_store.sql.base import LimitReached


class Turns:
    """Hands out turns. Safe from any thread; `take` waits for at most `wait_s`.

    An asker who has used up its own share is refused at once, so those who wait are never many of
    one asker, and nobody can fill the queue.
    """

    def __init__(self, *, at_once: int, each: int, wait_s: float) -> None:
        """Allow `at_once` statements in all, and `each` of one asker, waiting ones among them."""
        self._at_once = at_once
        self._each = each
        self._wait_s = wait_s
        self._free = threading.Condition()  # guards what follows
        self._running = 0
        self._of: Counter[str] = Counter()
        self._queue: list[object] = []  # first come, first served

    def take(self, asker: str) -> Callable[[], None]:
        """Wait for a turn; call what is returned, once or more often, to give it back.

        Raises:
            LimitReached: The asker has too many already, or no turn became free in time.
        """
        with self._free:
            if self._of[asker] >= self._each:
                raise LimitReached(
                    f"{self._of[asker]} statements of yours are running",
                    hint="wait for one to end, or raise gateway.sql_each",
                )
            self._of[asker] += 1
            try:
                self._wait_in_line()
            except LimitReached:
                self._leave(asker)
                raise
            self._running += 1
        return self._once(asker)

    def _wait_in_line(self) -> None:
        me = object()
        self._queue.append(me)
        until_s = time.monotonic() + self._wait_s
        try:
            while self._running >= self._at_once or self._queue[0] is not me:
                if not self._free.wait(until_s - time.monotonic()) and time.monotonic() >= until_s:
                    raise LimitReached(
                        f"{self._running} statements are running, and none ended in {self._wait_s:g} s",
                        hint="try again, or raise gateway.sql_at_once",
                    )
        finally:
            self._queue.remove(me)
            self._free.notify_all()

    def _leave(self, asker: str) -> None:
        self._of[asker] -= 1
        if not self._of[asker]:
            del self._of[asker]
        self._free.notify_all()

    def _once(self, asker: str) -> Callable[[], None]:
        given_back = False

        def give_back() -> None:
            nonlocal given_back
            with self._free:
                if not given_back:
                    given_back = True
                    self._running -= 1
                    self._leave(asker)

        return give_back
