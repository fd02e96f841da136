"""What accelerators did for a run, added up on one node: hours, energy, idle share. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from weir.agent._system.source import Sample

IDLE_PERCENT: Final = 5.0
LONGEST_GAP_S: Final = 60.0
"""Time between two samplings further apart than this was not measured, and is not counted."""

_FAMILIES: Final = ("gpu.", "accelerator.")
_KINDS: Final = frozenset({"utilization", "power_w", "energy_j", "memory_used_bytes"})
_HELD: Final = "gpu.process_memory_bytes"
_ANY: Final = "any"  # when any of them was measured


@dataclass(slots=True)
class _Sum:
    """Over one metric of one device; each gap counts with the measurement at its end.

    Attributes:
        rise: Of a counter; a fall (it began anew) is not subtracted.
        area: Value × seconds, by trapezoids.
    """

    at_s: float
    value: float
    measured_s: float = 0.0
    rise: float = 0.0
    area: float = 0.0
    idle_s: float = 0.0

    def take(self, value: float, now_s: float) -> float:
        """Add a measurement; returns the gap before it, 0 when it was too long."""
        gap_s = now_s - self.at_s
        gap_s = gap_s if gap_s <= LONGEST_GAP_S else 0.0
        if gap_s:
            self.measured_s += gap_s
            self.rise += max(value - self.value, 0.0)
            self.area += (value + self.value) / 2 * gap_s
            self.idle_s += gap_s if value < IDLE_PERCENT else 0.0
        self.at_s, self.value = now_s, value
        return gap_s


class Usage:
    """Adds up sampling after sampling, exactly as the server does from the rows (`ReadUsage`).

    Slices of a card (`gpu0/mig1`) are part of their card. Energy is taken from the card's own
    counter where it has one, else it is power over time.
    """

    def __init__(self) -> None:
        self._devices: dict[str, dict[str, _Sum]] = {}
        self._held_s: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._devices)

    def take(self, samples: Iterable[Sample], now_s: float) -> None:
        """Take the samples of one moment, those of the run's own processes among them."""
        held: set[str] = set()
        measured: set[str] = set()
        for sample in samples:
            if sample.metric == _HELD:
                held.add(sample.device.partition("/")[0])
            elif sample.metric.startswith(_FAMILIES) and sample.device and "/" not in sample.device:
                kind = sample.metric.partition(".")[2]
                if kind in _KINDS:
                    measured.add(sample.device)
                    self._take(sample.device, kind, sample.value, now_s)
        for device in measured:
            gap_s = self._take(device, _ANY, 0.0, now_s)
            if device in held:
                self._held_s[device] = self._held_s.get(device, 0.0) + gap_s

    def to_json(self) -> str:
        """Return `{device: {hours, energy_wh, idle_share, held_hours}}`; what is unknown is null."""
        return json.dumps({name: self._summed(name) for name in self._devices})

    def _take(self, device: str, kind: str, value: float, now_s: float) -> float:
        sums = self._devices.setdefault(device, {})
        if kind not in sums:
            sums[kind] = _Sum(now_s, value)
            return 0.0
        return sums[kind].take(value, now_s)

    def _summed(self, device: str) -> dict[str, float | None]:
        sums = self._devices[device]
        joules, busy = _joules(sums), sums.get("utilization")
        share = busy.idle_s / busy.measured_s if busy and busy.measured_s else None
        return {
            "hours": round(sums[_ANY].measured_s / 3600, 6),
            "energy_wh": None if joules is None else round(joules / 3600, 4),
            "idle_share": None if share is None else round(share, 4),
            "held_hours": round(self._held_s.get(device, 0.0) / 3600, 6),
        }


def _joules(sums: Mapping[str, _Sum]) -> float | None:
    if "energy_j" in sums:
        return sums["energy_j"].rise
    return sums["power_w"].area if "power_w" in sums else None
