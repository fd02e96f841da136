"""How long to wait before trying again. Pure: no clock, no sleep."""

import random
from typing import Final

FIRST_S: Final = 0.2
LONGEST_S: Final = 10.0


class Backoff:
    """Full-jitter exponential back-off, from 0.2 s up to 10 s.

    The wait is uniform in [0, ceiling) and the ceiling doubles with every failure, so a thousand
    agents that lost one server come back spread out.

    Source:
        Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """

    def __init__(
        self, *, first_s: float = FIRST_S, longest_s: float = LONGEST_S, rng: random.Random
    ) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rng = rng
        self._failures = 0

    def failed(self) -> float:
        """Return how long to wait after one more failure, in seconds."""
        ceiling_s = min(self._longest_s, self._first_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return self._rng.uniform(0.0, ceiling_s)

    def succeeded(self) -> None:
        """Start again from the shortest wait."""
        self._failures = 0


def jittered(period_s: float, share: float, rng: random.Random) -> float:
    """Return `period_s` ± `share` of it, so that agents started together do not act together."""
    return period_s * rng.uniform(1.0 - share, 1.0 + share)
