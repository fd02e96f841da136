"""Asking again what may be asked again: an export of hours outlives a server that restarts."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from weir.agent._backoff import Backoff
from weir.errors import Retryable

T = TypeVar("T")
_TRIES: Final = 8  # half a minute or so


def patiently(ask: Callable[[], T]) -> T:
    """Return the answer; ask again, later and later, while the server is away.

    Raises:
        TransportError: It stays away, or refuses.
    """
    backoff = Backoff(rng=random.Random())
    for _ in range(_TRIES - 1):
        try:
            return ask()
        except Retryable:
            time.sleep(backoff.failed())
    return ask()
