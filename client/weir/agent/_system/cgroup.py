"""What the control group of these processes uses and may use: in a container, the limits that count.

Control groups nest, and the tightest limit holds whoever lives below it:

    /sys/fs/cgroup/slurm/job_7/step_0     memory.max  max
    /sys/fs/cgroup/slurm/job_7            memory.max  64 GiB    ← this one, and its memory.current
    /sys/fs/cgroup/slurm                  memory.max  max
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from weir.agent._system.rate import Rates
from weir.agent._system.source import Fact, Notice, Sample, Source

_CGROUP_ROOT: Final = Path("/sys/fs/cgroup")
_OWN: Final = Path("/proc/self/cgroup")


class Cgroup(Source):
    """The control group (version 2) that the agent was started in: its trainer's.

    Where there is none, or only version 1, nothing is sampled.
    """

    def __init__(
        self,
        root: Path = _CGROUP_ROOT,
        own: Path = _OWN,
        *,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._groups = _groups(root, own)
        self._monotonic_s = monotonic_s
        self._rates = Rates()
        self._oom_kills: int | None = None
        self._notices: list[Notice] = []

    def sample(self) -> Iterator[Sample]:
        """Measure. Shares of time only from the second sampling on."""
        if self._groups:
            yield from self._cpu()
            yield from self._memory()

    def facts(self) -> Mapping[str, Fact]:
        """Return the limits that there are."""
        limits: dict[str, Fact] = {}
        cores, bytes_ = self._tightest(_cpu_limit), self._tightest(_memory_limit)
        if cores:
            limits["container_cpu_cores"] = cores[0]
        if bytes_:
            limits["container_memory_bytes"] = int(bytes_[0])
        return limits

    def notices(self) -> Sequence[Notice]:
        """Return kills for memory."""
        taken, self._notices = self._notices, []
        return taken

    def _cpu(self) -> Iterator[Sample]:
        limit = self._tightest(_cpu_limit)
        if limit:
            yield Sample("cgroup.cpu_limit_percent", "", 100 * limit[0])
        stat = _pairs(limit[1] if limit else self._groups[0], "cpu.stat")
        now_s = self._monotonic_s()
        for metric, key in (
            ("cgroup.cpu_percent", "usage_usec"),
            ("cgroup.cpu_throttled_percent", "throttled_usec"),
        ):
            if key in stat:
                us_per_s = self._rates.per_s(metric, "", stat[key], now_s)
                if us_per_s is not None:
                    yield Sample(metric, "", us_per_s / 1e4)

    def _memory(self) -> Iterator[Sample]:
        limit = self._tightest(_memory_limit)
        if limit:
            yield Sample("cgroup.memory_limit_bytes", "", limit[0])
        group = limit[1] if limit else self._groups[0]
        used = _number(group, "memory.current")
        if used is not None:
            yield Sample("cgroup.memory_used_bytes", "", used)
        kills = _pairs(group, "memory.events").get("oom_kill")
        if kills is not None:
            yield Sample("cgroup.oom_kills", "", kills)
            self._notice_kills(kills, limit[0] if limit else 0.0)

    def _notice_kills(self, kills: int, limit_bytes: float) -> None:
        before, self._oom_kills = self._oom_kills, kills
        if before is not None and kills > before:
            limit = f"; the limit is {limit_bytes / 2**30:.1f} GiB" if limit_bytes else ""
            title = f"{kills - before} of the container's processes killed for memory{limit}"
            body = "The kernel ended them because the control group was out of memory."
            self._notices.append(Notice("oom_kill", "error", title, body))

    def _tightest(self, limit: Callable[[Path], float | None]) -> tuple[float, Path] | None:
        """Return the lowest limit and the group that has it; the innermost of equals."""
        found = [(value, group) for group in self._groups if (value := limit(group)) is not None]
        return min(found, key=lambda each: each[0], default=None)


def _groups(root: Path, own: Path) -> list[Path]:
    """Return our group and those above it that can be seen, innermost first."""
    if not (root / "cgroup.controllers").exists():
        return []
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    path = next((line[3:] for line in lines if line.startswith("0::")), "/")
    inner = root / path.strip("/")
    # A path that leads out of a container's view ("/../…"), or is not mounted here: what is seen.
    if ".." in path or not inner.is_dir():
        inner = root
    above = [inner, *inner.parents]
    return above[: above.index(root) + 1]


def _cpu_limit(group: Path) -> float | None:
    """Cores that a group may use."""
    quota, _, period = _text(group, "cpu.max").partition(" ")
    try:
        return int(quota) / int(period)
    except (ValueError, ZeroDivisionError):  # "max 100000", or no such file
        return None


def _memory_limit(group: Path) -> float | None:
    return _number(group, "memory.max")


def _number(group: Path, file: str) -> float | None:
    try:
        return float(int(_text(group, file)))
    except ValueError:  # "max", or no such file
        return None


def _pairs(group: Path, file: str) -> dict[str, int]:
    words = [line.split() for line in _text(group, file).splitlines()]
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()}


def _text(group: Path, file: str) -> str:
    try:
        return (group / file).read_text().strip()
    except OSError:
        return ""
