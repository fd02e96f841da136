"""The end of all uploads of a run, seen by every thread that works on them."""

import threading


class Stopped(Exception):
    """The agent ends; whoever comes next goes on from the journal."""


class Stopping:
    """Says whether to go on."""

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def asked(self) -> bool:
        """Whether to stop."""
        return self._event.is_set()

    def ask(self) -> None:
        """Stop."""
        self._event.set()

    def check(self) -> None:
        """Raise Stopped when asked to."""
        if self._event.is_set():
            raise Stopped

    def rest(self, seconds: float) -> None:
        """Do nothing for a while; raise Stopped as soon as asked to."""
        if seconds > 0:
            self._event.wait(seconds)
        self.check()
