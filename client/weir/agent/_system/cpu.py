"""How busy the processors are."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import psutil

from weir.agent._system.source import Sample, Source

_CPU_ROOT: Final = Path("/sys/devices/system/cpu")
_ASKED_CORES: Final = 8  # a core's frequency costs a file each, and up to a millisecond


class Times(NamedTuple):
    """Seconds since boot of one core, or of all together."""

    busy_s: float
    total_s: float


def busy_percent(before: Times, after: Times) -> float | None:
    """Return the busy share of the time between; None when no time has passed. Pure.

    Counters of a virtual machine may step back a little: the share is kept within 0…100.
    """
    total_s = after.total_s - before.total_s
    if total_s <= 0:
        return None
    return min(100.0, max(0.0, 100.0 * (after.busy_s - before.busy_s) / total_s))


class Cpu(Source):
    """The node's processors: busy shares since the last sampling, load, frequency."""

    def __init__(self, cpu_root: Path = _CPU_ROOT) -> None:
        self._before: list[Times] = []
        self._frequencies = _some(sorted(cpu_root.glob("cpu[0-9]*/cpufreq/scaling_cur_freq")))

    def sample(self) -> Iterator[Sample]:
        """Measure; shares only from the second sampling on."""
        cores = [_times(core) for core in psutil.cpu_times(percpu=True)]
        if cores and len(cores) == len(self._before):
            yield from _shares(self._before, cores)
        self._before = cores
        if hasattr(os, "getloadavg"):
            yield Sample("cpu.load1", "", os.getloadavg()[0])
        yield from self._frequency()

    def _frequency(self) -> Iterator[Sample]:
        try:
            khz = [int(path.read_text()) for path in self._frequencies]
        except (OSError, ValueError):  # cores come and go
            return
        if khz:
            yield Sample("cpu.frequency_mhz", "", sum(khz) / len(khz) / 1000)


def _shares(before: Sequence[Times], after: Sequence[Times]) -> Iterator[Sample]:
    whole = busy_percent(_sum(before), _sum(after))
    if whole is not None:
        yield Sample("cpu.percent", "", whole)
    for index, (earlier, later) in enumerate(zip(before, after, strict=True)):
        share = busy_percent(earlier, later)
        if share is not None:
            yield Sample("cpu.percent", f"cpu{index}", share)


def _times(core: tuple[float, ...]) -> Times:
    seconds = core._asdict()  # type: ignore[attr-defined]
    # A guest's time is in user's already. Waiting for a disk is not work.
    total_s = sum(seconds.values()) - seconds.get("guest", 0.0) - seconds.get("guest_nice", 0.0)
    return Times(total_s - seconds["idle"] - seconds.get("iowait", 0.0), total_s)


def _sum(cores: Sequence[Times]) -> Times:
    return Times(sum(core.busy_s for core in cores), sum(core.total_s for core in cores))


def _some(paths: Sequence[Path]) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // _ASKED_CORES)][:_ASKED_CORES]
