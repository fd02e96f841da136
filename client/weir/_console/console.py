"""The process's console: which run it is recorded for, of those that are open."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from weir._console.capture import Capture, Wanted
from weir._console.messages import Channel


class Console:
    """The process's one capture: it goes to the run opened first, then to the next that is open.

    Safe from any thread, and in a signal handler.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._waiting: dict[int, tuple[Path, Wanted, Callable[[str], None]]] = {}
        self._owner = 0
        self._channel: Channel | None = None  # once open, it is never closed: somebody may write
        self._capture: Capture | None = None

    def attach(
        self, run: object, folder: Path, wanted: Wanted, on_lost: Callable[[str], None]
    ) -> None:
        """Record for a run from now on, or once those opened before it are finished."""
        with self._lock:
            self._waiting[id(run)] = (folder, wanted, on_lost)
            self._begin_next()

    def release(self, run: object) -> None:
        """The run ends: its record is complete when this returns, or 2 s have passed."""
        with self._lock:
            self._waiting.pop(id(run), None)
            if self._owner != id(run):
                return
            capture, self._capture, self._owner = self._capture, None, 0
            if capture is not None:
                capture.end()
            self._begin_next()

    def forget_in_child(self) -> None:
        """Begin anew in a forked child: its output is the parent's to record."""
        capture = self._capture
        self.__init__()  # type: ignore[misc]  # another thread may have held the lock
        if capture is not None:
            with suppress(OSError):
                capture.forget()

    def _begin_next(self) -> None:
        """Begin to record for the oldest run that can be, unless one is recorded already."""
        for key, (folder, wanted, on_lost) in list(self._waiting.items()):
            if self._owner:
                return
            try:
                self._channel = self._channel or Channel.open()
                self._capture = Capture(folder, wanted, self._channel, on_lost)
                self._owner = key
            except (OSError, ValueError, RuntimeError) as error:
                del self._waiting[key]
                on_lost(f"it could not begin: {error}")


CONSOLE: Final = Console()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CONSOLE.forget_in_child)
