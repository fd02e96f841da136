"""How full file systems are, and what goes to and from disks."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil

from weir.agent._system.rate import Rates
from weir.agent._system.source import Sample, Source

_BLOCK_ROOT: Final = Path("/sys/block")
_NO_DISK: Final = re.compile(r"(loop|ram|zram|sr|fd|dm-|md|nbd)\d*")  # others carry what they do
_PATIENCE_S: Final = 0.2


class DiskTraffic(Source):
    """Bytes per second of whole disks, each and together."""

    def __init__(
        self,
        block_root: Path = _BLOCK_ROOT,
        *,
        counters: Callable[..., Mapping[str, object] | None] = psutil.disk_io_counters,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._block_root = block_root
        self._counters = counters
        self._monotonic_s = monotonic_s
        self._rates = Rates()

    def sample(self) -> Iterator[Sample]:
        """Measure; nothing before the second sampling."""
        counters = self._counters(perdisk=True, nowrap=False) or {}
        now_s = self._monotonic_s()
        whole = whole_disks(counters, _names_in(self._block_root))
        for metric, field in (
            ("disk.read_bytes_per_s", "read_bytes"),
            ("disk.written_bytes_per_s", "write_bytes"),
        ):
            counts = {disk: float(getattr(counters[disk], field)) for disk in whole}
            yield from rates_and_total(self._rates, metric, counts, now_s)


def rates_and_total(
    rates: Rates, metric: str, counts: Mapping[str, float], now_s: float
) -> Iterator[Sample]:
    """Iterate over the rate of each device, then of all together under device ""."""
    found = [(each, rates.per_s(metric, each, count, now_s)) for each, count in counts.items()]
    known = [(device, rate) for device, rate in found if rate is not None]
    for device, rate in known:
        yield Sample(metric, device, rate)
    if known:
        yield Sample(metric, "", sum(rate for _, rate in known))


def whole_disks(counted: Iterable[str], block_devices: Iterable[str]) -> list[str]:
    """Return the disks that are no part of, and no view on, another. Pure.

    Args:
        counted: Names that have counters; partitions too.
        block_devices: Names in /sys/block; empty where there is no such place: then all count.
    """
    blocks = set(block_devices)
    disks = [name for name in counted if not blocks or name.replace("/", "!") in blocks]
    return sorted(name for name in disks if not _NO_DISK.fullmatch(name))


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


class DiskSpace(Source):
    """What is free where the spool lies and where processes work.

    A file system on a network may never answer. It is asked in a thread of its own, once at a
    time, so that only its own numbers are missing then.

    Attributes:
        folders: Absolute paths to look at; set by whoever knows the processes.
    """

    def __init__(
        self,
        folders: Iterable[str] = (),
        *,
        statvfs: Callable[[str], os.statvfs_result] = os.statvfs,
        mount_points: Callable[[], list[str]] | None = None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self.folders = set(folders)
        self._statvfs = statvfs
        self._mount_points = mount_points or _mount_points
        self._patience_s = patience_s
        self._asked: dict[str, _Question] = {}

    def sample(self) -> Iterator[Sample]:
        """Measure."""
        mounts = self._mount_points()
        for mount in sorted({mount_of(folder, mounts) for folder in self.folders}):
            found = self._ask(mount)
            if found is not None and found.f_blocks:
                free = found.f_bavail * found.f_frsize
                yield Sample("disk.free_bytes", mount, free)
                used_blocks = found.f_blocks - found.f_bfree
                yield Sample("disk.used_bytes", mount, used_blocks * found.f_frsize)

    def _ask(self, mount: str) -> os.statvfs_result | None:
        question = self._asked.get(mount)
        if question is None or not question.is_alive():
            question = self._asked[mount] = _Question(self._statvfs, mount)
            question.start()
            question.join(self._patience_s)
        return None if question.is_alive() else question.answer


class _Question(threading.Thread):
    """One `statvfs`, which may hang for as long as the server is away."""

    def __init__(self, statvfs: Callable[[str], os.statvfs_result], mount: str) -> None:
        super().__init__(name="weir-statvfs", daemon=True)
        self._ask = statvfs
        self._mount = mount
        self.answer: os.statvfs_result | None = None

    def run(self) -> None:
        try:
            self.answer = self._ask(self._mount)
        except OSError:  # not ours to look at, or gone
            self.answer = None


def mount_of(folder: str, mount_points: Iterable[str]) -> str:
    """Return the mount point that a folder lies under; "/" when none is known. Pure."""
    above = [m for m in mount_points if folder == m or folder.startswith(m.rstrip("/") + "/")]
    return max(above, key=len, default="/")


def _mount_points() -> list[str]:
    """Of this process's name space; does not touch the file systems."""
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return [part.mountpoint for part in psutil.disk_partitions(all=True)]
    return [_unescaped(line.split()[4]) for line in lines]


def _unescaped(path: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), path)
