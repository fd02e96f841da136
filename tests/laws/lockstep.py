"""Threads that move only when told, so that a test decides every interleaving and every death."""

from __future__ import annotations

import threading
from collections.abc import Callable

_PATIENCE_S = 60.0  # of the machine these tests run on; nothing here waits for time to pass


class Killed(BaseException):
    """The process is gone: nothing of it may run any more, as after SIGKILL."""


class Lockstep:
    """One process, run by a thread that stops at every gate until `step` lets it on.

    A gate may be passed by any thread that works for the process; only one of them is ever
    between two gates.

    Attributes:
        at: The gate it stands at.
        ended: Whether nothing of it runs any more.
        failure: What ended it, when that was neither the end of its work nor `kill`.
    """

    def __init__(self, run: Callable[[], None]) -> None:
        self.at = "start"
        self.ended = False
        self.failure: BaseException | None = None
        self._run = run
        self._killed = False
        self._go = threading.Semaphore(0)
        self._stopped = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def gate(self, name: str) -> None:
        """Stand still until told to go on; called by the process itself."""
        if self._killed:
            raise Killed
        self.at = name
        self._stopped.release()
        self._wait(self._go)
        if self._killed:
            raise Killed

    def step(self) -> str:
        """Let it run to its next gate, and return that gate's name."""
        if not self.ended:
            self._go.release()
            self._wait(self._stopped)
        return self.at

    def kill(self) -> None:
        """End it where it stands."""
        self._killed = True
        while not self.ended:
            self.step()
        self._thread.join(_PATIENCE_S)

    def _live(self) -> None:
        try:
            self._wait(self._go)
            if not self._killed:
                self._run()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  told to the test, which fails by it
            self.failure = error
        finally:
            self.at = "ended"
            self.ended = True
            self._stopped.release()

    @staticmethod
    def _wait(turn: threading.Semaphore) -> None:
        if not turn.acquire(timeout=_PATIENCE_S):
            raise AssertionError("a process of the test never came to its next gate")
