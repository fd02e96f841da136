"""How many different metrics a run has, as far as this gateway has seen."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Final

# Name hashes held over all runs: some 60 bytes each.
MOST_REMEMBERED: Final = 500_000


class MetricCounter:
    """Exact sets of name hashes per run; runs not heard of for long are forgotten first.

    Counts from the gateway's start and for this gateway alone, so the limit is a brake on runaway
    names and not an account: a run can reach it once in every gateway's life.
    """

    def __init__(self, max_metrics_per_run: int, *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._limit = max_metrics_per_run
        self._most = most_remembered
        self._held = 0
        self._seen: OrderedDict[tuple[str, str], set[int]] = OrderedDict()

    def admit(self, project: str, run_id: str, names: Collection[str]) -> Collection[str]:
        """Count these names for a run; returns those that are too many."""
        seen = self._seen.setdefault((project, run_id), set())
        self._seen.move_to_end((project, run_id))
        if seen.issuperset(map(hash, names)):
            return ()
        refused = []
        before = len(seen)
        for name in names:
            if len(seen) < self._limit or hash(name) in seen:
                seen.add(hash(name))
            else:
                refused.append(name)
        self._held += len(seen) - before
        self._forget()
        return frozenset(refused)

    def _forget(self) -> None:
        while self._held > self._most and len(self._seen) > 1:
            _, oldest = self._seen.popitem(last=False)
            self._held -= len(oldest)
