"""What one NVIDIA card, or one MIG slice of it, tells at one moment."""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from weir.agent._system.nvml import Door, Failure, failure_of
from weir.agent._system.rate import Rates
from weir.agent._system.source import Held, Sample

_KIB: Final = 1024.0
_ALL_LINKS: Final = 0xFFFF_FFFF
_MILLI: Final = 1e-3


class _Reading(NamedTuple):
    """One call and what of its answer is which metric. Of several for a metric the first that works."""

    function: str
    arguments: tuple[str | int, ...]
    metrics: tuple[tuple[str, Callable[[Any], float]], ...]


def _plain(answer: Any) -> float:
    return float(answer)


def _milli(answer: Any) -> float:
    return float(answer) * _MILLI


def _one(
    metric: str, function: str, *arguments: str, convert: Callable[[Any], float] = _plain
) -> _Reading:
    return _Reading(function, arguments, ((metric, convert),))


_MEMORY: Final = (
    ("gpu.memory_used_bytes", lambda memory: float(memory.used)),
    ("gpu.memory_total_bytes", lambda memory: float(memory.total)),
)
_OF_SLICES: Final = (
    # The second version leaves out what the driver keeps for itself, as nvidia-smi does.
    _Reading("nvmlDeviceGetMemoryInfo", ("nvmlMemory_v2",), _MEMORY),
    _Reading("nvmlDeviceGetMemoryInfo", (), _MEMORY),
)
_OF_CARDS: Final = (
    _Reading(
        "nvmlDeviceGetUtilizationRates",
        (),
        (
            ("gpu.utilization", lambda rates: float(rates.gpu)),
            ("gpu.memory_utilization", lambda rates: float(rates.memory)),
        ),
    ),
    *_OF_SLICES,
    _one("gpu.power_w", "nvmlDeviceGetPowerUsage", convert=_milli),
    _one("gpu.energy_j", "nvmlDeviceGetTotalEnergyConsumption", convert=_milli),
    _one("gpu.temperature_c", "nvmlDeviceGetTemperature", "NVML_TEMPERATURE_GPU"),
    _one("gpu.temperature_c", "nvmlDeviceGetTemperatureV", "NVML_TEMPERATURE_GPU"),
    _one("gpu.sm_clock_mhz", "nvmlDeviceGetClockInfo", "NVML_CLOCK_SM"),
    _one("gpu.memory_clock_mhz", "nvmlDeviceGetClockInfo", "NVML_CLOCK_MEM"),
    _one("gpu.fan_percent", "nvmlDeviceGetFanSpeed"),
    _one("gpu.throttle_reasons", "nvmlDeviceGetCurrentClocksEventReasons"),
    _one("gpu.throttle_reasons", "nvmlDeviceGetCurrentClocksThrottleReasons"),
    _one(
        "gpu.ecc_corrected",
        "nvmlDeviceGetTotalEccErrors",
        "NVML_MEMORY_ERROR_TYPE_CORRECTED",
        "NVML_VOLATILE_ECC",
    ),
    _one(
        "gpu.ecc_uncorrected",
        "nvmlDeviceGetTotalEccErrors",
        "NVML_MEMORY_ERROR_TYPE_UNCORRECTED",
        "NVML_VOLATILE_ECC",
    ),
)
_PCIE_NOW: Final = (  # KB/s over 20 ms, which the call waits for: only where there is no counter
    _one(
        "gpu.pcie_sent_bytes_per_s",
        "nvmlDeviceGetPcieThroughput",
        "NVML_PCIE_UTIL_TX_BYTES",
        convert=lambda kib: _KIB * kib,
    ),
    _one(
        "gpu.pcie_received_bytes_per_s",
        "nvmlDeviceGetPcieThroughput",
        "NVML_PCIE_UTIL_RX_BYTES",
        convert=lambda kib: _KIB * kib,
    ),
)


class _Counter(NamedTuple):
    """A field of nvmlDeviceGetFieldValues that only rises."""

    metric: str
    field: str
    scope: int
    factor: float


