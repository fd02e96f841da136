"""Waking the spool thread, also out of a signal handler."""

from queue import Empty, SimpleQueue


class Doorbell:
    """Wakes the one thread that waits at it; a ring before the wait is not lost.

    Not a threading.Event: that holds a lock while it is set, and a signal handler that interrupts
    the main thread just there, and rings too, would wait for itself. SimpleQueue.put is re-entrant.
    """

    def __init__(self) -> None:
        self._rings: SimpleQueue[None] = SimpleQueue()

    def ring(self) -> None:
        """Wake the thread, or let its next wait end at once."""
        self._rings.put(None)

    def wait(self, timeout_s: float) -> None:
        """Return at the next ring, or after `timeout_s`."""
        try:
            self._rings.get(timeout=timeout_s)
            while True:
                self._rings.get_nowait()
        except Empty:
            return
