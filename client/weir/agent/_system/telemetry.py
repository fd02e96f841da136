"""The observer of the node itself: samples what is due once, and writes it to every run here."""

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from weir._clock import Clock, SystemClock
from weir.agent._attendance import Attended
from weir.agent._system.cost import Purse
from weir.agent._system.disk import DiskSpace
from weir.agent._system.facts import machine_facts
from weir.agent._system.process import Rank, RankProcesses
from weir.agent._system.sampling import Group, Sampling
from weir.agent._system.source import Fact, Sample, Source
from weir.agent._system.sources import own_sources, page_source, plugged_in
from weir.agent._system.watched import WatchedRun
from weir.agent._system.wishes import Wishes, wants_telemetry

_IDLE_S: Final = 0.5
_LOOK_EVERY_S: Final = 1.0  # a run that begins is measured this soon
_JUST_NOW_S: Final = 0.5
_EARLY_S: Final = 0.2  # what is due so soon is taken along: one frame instead of two
_COST: Final = "telemetry.cost_percent"


class Telemetry:
    """An `Observer`. Samples the node for all runs that want it.

    All runs get all samples, at the shortest period that one of them asks for.

    Args:
        sources: What can be measured; found out when None.
        spool_free_share: How much of the free disk a run's node log may take.
        cpu_s: Processor time of the calling thread; sources count that of their own threads.
    """

    def __init__(
        self,
        sources: Iterable[Source] | None = None,
        *,
        spool_free_share: float = 0.1,
        clock: Clock | None = None,
        cpu_s: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock = clock or SystemClock()
        self._cpu_s = cpu_s
        self._free_share = spool_free_share
        self._space = DiskSpace()
        self._given = None if sources is None else list(sources)
        self._opened = False
        self._node = Group([])
        self._accelerators = Group([])
        self._own_count = 0
        self._pages: tuple[str, ...] = ()
        self._processes = RankProcesses(monotonic_s=self._clock.monotonic_s)
        self._machine: dict[str, Fact] | None = None
        self._watched: dict[tuple[str, str], WatchedRun] = {}
        self._purse = Purse(self._clock.monotonic_s())
        self._spent_s, self._spent_since_s = 0.0, self._clock.monotonic_s()

    # ── what the agent calls ───────────────────────────────────────────────

    def observe(self, runs: Sequence[Attended]) -> float:
        """Sample what is due; returns seconds until it wants to look again, at most one."""
        wanting = [run for run in runs if run.live and wants_telemetry(run)]
        if not wanting:
            return _IDLE_S
        self._open()
        watched = [self._watch(run) for run in wanting]
        wishes = Wishes.of(wanting)
        self._scrape(wishes.openmetrics)
        now_s = self._clock.monotonic_s()
        waits = self._waits(now_s, wishes, self._youngest_s(watched))
        if self._purse.allows(now_s):
            due = [group for group, wait_s in waits if wait_s <= _EARLY_S]
            if due:
                self._sample(due, watched)
                waits = self._waits(now_s, wishes, self._youngest_s(watched))
        wait_s = max(min(wait_s for _, wait_s in waits), self._purse.wait_s(now_s))
        return min(max(wait_s, 0.05), _LOOK_EVERY_S)

    def finish(self, run: Attended) -> bool:
        """Sample a last time when the run was watched until now, and write what it used."""
        watched = self._watched.get((run.project, run.run_id))
        if watched is None or watched.run is not run:
            return True
        others = [each for each in self._watched.values() if each.run.live]
        self._sample(self._not_just_now(), [*others, watched], last=watched)
        del self._watched[watched.key]
        return True

    def close(self) -> None:
        """Write what runs used so far, and let go of NVML and the like."""
        for watched in self._watched.values():
            now = Sampling(self._clock.unix_us(), self._clock.monotonic_s())
            self._write([watched], now, {}, last=watched)
        for source in (*self._node.sources, *self._accelerators.sources):
            source.close()

    def _open(self) -> None:
        """Find out what can be measured, once there is a run to measure for."""
        if self._opened:
            return
        self._opened = True
        found = self._given
        if found is None:
            found = [*own_sources(self._space), *plugged_in()]
        self._node.sources = [source for source in found if not source.accelerator]
        self._accelerators.sources = [source for source in found if source.accelerator]
        self._own_count = len(self._node.sources)

    # ── what is due ────────────────────────────────────────────────────────

    def _waits(self, now_s: float, wishes: Wishes, youngest_s: float) -> list[tuple[Group, float]]:
        asked = (
            (self._node, wishes.system_period_s),
            (self._accelerators, wishes.gpu_period_s),
        )
        return [
            (group, group.due_in_s(now_s, asked_s=asked_s, youngest_s=youngest_s))
            for group, asked_s in asked
            if group.sources or group is self._node
        ]

    def _not_just_now(self) -> list[Group]:
        now_s = self._clock.monotonic_s()
        groups = (self._node, self._accelerators)
        return [group for group in groups if now_s - group.sampled_s >= _JUST_NOW_S]

    def _youngest_s(self, watched: Iterable[WatchedRun]) -> float:
        """Age of the youngest run."""
        now_s, now_us = self._clock.monotonic_s(), self._clock.unix_us()
        return min(each.age_s(now_s, now_us) for each in watched)

    def _watch(self, run: Attended) -> WatchedRun:
        watched = self._watched.get((run.project, run.run_id))
        if watched is None or watched.run is not run:
            watched = WatchedRun(run, self._clock, free_share=self._free_share)
            self._watched[watched.key] = watched
        return watched

    def _scrape(self, pages: tuple[str, ...]) -> None:
        """Read these pages with the node's samples from now on."""
        if pages == self._pages:
            return
        self._pages = pages
        for source in self._node.sources[self._own_count :]:
            source.close()
        del self._node.sources[self._own_count :]
        for page in pages:
            self._node.sources += page_source(page)

    # ── sampling ───────────────────────────────────────────────────────────

    def _sample(
        self,
        groups: Sequence[Group],
        watched: Sequence[WatchedRun],
        last: WatchedRun | None = None,
    ) -> None:
        now_s = self._clock.monotonic_s()
        first = any(group.sampled_s == float("-inf") for group in groups)
        began_cpu_s = self._cpu_s()
        found = Sampling(time_unix_us=self._clock.unix_us(), now_s=now_s)
        found.with_processes = self._node in groups
        if found.with_processes:
            self._look_at_processes(watched)
        for group in groups:
            self._sample_group(group, found)
        self._write(watched, found, self._facts(), last)
        # Loading libraries and opening drivers is not part of what measuring costs.
        spent_s = self._cpu_s() - began_cpu_s
        spent_s += sum(source.spent_s() for group in groups for source in group.sources)
        self._account(0.0 if first else spent_s, now_s)

    def _write(
        self,
        watched: Iterable[WatchedRun],
        found: Sampling,
        facts: Mapping[str, Fact],
        last: WatchedRun | None,
    ) -> None:
        for each in watched:
            own = list(self._processes.samples(each.key)) if found.with_processes else []
            own += self._processes.held(each.key, found.held)
            each.take(
                [*found.samples, *own],
                facts=facts,
                notices=found.notices,
                time_unix_us=found.time_unix_us,
                now_s=found.now_s,
                last=each is last,
            )

    def _sample_group(self, group: Group, found: Sampling) -> None:
        samples: list[Sample] = []
        for source in group.sources:
            samples += source.sample()
            found.held += source.held()
            found.notices += source.notices()
        group.note(samples, found.now_s)
        found.samples += samples
        if group is self._node:
            found.samples += self._cost(found.now_s)

    def _look_at_processes(self, watched: Iterable[WatchedRun]) -> None:
        trainers: dict[Rank, set[int]] = {}
        spools: set[str] = set()
        for each in watched:
            for trainer in list(each.run.trainers.values()):
                spools.add(str(trainer.spool.path))
                if trainer.live:
                    trainers.setdefault((each.key, trainer.meta.rank), set()).add(trainer.meta.pid)
        self._processes.look({rank: frozenset(pids) for rank, pids in trainers.items()})
        pids = {pid for ours in trainers.values() for pid in ours}
        self._space.folders = spools | set(filter(None, map(_working_folder, pids)))

    def _facts(self) -> Mapping[str, Fact]:
        if self._machine is None:
            self._machine = dict(machine_facts())
        facts = dict(self._machine)
        for source in (*self._node.sources, *self._accelerators.sources):
            facts.update(source.facts())
        return facts

    def _cost(self, now_s: float) -> list[Sample]:
        """What was spent since this was said last."""
        elapsed_s = now_s - self._spent_since_s
        if elapsed_s < _JUST_NOW_S:
            return []
        percent = 100 * self._spent_s / elapsed_s
        self._spent_s, self._spent_since_s = 0.0, now_s
        return [Sample(_COST, "", percent)]

    def _account(self, cpu_s: float, now_s: float) -> None:
        self._purse.spend(cpu_s, now_s)
        self._spent_s += cpu_s


def _working_folder(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""