_COUNTERS: Final = (
    _Counter(
        "gpu.nvlink_sent_bytes_per_s", "NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_TX", _ALL_LINKS, _KIB
    ),
    _Counter(
        "gpu.nvlink_received_bytes_per_s", "NVML_FI_DEV_NVLINK_THROUGHPUT_DATA_RX", _ALL_LINKS, _KIB
    ),
    _Counter("gpu.pcie_sent_bytes_per_s", "NVML_FI_DEV_PCIE_COUNT_TX_BYTES", 0, 1.0),
    _Counter("gpu.pcie_received_bytes_per_s", "NVML_FI_DEV_PCIE_COUNT_RX_BYTES", 0, 1.0),
)


# Which member of a value's union holds it, by NVML_VALUE_TYPE_…: the 64-bit ones.
_WIDE: Final = {2: "ulVal", 3: "ullVal", 4: "sllVal"}


class Card:
    """One card, or one MIG slice.

    Attributes:
        name: `gpu0`, or `gpu0/mig1`.
        uuid: The driver's name for it.
        lost: It does not answer any more.
    """

    def __init__(self, nvml: Any, handle: Any, name: str, uuid: str, *, is_slice: bool) -> None:
        self.name = name
        self.uuid = uuid
        self.lost = False
        self.door = Door(nvml, handle)
        self._nvml = nvml
        self._readings = _OF_SLICES if is_slice else _OF_CARDS
        self._counters = () if is_slice else _known(_COUNTERS, nvml)
        self._now = () if is_slice else _PCIE_NOW
        self._rates = Rates()

    def sample(self, now_s: float) -> Iterator[Sample]:
        """Measure; what the card does not support is asked once.

        Raises:
            CardLost, NvmlGone: As they say.
        """
        found: dict[str, float] = {}
        for reading in self._readings:
            self._read(reading, found)
        counted = set(self._read_counters(found, now_s))
        for reading in self._now:
            if reading.metrics[0][0] not in counted:
                self._read(reading, found)
        for metric, value in found.items():
            yield Sample(metric, self.name, value)

    def held(self) -> Iterator[Held]:
        """Iterate over the memory that processes hold, where the driver tells.

        Raises:
            CardLost, NvmlGone: As they say.
        """
        for process in self.door.ask("nvmlDeviceGetComputeRunningProcesses") or ():
            if process.usedGpuMemory:
                memory = float(process.usedGpuMemory)
                yield Held("gpu.process_memory_bytes", self.name, process.pid, memory)

    def _read(self, reading: _Reading, found: dict[str, float]) -> None:
        if reading.metrics[0][0] in found:
            return
        answer = self.door.ask(reading.function, *reading.arguments)
        if answer is not None:
            found.update((metric, convert(answer)) for metric, convert in reading.metrics)

    def _read_counters(self, found: dict[str, float], now_s: float) -> Iterator[str]:
        """Take rates from counters in one call; iterates over the metrics that have one."""
        if not self._counters:
            return
        asked = tuple((getattr(self._nvml, each.field), each.scope) for each in self._counters)
        answers = self.door.ask("nvmlDeviceGetFieldValues", asked)
        if answers is None:
            return
        for counter, answer in zip(self._counters, answers, strict=True):
            if not self._is_wide(answer):
                self._counters = tuple(each for each in self._counters if each is not counter)
                continue
            yield counter.metric
            if answer.nvmlReturn == self._nvml.NVML_SUCCESS:
                count = counter.factor * getattr(answer.value, _WIDE[answer.valueType])
                rate = self._rates.per_s(counter.metric, "", count, now_s)
                if rate is not None:
                    found[counter.metric] = rate

    def _is_wide(self, answer: Any) -> bool:
        """Whether a field is worth asking for again: not one that wraps around at 32 bits."""
        if answer.nvmlReturn == self._nvml.NVML_SUCCESS:
            return answer.valueType in _WIDE
        return failure_of(answer.nvmlReturn) is not Failure.NEVER


def _known(counters: tuple[_Counter, ...], nvml: Any) -> tuple[_Counter, ...]:
    """Return the counters that this version of nvidia-ml-py has a number for."""
    return tuple(counter for counter in counters if hasattr(nvml, counter.field))
