"""What system metrics are called and measured in, and in which groups they are shown. Pure.

The suffix of a name says its unit (docs/formats/system.md).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

# group → beginnings of names, in the order of the page; the first that fits has the metric
GROUPS: Final = {
    "GPU": (
        *("gpu.utilization", "gpu.memory_utilization", "gpu.memory_used_bytes", "gpu.power_w"),
        *("gpu.temperature_c", "gpu.sm_clock_mhz", "accelerator."),
    ),
    "GPU links": ("gpu.pcie_", "gpu.nvlink_"),
    "GPU health": ("gpu.",),
    "CPU": ("cpu.",),
    "Memory": ("memory.",),
    "Disk": ("disk.",),
    "Network": ("net.", "rdma."),
    "Processes": ("process.",),
    "Container": ("cgroup.",),
}
OTHER: Final = "Other"

# What is looked at first, in this order; then the others by name, and what hardly ever moves last.
_FIRST: Final = (
    "utilization", "memory_used_bytes", "power_w", "temperature_c", "sm_clock_mhz", "percent",
    "used_bytes", "cpu_percent", "rss_bytes",
)  # fmt: skip
_LAST: Final = ("energy_j", "memory_total_bytes", "ecc_corrected", "ecc_uncorrected", "fan_percent")

_BYTES: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_UNITS: Final = {
    "_bytes_per_s": "B/s",
    "_bytes": "B",
    "_percent": "%",
    ".percent": "%",
    ".utilization": "%",
    "_utilization": "%",
    "_w": "W",
    "_j": "J",
    "_c": "°C",
    "_mhz": "MHz",
    "_per_s": "/s",
}


def group_of(metric: str) -> str:
    """Return the group a metric is shown in."""
    return next((name for name, prefixes in GROUPS.items() if metric.startswith(prefixes)), OTHER)


def groups_of(metrics: Iterable[str]) -> dict[str, list[str]]:
    """Sort metrics into groups, in the order of the page; empty groups are left out."""
    found: dict[str, list[str]] = {name: [] for name in (*GROUPS, OTHER)}
    for metric in sorted(set(metrics), key=_place):
        found[group_of(metric)].append(metric)
    return {name: listed for name, listed in found.items() if listed}


def _place(metric: str) -> tuple[int, str]:
    name = metric.partition(".")[2]
    if name in _FIRST:
        return _FIRST.index(name), metric
    return len(_FIRST) + (name in _LAST), metric


def unit_of(metric: str) -> str:
    """Return a metric's unit; "" when its name says none."""
    return next((unit for suffix, unit in _UNITS.items() if metric.endswith(suffix)), "")


def size(count: float) -> str:
    """Write a number of bytes with its largest unit: `1.5 GiB`."""
    for unit in _BYTES:
        if abs(count) < 1024 or unit == _BYTES[-1]:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1024
    return ""


def scale_of(metric: str, largest: float) -> tuple[float, str]:
    """Return what to divide a metric's values by for a readable axis, and the unit then."""
    unit = unit_of(metric)
    if not unit.startswith("B"):
        return 1.0, unit
    divisor, index = 1.0, 0
    while largest / divisor >= 1024 and index < len(_BYTES) - 1:
        divisor, index = divisor * 1024, index + 1
    return divisor, _BYTES[index] + unit[1:]
