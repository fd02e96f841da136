"""What a run took of its accelerators: the arithmetic, pure. SQL and twin bring the sums (`Took`)."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

FAMILIES: Final = ("gpu", "accelerator")
UTILIZATION, POWER, ENERGY = "utilization", "power_w", "energy_j"
KINDS: Final = (UTILIZATION, POWER, ENERGY, "memory_used_bytes")
METRICS: Final = tuple(f"{family}.{kind}" for family in FAMILIES for kind in KINDS)
"""What says that a device was being measured. Parts of a card (`gpu0/mig1`, `gpu0/rank3`) are not counted."""
ANY: Final = "any"
"""Stands for all of them together: when any of them was measured."""

LONGEST_GAP_S: Final = 60
"""Between two measurements farther apart than this, nothing was measured."""
IDLE_BELOW: Final = 5.0  # %

_JOULES_PER_WH: Final = 3_600.0

USAGE = pa.schema(
    {
        "node": pa.string(),
        "device": pa.string(),
        "hours": pa.float64(),
        "energy_wh": pa.float64(),
        "idle_share": pa.float64(),
        "mean_utilization": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True)
class Took:
    """Sums over one metric of one device; each gap counts with the measurement at its end.

    Attributes:
        metric: Its name, or `ANY`.
        measured_s: Seconds in gaps of at most `LONGEST_GAP_S`; sums below are over the same gaps.
        rise: Of a counter; what it fell by (it was reset) is not subtracted.
        area: Value times seconds, by trapezoids.
        weighted: Value times seconds, by the value at the end.
        idle_s: Seconds with a value under `IDLE_BELOW`.
    """

    node: str
    device: str
    metric: str
    measured_s: float
    rise: float
    area: float
    weighted: float
    idle_s: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What all devices of a run took together; shares and means are weighted by hours."""

    nodes: int
    devices: int
    hours: float
    energy_wh: float
    idle_share: float
    mean_utilization: float


def usage_table(took: Iterable[Took]) -> pa.Table:
    """Return one row per device; see `SystemReader.read_usage`."""
    devices: dict[tuple[str, str], dict[str, Took]] = {}
    for each in sorted(took, key=lambda each: each.metric, reverse=True):
        kind = each.metric.rpartition(".")[2]
        devices.setdefault((each.node, each.device), {})[kind] = each
    rows = [_row(*name, sums) for name, sums in sorted(devices.items())]
    return pa.Table.from_pylist(rows, schema=USAGE)


def totals(table: pa.Table) -> Usage:
    """Add up a usage table; NaN where no device had the figure, as in an empty table but for hours."""
    rows = table.to_pylist()
    energies = [row["energy_wh"] for row in rows if not math.isnan(row["energy_wh"])]
    return Usage(
        nodes=len({row["node"] for row in rows}),
        devices=len(rows),
        hours=math.fsum(row["hours"] for row in rows),
        energy_wh=math.fsum(energies) if energies else math.nan,
        idle_share=_by_hours(rows, "idle_share"),
        mean_utilization=_by_hours(rows, "mean_utilization"),
    )


def _row(node: str, device: str, sums: dict[str, Took]) -> dict[str, Any]:
    busy = sums.get(UTILIZATION)
    known = busy is not None and busy.measured_s > 0
    return {
        "node": node,
        "device": device,
        "hours": sums[ANY].measured_s / 3_600,
        "energy_wh": _joules(sums) / _JOULES_PER_WH,
        "idle_share": busy.idle_s / busy.measured_s if busy and known else math.nan,
        "mean_utilization": busy.weighted / busy.measured_s if busy and known else math.nan,
    }


def _joules(sums: dict[str, Took]) -> float:
    if ENERGY in sums:
        return sums[ENERGY].rise
    return sums[POWER].area if POWER in sums else math.nan


def _by_hours(rows: list[dict[str, Any]], column: str) -> float:
    told = [row for row in rows if not math.isnan(row[column])]
    hours = math.fsum(row["hours"] for row in told)
    return math.fsum(row[column] * row["hours"] for row in told) / hours if hours else math.nan
