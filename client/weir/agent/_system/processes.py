"""The processes of this machine: who started whom, and what each uses. One pass over /proc."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import psutil

_PROC: Final = Path("/proc")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Process(NamedTuple):
    """One process at one moment.

    Attributes:
        born: Tells it from another that has its pid later.
        cpu_s: Processor seconds so far.
    """

    pid: int
    parent: int
    born: float
    cpu_s: float
    rss_bytes: int
    threads: int


def read_processes(proc: Path = _PROC) -> dict[int, Process]:
    """Return all processes that can be seen, by pid."""
    if not (proc / "self/stat").exists():
        return {process.pid: process for process in _from_psutil()}
    found: dict[int, Process] = {}
    for name in os.listdir(proc):
        if name.isdigit():
            process = _read(f"{proc}/{name}/stat")
            if process is not None:
                found[process.pid] = process
    return found


def read_some(pids: Iterable[int], proc: Path = _PROC) -> dict[int, Process]:
    """Return those of these processes that are still there, by pid."""
    if not (proc / "self/stat").exists():
        wanted = set(pids)
        return {process.pid: process for process in _from_psutil() if process.pid in wanted}
    found = (_read(f"{proc}/{pid}/stat") for pid in pids)
    return {process.pid: process for process in found if process is not None}


def descendants(
    roots: Iterable[int], processes: Mapping[int, Process], *, without: int = 0
) -> set[int]:
    """Return the pids of these processes and of all that they and their children started. Pure.

    Args:
        roots: Pids.
        processes: All there are.
        without: Neither this process nor what it started.
    """
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    open_ = [root for root in roots if root in processes]
    while open_:
        pid = open_.pop()
        if pid not in found and pid != without:
            found.add(pid)
            open_.extend(children.get(pid, ()))
    return found


def count_fds(pid: int, proc: Path = _PROC) -> int | None:
    """Return a process's open descriptors; None when it is gone, or not ours to look at."""
    try:
        return len(os.listdir(f"{proc}/{pid}/fd"))
    except OSError:
        return _fds_from_psutil(pid) if not (proc / "self/stat").exists() else None


def parse_stat(text: str) -> Process:
    """Return what a line of /proc/<pid>/stat says. The name in it may hold spaces and brackets.

    Raises:
        ValueError, IndexError: It is no such line.
    """
    pid, _, rest = text.partition(" (")
    fields = rest[rest.rindex(")") + 2 :].split()
    return Process(
        pid=int(pid),
        parent=int(fields[1]),
        born=float(fields[19]),
        cpu_s=(int(fields[11]) + int(fields[12])) / _TICKS_PER_S,
        rss_bytes=int(fields[21]) * _PAGE_BYTES,
        threads=int(fields[17]),
    )


def _read(path: str) -> Process | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # it ended while we looked
        return None
    try:
        return parse_stat(os.read(descriptor, 4096).decode(errors="replace"))
    except (OSError, ValueError, IndexError):
        return None
    finally:
        os.close(descriptor)


def _from_psutil() -> Iterator[Process]:
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                times = process.cpu_times()
                yield Process(
                    process.pid,
                    process.ppid(),
                    process.create_time(),
                    times.user + times.system,
                    process.memory_info().rss,
                    process.num_threads(),
                )
        except psutil.Error:
            continue


def _fds_from_psutil(pid: int) -> int | None:
    try:
        return int(psutil.Process(pid).num_fds())
    except (psutil.Error, AttributeError):
        return None
