"""What the machine is. Asked once per agent."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from weir.agent._system.source import Fact

_CPUINFO: Final = Path("/proc/cpuinfo")
_CONTAINER_MARKS: Final = ("/.dockerenv", "/run/.containerenv")


def machine_facts(cpuinfo: Path = _CPUINFO) -> Iterator[tuple[str, Fact]]:
    """Iterate over path below `node/<node>/` and value; what is not known is left out."""
    yield "os", platform.system()
    yield "kernel", platform.release()
    yield "arch", platform.machine()
    model = cpu_model(cpuinfo)
    if model:
        yield "cpu_model", model
    threads, cores = psutil.cpu_count(), psutil.cpu_count(logical=False)
    if cores:
        yield "cpu_cores", cores
    if threads:
        yield "cpu_threads", threads
    if hasattr(os, "sched_getaffinity"):
        yield "cpu_usable", len(os.sched_getaffinity(0))
    yield "memory_bytes", psutil.virtual_memory().total
    swap = psutil.swap_memory().total
    if swap:
        yield "swap_bytes", swap
    if any(Path(mark).exists() for mark in _CONTAINER_MARKS):
        yield "in_container", True


def cpu_model(cpuinfo: Path) -> str:
    """Return the processor's name; "" when nobody tells."""
    try:
        with cpuinfo.open(errors="replace") as lines:
            for line in lines:  # of hundreds of cores the first is enough
                key, _, value = line.partition(":")
                if key.strip() in {"model name", "Model", "cpu model"}:
                    return value.strip()
    except OSError:
        pass
    return platform.processor()
