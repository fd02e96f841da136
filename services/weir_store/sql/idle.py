"""Answers that nobody reads any more: found by one thread, and closed."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Protocol


class Watched(Protocol):
    """Something that may be given up."""

    def give_up(self, before_s: float) -> bool:
        """End it when it was last used before `before_s` (monotonic); return whether it has ended."""
        ...


class Idle:
    """Watches answers while there are any; its thread ends when there are none."""

    def __init__(self, idle_s: float) -> None:
        """Give up what was not used for `idle_s`."""
        self._idle_s = idle_s
        self._lock = threading.Lock()  # guards what follows
        self._watched: set[weakref.ref[Watched]] = set()
        self._thread: threading.Thread | None = None

    def watch(self, watched: Watched) -> None:
        """Watch it until it has ended or nobody holds it."""
        with self._lock:
            self._watched.add(weakref.ref(watched))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sql-idle", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(min(1.0, self._idle_s / 4))
            before_s = time.monotonic() - self._idle_s
            with self._lock:
                watched = list(self._watched)
            ended = {each for each in watched if _has_ended(each, before_s)}
            with self._lock:
                self._watched -= ended
                if not self._watched:
                    self._thread = None
                    return


def _has_ended(reference: weakref.ref[Watched], before_s: float) -> bool:
    watched = reference()
    return watched is None or watched.give_up(before_s)
