"""What the processes of a run use, rank by rank: the trainers and all that they started."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from weir.agent._system.processes import (
    Process,
    count_fds,
    descendants,
    read_processes,
    read_some,
)
from weir.agent._system.source import Held, Sample

_LOOK_AROUND_EVERY_S: Final = 5.0  # children are looked for so often; in between, the known ones

Run = tuple[str, str]
Rank = tuple[Run, int]


class RankProcesses:
    """Keeps up with the processes of all ranks on this node.

    Args:
        agent_pid: Mostly a child of the trainer that needed it first, and none of its processes.
    """

    def __init__(
        self,
        *,
        agent_pid: int | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._agent_pid = os.getpid() if agent_pid is None else agent_pid
        self._monotonic_s = monotonic_s
        self._pids: dict[Rank, set[int]] = {}
        self._trainers: Mapping[Rank, frozenset[int]] = {}
        self._looked_s = float("-inf")
        self._now: dict[int, Process] = {}
        self._before: dict[int, Process] = {}
        self._between_s = 0.0
        self._at_s: float | None = None

    def look(self, trainers: Mapping[Rank, frozenset[int]]) -> None:
        """Read the processes of these ranks. Called once per sampling, before `samples`.

        Args:
            trainers: Pids of the processes that log, by run and rank.
        """
        now_s = self._monotonic_s()
        if trainers != self._trainers or now_s - self._looked_s >= _LOOK_AROUND_EVERY_S:
            everybody = read_processes()
            self._pids = {
                rank: descendants(pids, everybody, without=self._agent_pid)
                for rank, pids in trainers.items()
            }
            self._trainers, self._looked_s = trainers, now_s
        self._before = self._now
        self._between_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._now = read_some({pid for pids in self._pids.values() for pid in pids})
        self._at_s = now_s

    def samples(self, run: Run) -> Iterator[Sample]:
        """Iterate over what a run's ranks use; shares of time only from the second look on."""
        for (whose, rank), pids in self._pids.items():
            if whose == run:
                here = [self._now[pid] for pid in pids if pid in self._now]
                if here:
                    yield from self._of_rank(f"rank{rank}", here)

    def held(self, run: Run, held: Iterable[Held]) -> Iterator[Sample]:
        """Iterate over what a run's ranks hold of devices."""
        sums: dict[tuple[str, str], float] = {}
        ranks = {
            pid: rank for (whose, rank), pids in self._pids.items() if whose == run for pid in pids
        }
        for metric, device, pid, value in held:
            if pid in ranks:
                key = metric, f"{device}/rank{ranks[pid]}"
                sums[key] = sums.get(key, 0.0) + value
        for (metric, device), value in sums.items():
            yield Sample(metric, device, value)

    def _of_rank(self, device: str, here: list[Process]) -> Iterator[Sample]:
        if self._between_s > 0:
            spent_s = sum(self._spent_s(process) for process in here)
            yield Sample("process.cpu_percent", device, 100 * spent_s / self._between_s)
        yield Sample("process.rss_bytes", device, sum(each.rss_bytes for each in here))
        yield Sample("process.threads", device, sum(each.threads for each in here))
        yield Sample("process.count", device, len(here))
        fds = [count for each in here if (count := count_fds(each.pid)) is not None]
        if fds:
            yield Sample("process.fds", device, sum(fds))

    def _spent_s(self, process: Process) -> float:
        """Processor seconds since the last look; of a process found only now, all that it spent.

        That is right for one that was started since, and for others it would be too much: those
        of a trainer that we see for the first time were there before.
        """
        before = self._before.get(process.pid)
        if before is not None and before.born == process.born:
            return process.cpu_s - before.cpu_s
        return min(process.cpu_s, self._between_s) if process.parent in self._before else 0.0
