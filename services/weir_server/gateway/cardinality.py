"""How many different metrics a run has: what the store knows, and what came through here since."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from weir_server.clock import Clock
from weir_server.gateway.history import RunHistory
from weir_server.log import get_logger
from weir_store.errors import StoreError
from weir_store.records import RunRef

# Name hashes held over all runs: some 60 bytes each.
MOST_REMEMBERED: Final = 500_000
_PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 10.0  # after the store gave no answer, and between two questions about one run
_MOST_NOTED: Final = 10_000


class MetricCounter:
    """Exact sets of name hashes per run; runs not heard of for long are forgotten first.

    A run is counted from what the store had when it was `seed`ed. Names that other gateways let in
    since are not known here, so a run may exceed its limit by what came in the meantime.
    """

    def __init__(self, max_metrics_per_run: int, *, most_remembered: int = MOST_REMEMBERED) -> None:
        self._limit = max_metrics_per_run
        self._most = most_remembered
        self._held = 0
        self._seen: OrderedDict[tuple[str, str], set[int]] = OrderedDict()
        self._seeded: set[tuple[str, str]] = set()

    @property
    def limit(self) -> int:
        """How many a run may have."""
        return self._limit

    def knows(self, project: str, run_id: str) -> bool:
        """Return whether the run is counted from what the store has."""
        return (project, run_id) in self._seeded

    def seed(self, project: str, run_id: str, names: Collection[str]) -> None:
        """Count the names that the store has, however many."""
        self._seeded.add((project, run_id))
        self._count(project, run_id, set(map(hash, names)))

    def admit(self, project: str, run_id: str, names: Collection[str]) -> Collection[str]:
        """Count these names for a run; returns those that are too many."""
        seen = self._seen.get((project, run_id), set())
        if seen and seen.issuperset(map(hash, names)):
            self._seen.move_to_end((project, run_id))
            return ()
        refused: list[str] = []
        admitted: set[int] = set()
        for name in names:
            if len(seen) + len(admitted) < self._limit or hash(name) in seen:
                admitted |= {hash(name)} - seen
            else:
                refused.append(name)
        self._count(project, run_id, admitted)
        return frozenset(refused)

    def _count(self, project: str, run_id: str, hashes: set[int]) -> None:
        seen = self._seen.setdefault((project, run_id), set())
        self._seen.move_to_end((project, run_id))
        before = len(seen)
        seen |= hashes
        self._held += len(seen) - before
        while self._held > self._most and len(self._seen) > 1:
            forgotten, oldest = self._seen.popitem(last=False)
            self._seeded.discard(forgotten)
            self._held -= len(oldest)


class MetricSeeds:
    """Asks the store, once for each run that the counter does not know, which metrics it has.

    The limit is a brake on runaway names and no account: where the store does not answer soon,
    the run goes on being counted from here, and is asked about again later.
    """

    def __init__(self, counter: MetricCounter, history: RunHistory, clock: Clock) -> None:
        self._counter = counter
        self._history = history
        self._clock = clock
        self._ask_again_at_s = 0.0
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._asked_at_s: dict[tuple[str, str], float] = {}  # lately

    async def ensure(self, project: str, run_id: str) -> None:
        """Return when the run is counted from what the store has, or after two seconds."""
        task = self.begin(project, run_id)
        if task is not None:
            await asyncio.wait({task}, timeout=_PATIENCE_S)

    def begin(self, project: str, run_id: str) -> asyncio.Task[None] | None:
        """Begin to ask, unless it is known; returns what can be waited for."""
        run = (project, run_id)
        now_s = self._clock.monotonic_s()
        if self._counter.knows(*run) or now_s < self._ask_again_at_s:
            return None
        if run not in self._asking:
            if not self._note_asked(run, now_s):
                return None
            task = asyncio.create_task(self._ask(*run))
            task.add_done_callback(lambda _: self._asking.pop(run, None))
            self._asking[run] = task
        return self._asking[run]

    def _note_asked(self, run: tuple[str, str], now_s: float) -> bool:
        """Note a question about a run; return False when it was asked lately.

        Runs too large to be remembered together drive each other out: the store must not have to
        tell all their names again with every frame.
        """
        if now_s < self._asked_at_s.get(run, float("-inf")) + _PAUSE_S:
            return False
        if len(self._asked_at_s) >= _MOST_NOTED:
            since_s = now_s - _PAUSE_S
            lately = {each: at_s for each, at_s in self._asked_at_s.items() if at_s > since_s}
            self._asked_at_s = lately
        self._asked_at_s[run] = now_s
        return True

    async def close(self) -> None:
        """Give up what is being asked."""
        for task in (asking := list(self._asking.values())):
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def _ask(self, project: str, run_id: str) -> None:
        try:
            names = await self._history.metric_names(RunRef(project, run_id), self._counter.limit)
        except StoreError as error:
            self._ask_again_at_s = self._clock.monotonic_s() + _PAUSE_S
            get_logger().debug("metrics of a run are not known", run_id=run_id, problem=str(error))
        else:
            self._counter.seed(project, run_id, names)
