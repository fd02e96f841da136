"""What does not change about NVIDIA cards."""

from collections.abc import Iterable, Iterator
from typing import Any

from weir.agent._system.nvidia_card import Card
from weir.agent._system.nvml import Door
from weir.agent._system.source import Fact


def driver_facts(door: Door) -> Iterator[tuple[str, Fact]]:
    """Iterate over what is one for all cards."""
    driver = door.ask("nvmlSystemGetDriverVersion")
    if driver:
        yield "nvidia_driver", str(driver)
    cuda = door.ask("nvmlSystemGetCudaDriverVersion_v2") or door.ask(
        "nvmlSystemGetCudaDriverVersion"
    )
    if cuda:
        yield "cuda_of_driver", cuda_version(int(cuda))


def cuda_version(number: int) -> str:
    """Return 12040 as "12.4". Pure."""
    return f"{number // 1000}.{number % 1000 // 10}"


def card_facts(cards: Iterable[Card]) -> Iterator[tuple[str, Fact]]:
    """Iterate over the facts of cards and MIG slices, by path `<card>.<fact>`.

    Raises:
        CardLost, NvmlGone: As they say.
    """
    for card in cards:
        name = card.name.replace("/", ".")
        yield f"{name}.uuid", card.uuid
        for key, value in _of_card(card.door):
            if value is not None:
                yield f"{name}.{key}", value


def _of_card(door: Door) -> Iterator[tuple[str, Fact | None]]:
    yield "name", door.ask("nvmlDeviceGetName")
    memory = door.ask("nvmlDeviceGetMemoryInfo")
    yield "memory_bytes", int(memory.total) if memory else None
    pci = door.ask("nvmlDeviceGetPciInfo")
    yield "pci_bus_id", _text(pci.busId) if pci else None
    yield "vbios", door.ask("nvmlDeviceGetVbiosVersion")
    limit = door.ask("nvmlDeviceGetEnforcedPowerLimit")
    yield "power_limit_w", limit / 1000 if limit else None
    capability = door.ask("nvmlDeviceGetCudaComputeCapability")
    yield "compute_capability", ".".join(map(str, capability)) if capability else None
    mig = door.ask("nvmlDeviceGetMigMode")
    yield "mig", bool(mig[0]) if mig else None


def _text(raw: Any) -> str:
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
