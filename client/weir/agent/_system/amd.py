"""AMD GPUs, as the kernel's driver tells of them in /sys: needs no library and no ROCm."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from weir.agent._system.source import Fact, Sample, Source

_DRM_ROOT: Final = Path("/sys/class/drm")
_VENDOR: Final = "0x1002"

_OF_DEVICE: Final = (  # metric, file, what the file's number is to be multiplied with
    ("gpu.utilization", "gpu_busy_percent", 1.0),
    ("gpu.memory_utilization", "mem_busy_percent", 1.0),
    ("gpu.memory_used_bytes", "mem_info_vram_used", 1.0),
    ("gpu.memory_total_bytes", "mem_info_vram_total", 1.0),
)
_OF_MONITOR: Final = (
    ("gpu.power_w", ("power1_average", "power1_input"), 1e-6),
    ("gpu.energy_j", ("energy1_input",), 1e-6),
    ("gpu.temperature_c", ("temp1_input",), 1e-3),
    ("gpu.sm_clock_mhz", ("freq1_input",), 1e-6),
    ("gpu.memory_clock_mhz", ("freq2_input",), 1e-6),
)


class Amd(Source):
    """The node's AMD cards, `amd0`, `amd1`, … in the order of their PCI addresses."""

    accelerator = True

    def __init__(self, drm_root: Path = _DRM_ROOT) -> None:
        self._cards = _cards(drm_root)

    def sample(self) -> Iterator[Sample]:
        """Measure. What a card does not tell is left out."""
        for index, device in enumerate(self._cards):
            for metric, file, factor in _OF_DEVICE:
                value = _number(device / file)
                if value is not None:
                    yield Sample(metric, f"amd{index}", value * factor)
            yield from self._monitor(f"amd{index}", device)

    def facts(self) -> Mapping[str, Fact]:
        """Return each card's PCI address, name where it is told, memory and firmware."""
        return {f"amd{i}.{k}": v for i, card in enumerate(self._cards) for k, v in _facts(card)}

    def _monitor(self, name: str, device: Path) -> Iterator[Sample]:
        monitors = sorted(device.glob("hwmon/hwmon*"))
        for metric, files, factor in _OF_MONITOR:
            found = (_number(monitor / file) for monitor in monitors for file in files)
            value = next((each for each in found if each is not None), None)
            if value is not None:
                yield Sample(metric, name, value * factor)


def _cards(drm_root: Path) -> list[Path]:
    devices = [card / "device" for card in drm_root.glob("card[0-9]*") if "-" not in card.name]
    amd = [device for device in devices if _text(device / "vendor") == _VENDOR]
    return sorted(amd, key=lambda device: device.resolve().name)


def _facts(device: Path) -> Iterator[tuple[str, Fact]]:
    yield "pci_bus_id", device.resolve().name
    for key, file in (("name", "product_name"), ("vbios", "vbios_version"), ("uuid", "unique_id")):
        text = _text(device / file)
        if text:
            yield key, text
    memory = _number(device / "mem_info_vram_total")
    if memory is not None:
        yield "memory_bytes", int(memory)


def _number(path: Path) -> float | None:
    try:
        return float(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
