"""How long to wait before trying again, in one place: 0.1 s, doubling, 10 s at most, with jitter."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set
from tenacity.wait import wait_random_exponential

from weir_store.errors import SchemaMismatch, StoreError, StoreUnavailable

T = TypeVar("T")
FIRST_S: Final = 0.1
LONGEST_S: Final = 10.0


def wait_s(failures: int) -> float:
    """Return how long to wait after this many failures in a row, 1 or more."""
    return float(min(FIRST_S * 2.0 ** min(failures - 1, 16), LONGEST_S) * random.uniform(0.5, 1.0))


class StorePatience:
    """Repeats what the store could not decide until it can, or until the process is to stop.

    Args:
        stop: When set, the last error is raised instead of trying again.
        sleep: Waits the given seconds; may raise to give the attempt up (the lease is lost).
        on_failure: Told of each failure and the wait that follows, seconds.
        waiting_helps: What is worth repeating; anything else is raised at once.
    """

    def __init__(
        self,
        stop: threading.Event,
        sleep: Callable[[float], None],
        on_failure: Callable[[BaseException, float], None],
        waiting_helps: tuple[type[StoreError], ...] = (StoreUnavailable, SchemaMismatch),
    ) -> None:
        self._stop = stop
        self._sleep = sleep
        self._on_failure = on_failure
        self._waiting_helps = waiting_helps

    def keep_trying(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns, however long the store takes to be there."""
        retrying = Retrying(
            retry=retry_if_exception_type(self._waiting_helps),
            wait=wait_random_exponential(multiplier=FIRST_S, max=LONGEST_S),
            stop=stop_when_event_set(self._stop),
            sleep=self._sleep,
            before_sleep=self._tell,
            reraise=True,
        )
        return retrying(attempt)

    def _tell(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if error is not None:
            self._on_failure(error, state.upcoming_sleep)
