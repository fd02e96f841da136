"""The machine of rank 0: system, CPU, memory, and what NVIDIA's driver says of its GPUs."""

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from weir._inputs._report import Findings
from weir._inputs._request import Request
from weir._redact import Redactor


def collect_machine(request: Request, redactor: Redactor) -> Findings:
    """Return `machine/…` without GPUs; what cannot be told is left out."""
    import psutil

    found: dict[str, Any] = {
        "machine/os": _system(),
        "machine/kernel": platform.release(),
        "machine/architecture": platform.machine(),
        "machine/libc": " ".join(platform.libc_ver()).strip(),
        "machine/cpu": _cpu_model(),
        "machine/cpu_count": os.cpu_count() or 0,
        "machine/cpu_cores": psutil.cpu_count(logical=False) or 0,
        "machine/cpu_usable": _usable_cpus(),
        "machine/memory_bytes": psutil.virtual_memory().total,
        "machine/swap_bytes": _swap_bytes(),
    }
    return Findings({path: value for path, value in found.items() if value})


def collect_gpus(request: Request, redactor: Redactor) -> Findings:
    """Return `machine/gpu…`; without NVIDIA's driver nothing."""
    import pynvml

    findings = Findings()
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return findings
    try:
        devices = [_device(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
        models = sorted({device["model"] for device in devices})
        findings.facts = {
            "machine/gpu": ", ".join(models),
            "machine/gpu_count": len(devices),
            "machine/gpus": devices,
            "machine/gpu_driver": _text(pynvml.nvmlSystemGetDriverVersion()),
            "machine/cuda_driver": _cuda(pynvml),
        }
    except pynvml.NVMLError as error:
        findings.problem("gpus", error)
    finally:
        pynvml.nvmlShutdown()
    findings.facts = {path: value for path, value in findings.facts.items() if value}
    return findings


def _device(nvml: Any, index: int) -> dict[str, Any]:
    """One GPU; what a card does not tell is left out."""
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    asks: dict[str, Callable[[], Any]] = {
        "model": lambda: _text(nvml.nvmlDeviceGetName(handle)),
        "memory_bytes": lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).total),
        "uuid": lambda: _text(nvml.nvmlDeviceGetUUID(handle)),
        "compute": lambda: ".".join(map(str, nvml.nvmlDeviceGetCudaComputeCapability(handle))),
        "power_limit_w": lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle) / 1000,
        "mig": lambda: bool(nvml.nvmlDeviceGetMigMode(handle)[0]),
    }
    device: dict[str, Any] = {"index": index, "model": "?"}
    for name, ask in asks.items():
        try:
            device[name] = ask()
        except (nvml.NVMLError, TypeError, AttributeError):
            continue
    return device


def _cuda(nvml: Any) -> str:
    """The newest CUDA the driver runs, e.g. `12.4`."""
    try:
        number = int(nvml.nvmlSystemGetCudaDriverVersion_v2())
    except (nvml.NVMLError, AttributeError):
        return ""
    return f"{number // 1000}.{number % 1000 // 10}"


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform(terse=True)


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.lower().startswith(("model name", "cpu model", "hardware")):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        pass
    return platform.processor()


def _usable_cpus() -> int:
    """CPUs this process may run on: fewer than there are in a job or a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 0


def _swap_bytes() -> int:
    import psutil

    try:
        return int(psutil.swap_memory().total)
    except (OSError, RuntimeError):  # a container without /proc/vmstat
        return 0
