"""Whose shard it is: taken, kept while working and waiting, and noticed when lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from weir_server.clock import Clock
from weir_server.errors import StreamUnavailable
from weir_server.stream.base import Consumer

T = TypeVar("T")


class LeaseLost(Exception):
    """Another writer has the shard now: drop everything, change nothing more."""


class Lease:
    """The lease of one shard, renewed every third of its length. Belongs to the shard's thread."""

    def __init__(
        self, consumer: Consumer, lease_s: float, clock: Clock, stop: threading.Event
    ) -> None:
        self._consumer = consumer
        self._clock = clock
        self._stop = stop
        self.period_s = lease_s / 3
        self._renewed_s = 0.0
        self._hands = ThreadPoolExecutor(1, thread_name_prefix="weir-insert")

    def take(self) -> bool:
        """Take the lease, or keep it; False when another writer holds it."""
        held = self._consumer.acquire()
        self._renewed_s = self._clock.monotonic_s()
        return held

    def keep(self) -> None:
        """Renew when it is time to. Raises `LeaseLost`."""
        due = self._clock.monotonic_s() - self._renewed_s >= self.period_s
        if due and not self._renew():
            raise LeaseLost

    def keep_during(self, work: Callable[[], T]) -> T:
        """Run `work` on another thread and renew the lease from this one until it is done.

        An insert may last minutes, far longer than a lease. `work` is never
        left behind: when the lease is lost, `LeaseLost` is raised only after it ended.
        """
        working = self._hands.submit(work)
        lost = False
        while not wait([working], timeout=self.period_s).done:
            lost = lost or not self._renew_if_reachable()
        if lost:
            working.exception()
            raise LeaseLost
        return working.result()

    def sleep(self, seconds: float) -> None:
        """Wait, at most until the process is to stop; afterwards the lease is known to be ours.

        Known, because what follows is an insert that failed before: nobody may repeat it who cannot
        tell whether the world is still the one it was read from.

        Raises:
            LeaseLost: It is another's now, or nobody's.
            StreamUnavailable: Nobody can tell.
        """
        end_s = self._clock.monotonic_s() + seconds
        left_s = seconds
        while True:
            stopping = self._stop.wait(min(left_s, self.period_s))
            if not self._renew():
                raise LeaseLost
            left_s = end_s - self._clock.monotonic_s()
            if stopping or left_s <= 0:
                return

    def give_back(self) -> None:
        """Let another writer have the shard at once."""
        self._hands.shutdown()
        self._consumer.release()

    def _renew(self) -> bool:
        # Never taken anew: what this writer knows may be as old as the lease it lost. A block noted
        # before ClickHouse was restored and Redis emptied must not be inserted after it.
        kept = self._consumer.keep()
        self._renewed_s = self._clock.monotonic_s()
        return kept

    def _renew_if_reachable(self) -> bool:
        try:
            return self._renew()
        except StreamUnavailable:
            return True  # the commit will find out whether it is still ours
