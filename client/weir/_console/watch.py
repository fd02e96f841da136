"""The thread that looks after the scribe: a program that prints must never wait for a dead one."""

import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from weir._console.echo import is_readable, read_chunk, write_all
from weir._console.start import ScribeProcess
from weir._console.taps import FdTap

_LOOK_EVERY_S: Final = 0.5
_STUCK_S: Final = 2.0
_LET_GO_S: Final = 0.5  # the scribe's end, once all is recorded and no child prints any more
_TAKE_BACK_S: Final = 2.0
_QUIET_MS: Final = 20
_LOOK_AGAIN_S: Final = 0.01


class Watch:
    """Listens to the scribe, and puts the streams back when it dies, or moves no more.

    Args:
        scribe: The scribe.
        taps: The streams it echoes.
        on_lost: Called with a reason when it was lost; from the thread.
    """

    def __init__(
        self, scribe: ScribeProcess, taps: Sequence[FdTap], on_lost: Callable[[str], None]
    ) -> None:
        self._scribe = scribe
        self._taps = taps
        self._on_lost = on_lost
        self._recorded = threading.Event()  # or never will be
        self._echoing = False  # in the scribe's place
        self._passing = False  # a chunk is read and not echoed yet
        self._moved_s = time.monotonic()
        self._still_since_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="weir-console", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def wait_recorded(self, timeout_s: float) -> bool:
        """Wait until all is recorded, or the scribe is gone; whether it came about in time."""
        deadline_s = time.monotonic() + timeout_s
        if not self._recorded.wait(timeout_s):
            return False
        while self._echoing and self._busy():  # the scribe is gone, and its work is ours
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_LOOK_AGAIN_S)
        if not self._echoing:
            self._thread.join(_LET_GO_S)
        return True

    def _busy(self) -> bool:
        """Whether something that was written is not echoed yet."""
        with suppress(ValueError, OSError):  # closed meanwhile
            return self._passing or any(is_readable(tap.source) for tap in self._taps)
        return False

    # ── the thread ─────────────────────────────────────────────────────────

    def _run(self) -> None:
        try:
            reason = self._listen()
            if reason:
                self._take_back()
                self._on_lost(reason)
            self._recorded.set()
            self._scribe.let_go(_LET_GO_S)
            if reason:
                self._echo_on()
        finally:  # nobody else closes what this thread reads
            self._recorded.set()
            for tap in self._taps:
                tap.give_back()
                tap.close()
            self._scribe.close()

    def _listen(self) -> str:
        """Return when the scribe has recorded all, or is lost: then why."""
        hearing = select.poll()
        hearing.register(self._scribe.ack, select.POLLIN)
        while True:
            if hearing.poll(int(_LOOK_EVERY_S * 1000)):
                heard = os.read(self._scribe.ack, 4096)
                if not heard:
                    return "it has died"
                if b"e" in heard:
                    return ""
                self._moved_s = time.monotonic()
                self._close_targets(heard)
            if self._is_stuck():
                self._scribe.kill()
                return "it stood still"

    def _close_targets(self, heard: bytes) -> None:
        """Nobody takes what goes to a stream: the program and its children are to meet that."""
        for tap in self._taps:
            if str(tap.stream).encode() in heard:
                tap.give_back()
                tap.close_source()

    def _is_stuck(self) -> bool:
        """Whether the program has waited for two seconds for a scribe that did not move."""
        now_s = time.monotonic()
        if not any(tap.stands_still for tap in self._taps):
            self._still_since_s = None
            return False
        if self._still_since_s is None:
            self._still_since_s = now_s
        since_s = max(self._still_since_s, self._moved_s)
        return now_s - since_s >= _STUCK_S

    def _take_back(self) -> None:
        """Echo what lies in the pipes, then let the program write as if we had never been.

        That is done in a quiet moment, if there is one, so that no line overtakes another.
        """
        self._echoing = True
        deadline_s = time.monotonic() + _TAKE_BACK_S
        while self._echo_once(_QUIET_MS) and time.monotonic() < deadline_s:
            pass
        for tap in self._taps:
            tap.give_back()

    def _echo_on(self) -> None:
        """Children may write to the pipes for as long as they live: that is now ours to echo."""
        while any(tap.source >= 0 for tap in self._taps):
            self._echo_once(None)

    def _echo_once(self, wait_ms: int | None) -> bool:
        """Wait for something and echo it; returns whether anything came."""
        sources = {tap.source: tap for tap in self._taps if tap.source >= 0}
        waiting = select.poll()
        for source in sources:
            waiting.register(source, select.POLLIN)
        ready = {source for source, _ in waiting.poll(wait_ms)}
        for tap in [tap for source, tap in sources.items() if source in ready]:
            self._passing = True
            _pass_on(tap)
            self._passing = False
        return bool(ready)


def _pass_on(tap: FdTap) -> None:
    """Echo one chunk."""
    chunk = read_chunk(tap.source)
    try:
        write_all(tap.target, chunk)
    except OSError:  # as without us: the next write of the program, or of a child, meets it
        chunk = b""
    if not chunk:
        tap.close_source()
