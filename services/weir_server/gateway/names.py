"""The symbol table of a frame: which metric names are good. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from weir_server.gateway.findings import has_control, is_longer
from weir_server.gateway.limits import Code, Limits

Admit = Callable[[Collection[str]], Collection[str]]
"""Takes metric names of the frame's run, returns those that are one metric too many."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a name, and every point that refers to it, is not taken."""

    code: Code
    message: str


@dataclass(frozen=True, slots=True)
class Names:
    """A symbol table and what is wrong with it, by index."""

    table: Sequence[str]
    faults: Mapping[int, Fault] = field(default_factory=dict)


def check_names(
    table: Sequence[str],
    limits: Limits,
    admit: Admit,
    *,
    metrics: Collection[int] | None = None,
) -> Names:
    """Return the table with its faults.

    Args:
        table: All names of a frame.
        limits: What is too long, and too many.
        admit: Counts metrics.
        metrics: Indices of the names that are metrics of the run; None = all.
    """
    faults = {} if _all_good(table, limits) else _faults(table, limits)
    refused = admit(_counted(table, faults, metrics))
    if refused:
        fault = Fault(
            Code.TOO_MANY_METRICS,
            f"the run has over {limits.max_metrics_per_run} metrics, put what varies into the value or the step",
        )
        faults.update({i: fault for i, name in enumerate(table) if name in refused})
    return Names(table, faults)


def _counted(
    table: Sequence[str], faults: Collection[int], metrics: Collection[int] | None
) -> Sequence[str]:
    if not faults and metrics is None:
        return table
    return [
        name
        for i, name in enumerate(table)
        if i not in faults and (metrics is None or i in metrics)
    ]


def _all_good(table: Sequence[str], limits: Limits) -> bool:
    """Look at all names at once; False may be wrong, True never is."""
    text = "".join(table)
    if not text.isprintable() and has_control(text):
        return False
    longest = max(map(len, table), default=1)
    shortest = min(map(len, table), default=1)
    bytes_per_char = 1 if text.isascii() else 4
    return shortest > 0 and longest * bytes_per_char <= limits.max_metric_name_bytes


def _faults(table: Sequence[str], limits: Limits) -> dict[int, Fault]:
    found = ((i, _fault(name, limits)) for i, name in enumerate(table))
    return {i: fault for i, fault in found if fault is not None}


def _fault(name: str, limits: Limits) -> Fault | None:
    if not name:
        return Fault(Code.METRIC_NAME_EMPTY, "a metric needs a name")
    if is_longer(name, limits.max_metric_name_bytes):
        return Fault(
            Code.METRIC_NAME_TOO_LONG,
            f"the name takes over {limits.max_metric_name_bytes} bytes, shorten it",
        )
    if has_control(name):
        return Fault(Code.METRIC_NAME_CONTROL, "the name holds control characters, leave them out")
    return None
