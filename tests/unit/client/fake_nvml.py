"""NVIDIA's driver library as a fake, below nvidia-ml-py: that package's own code runs on top of it.

`FakeDriver` has the C functions of libnvidia-ml.so that we use, with their arguments (pointers,
buffers, structures) and their return codes, so that what the tests see (structures, exceptions,
versions of functions) is made by the real `pynvml` module:

    driver = FakeDriver([FakeCard(), FakeCard(old=True)])
    with driver.loaded():
        pynvml.nvmlInit()
"""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pynvml

OK = pynvml.NVML_SUCCESS
_FIRST_HANDLE = 0x1000
_FIRST_SLICE = 0x8000
_EVENT_SET = 0xE000


@dataclass
class FakeProcess:
    pid: int
    memory_bytes: int


@dataclass
class FakeSlice:
    """One MIG device."""

    uuid: str
    memory_used: int = 1 << 30
    memory_total: int = 10 << 30
    processes: list[FakeProcess] = field(default_factory=list)


@dataclass
class FakeCard:
    """What a card would answer. `answers` overrides a function's return code, by its C name."""

    uuid: str = "GPU-11111111-2222-3333-4444-555555555555"
    name: str = "NVIDIA H200"
    utilization: int = 97
    memory_utilization: int = 41
    memory_used: int = 60 << 30
    memory_reserved: int = 600 << 20
    memory_total: int = 141 << 30
    power_mw: int = 512_345
    energy_mj: int = 9_876_543_210
    temperature_c: int = 61
    sm_clock_mhz: int = 1_980
    memory_clock_mhz: int = 3_201
    fan: int | None = None  # data centre cards have none
    throttle: int = 0
    ecc: dict[int, int] = field(default_factory=lambda: {0: 3, 1: 0})  # by error type
    nvlink_kib: dict[int, int] | None = field(default_factory=lambda: {138: 1_000, 139: 2_000})
    pcie_bytes: dict[int, int] | None = None  # counters: only new drivers have them
    pcie_counter_type: int = pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG
    pcie_kbps: int = 4_096
    processes: list[FakeProcess] = field(default_factory=list)
    mig: list[FakeSlice] | None = None  # None = cannot; [] = could, is off
    lost: bool = False
    answers: dict[str, int] = field(default_factory=dict)


def old_card(**changes: Any) -> FakeCard:
    """A card of 2014: no energy counter, no ECC, no NVLink, no MIG, but a fan."""
    unsupported = ("TotalEnergyConsumption", "TotalEccErrors", "MigMode", "EnforcedPowerLimit")
    return FakeCard(
        **{
            "uuid": "GPU-99999999-0000-0000-0000-000000000000",
            "name": "GeForce GTX 750",
            "fan": 33,
            "nvlink_kib": None,
            "answers": {f"nvmlDeviceGet{name}": 3 for name in unsupported},
            **changes,
        }
    )


class FakeDriver:
    """The library: one attribute per C function. A name in `without` is missing from it."""

    def __init__(self, cards: list[FakeCard], *, without: tuple[str, ...] = ()) -> None:
        self.cards = cards
        self.without = set(without)
        self.running = True
        self.version = "570.86.15"
        self.cuda = 12_080
        self.initialised = 0
        self.calls: list[str] = []
        self.xids: list[tuple[FakeCard, int]] = []
        self.listening: set[int] = set()
        self.event_sets = 0

    @contextmanager
    def loaded(self) -> Iterator["FakeDriver"]:
        """Stand in for the library that pynvml loads."""
        before = pynvml.nvmlLib, dict(pynvml._nvmlGetFunctionPointer_cache)
        pynvml.nvmlLib = self
        pynvml._nvmlGetFunctionPointer_cache.clear()
        try:
            yield self
        finally:
            pynvml.nvmlLib = before[0]
            pynvml._nvmlGetFunctionPointer_cache.clear()
            pynvml._nvmlGetFunctionPointer_cache.update(before[1])

    def __getattr__(self, name: str) -> Callable[..., int]:
        function = None if name in self.without else getattr(type(self), f"c_{name}", None)
        if function is None:
            raise AttributeError(name)  # as ctypes does for a symbol that is not there
        return lambda *arguments: self._call(name, function, arguments)

    def _call(self, name: str, function: Callable[..., int], arguments: tuple[Any, ...]) -> int:
        self.calls.append(name)
        if name not in {"nvmlInitWithFlags", "nvmlErrorString"}:
            if not self.initialised or not self.running:
                return pynvml.NVML_ERROR_UNINITIALIZED
            card = self._card_of(arguments[0]) if name.startswith("nvmlDevice") else None
            if card is not None and card.lost:
                return pynvml.NVML_ERROR_GPU_IS_LOST
            if card is not None and name in card.answers:
                return card.answers[name]
        return function(self, *arguments)

    # ── handles ────────────────────────────────────────────────────────────

    def _number(self, handle: Any) -> int:
        return ctypes.cast(handle, ctypes.c_void_p).value or 0

    def _card_of(self, handle: Any) -> FakeCard | None:
        if not isinstance(handle, pynvml.c_nvmlDevice_t):
            return None
        number = self._number(handle)
        if number >= _FIRST_SLICE:
            return self.cards[(number - _FIRST_SLICE) // 16]
        return self.cards[number - _FIRST_HANDLE]

    def _slice_of(self, handle: Any) -> FakeSlice | None:
        number = self._number(handle) - _FIRST_SLICE
        card = self.cards[number // 16] if number >= 0 else None
        return card.mig[number % 16] if card and card.mig else None

    # ── library ────────────────────────────────────────────────────────────

    def c_nvmlInitWithFlags(self, flags: int) -> int:
        if not self.running:
            return pynvml.NVML_ERROR_DRIVER_NOT_LOADED
        self.initialised += 1
        return OK

    def c_nvmlShutdown(self) -> int:
        self.initialised -= 1
        return OK

    def c_nvmlErrorString(self, code: int) -> bytes:
        return f"error {code}".encode()

    def c_nvmlSystemGetDriverVersion(self, buffer: Any, size: Any) -> int:
        buffer.value = self.version.encode()
        return OK

    def c_nvmlSystemGetCudaDriverVersion_v2(self, number: Any) -> int:
        return _put(number, self.cuda)

    def c_nvmlSystemGetCudaDriverVersion(self, number: Any) -> int:
        return _put(number, self.cuda)

    def c_nvmlDeviceGetCount_v2(self, count: Any) -> int:
        return _put(count, len(self.cards))

    def c_nvmlDeviceGetHandleByIndex_v2(self, index: Any, handle: Any) -> int:
        if index.value >= len(self.cards):
            return pynvml.NVML_ERROR_INVALID_ARGUMENT
        if self.cards[index.value].lost:
            return pynvml.NVML_ERROR_GPU_IS_LOST
        return _point(handle, _FIRST_HANDLE + index.value)

    # ── a card ─────────────────────────────────────────────────────────────

    def c_nvmlDeviceGetUUID(self, handle: Any, buffer: Any, size: Any) -> int:
        part = self._slice_of(handle)
        buffer.value = (part.uuid if part else self._card_of(handle).uuid).encode()
        return OK

    def c_nvmlDeviceGetName(self, handle: Any, buffer: Any, size: Any) -> int:
        buffer.value = self._card_of(handle).name.encode()
        return OK

    def c_nvmlDeviceGetVbiosVersion(self, handle: Any, buffer: Any, size: Any) -> int:
        buffer.value = b"96.00.74.00.11"
        return OK

    def c_nvmlDeviceGetPciInfo_v3(self, handle: Any, info: Any) -> int:
        index = self.cards.index(self._card_of(handle))
        info._obj.busId = f"00000000:{index + 1:02X}:00.0".encode()
        return OK

    def c_nvmlDeviceGetCudaComputeCapability(self, handle: Any, major: Any, minor: Any) -> int:
        major._obj.value, minor._obj.value = 9, 0
        return OK

    def c_nvmlDeviceGetEnforcedPowerLimit(self, handle: Any, limit: Any) -> int:
        return _put(limit, 700_000)

    def c_nvmlDeviceGetUtilizationRates(self, handle: Any, rates: Any) -> int:
        card = self._card_of(handle)
        if card.mig:
            return pynvml.NVML_ERROR_NOT_SUPPORTED
        rates._obj.gpu, rates._obj.memory = card.utilization, card.memory_utilization
        return OK

    def c_nvmlDeviceGetMemoryInfo(self, handle: Any, memory: Any) -> int:
        total, used, reserved = self._memory(handle)
        memory._obj.total, memory._obj.used = total, used + reserved
        return OK

    def c_nvmlDeviceGetMemoryInfo_v2(self, handle: Any, memory: Any) -> int:
        if memory._obj.version != pynvml.nvmlMemory_v2:
            return pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH
        memory._obj.total, memory._obj.used, memory._obj.reserved = self._memory(handle)
        return OK

    def _memory(self, handle: Any) -> tuple[int, int, int]:
        part = self._slice_of(handle)
        if part:
            return part.memory_total, part.memory_used, 0
        card = self._card_of(handle)
        return card.memory_total, card.memory_used, card.memory_reserved

    def c_nvmlDeviceGetPowerUsage(self, handle: Any, power: Any) -> int:
        return _put(power, self._card_of(handle).power_mw)

    def c_nvmlDeviceGetTotalEnergyConsumption(self, handle: Any, energy: Any) -> int:
        return _put(energy, self._card_of(handle).energy_mj)

    def c_nvmlDeviceGetTemperature(self, handle: Any, sensor: Any, celsius: Any) -> int:
        return _put(celsius, self._card_of(handle).temperature_c)

    def c_nvmlDeviceGetClockInfo(self, handle: Any, kind: Any, mhz: Any) -> int:
        card = self._card_of(handle)
        clocks = {
            pynvml.NVML_CLOCK_SM: card.sm_clock_mhz,
            pynvml.NVML_CLOCK_MEM: card.memory_clock_mhz,
        }
        return _put(mhz, clocks[kind.value])

    def c_nvmlDeviceGetFanSpeed(self, handle: Any, percent: Any) -> int:
        fan = self._card_of(handle).fan
        return pynvml.NVML_ERROR_NOT_SUPPORTED if fan is None else _put(percent, fan)

    def c_nvmlDeviceGetCurrentClocksEventReasons(self, handle: Any, bits: Any) -> int:
        return _put(bits, self._card_of(handle).throttle)

    def c_nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any, bits: Any) -> int:
        return _put(bits, self._card_of(handle).throttle)

    def c_nvmlDeviceGetTotalEccErrors(self, handle: Any, kind: Any, of: Any, count: Any) -> int:
        return _put(count, self._card_of(handle).ecc[kind.value])

    def c_nvmlDeviceGetPcieThroughput(self, handle: Any, counter: Any, kbps: Any) -> int:
        return _put(kbps, self._card_of(handle).pcie_kbps)

    def c_nvmlDeviceGetFieldValues(self, handle: Any, count: Any, values: Any) -> int:
        card = self._card_of(handle)
        for value in values._obj[: count.value]:
            known = {**(card.nvlink_kib or {}), **(card.pcie_bytes or {})}
            value.nvmlReturn = OK if value.fieldId in known else pynvml.NVML_ERROR_NOT_SUPPORTED
            value.valueType = pynvml.NVML_VALUE_TYPE_UNSIGNED_LONG_LONG
            if value.fieldId in (card.pcie_bytes or {}):
                value.valueType = card.pcie_counter_type
            if value.fieldId in (138, 139) and value.scopeId != 0xFFFFFFFF:
                value.nvmlReturn = pynvml.NVML_ERROR_INVALID_ARGUMENT
            value.value.ullVal = known.get(value.fieldId, 0)
        return OK

    def c_nvmlDeviceGetComputeRunningProcesses_v3(self, handle: Any, count: Any, infos: Any) -> int:
        part = self._slice_of(handle)
        processes = part.processes if part else self._card_of(handle).processes
        if count._obj.value < len(processes):
            count._obj.value = len(processes)
            return pynvml.NVML_ERROR_INSUFFICIENT_SIZE
        count._obj.value = len(processes)
        for index, process in enumerate(processes):
            infos[index].pid, infos[index].usedGpuMemory = process.pid, process.memory_bytes
        return OK

    # ── slices ─────────────────────────────────────────────────────────────

    def c_nvmlDeviceGetMigMode(self, handle: Any, current: Any, pending: Any) -> int:
        mig = self._card_of(handle).mig
        if mig is None or self._slice_of(handle):
            return pynvml.NVML_ERROR_NOT_SUPPORTED
        current._obj.value = pending._obj.value = 1 if mig else 0
        return OK

    def c_nvmlDeviceGetMaxMigDeviceCount(self, handle: Any, count: Any) -> int:
        return _put(count, 7)

    def c_nvmlDeviceGetMigDeviceHandleByIndex(self, handle: Any, index: Any, device: Any) -> int:
        card = self._card_of(handle)
        if index.value >= len(card.mig or ()):
            return pynvml.NVML_ERROR_NOT_FOUND
        return _point(device, _FIRST_SLICE + 16 * self.cards.index(card) + index.value)

    # ── events ─────────────────────────────────────────────────────────────

    def c_nvmlEventSetCreate(self, events: Any) -> int:
        self.event_sets += 1
        return _point(events, _EVENT_SET)

    def c_nvmlEventSetFree(self, events: Any) -> int:
        self.event_sets -= 1
        return OK

    def c_nvmlDeviceRegisterEvents(self, handle: Any, kinds: Any, events: Any) -> int:
        assert kinds.value == pynvml.nvmlEventTypeXidCriticalError
        assert self._number(events) == _EVENT_SET
        self.listening.add(self._number(handle))
        return OK

    def c_nvmlEventSetWait_v2(self, events: Any, data: Any, timeout_ms: Any) -> int:
        assert timeout_ms.value == 0, "sampling must not wait"
        if not self.xids:
            return pynvml.NVML_ERROR_TIMEOUT
        card, xid = self.xids.pop(0)
        handle = _FIRST_HANDLE + self.cards.index(card)
        assert handle in self.listening
        data._obj.device = ctypes.cast(ctypes.c_void_p(handle), pynvml.c_nvmlDevice_t)
        data._obj.eventType = pynvml.nvmlEventTypeXidCriticalError
        data._obj.eventData = xid
        return OK


def _put(reference: Any, value: int) -> int:
    reference._obj.value = value
    return OK


def _point(reference: Any, address: int) -> int:
    """Let a pointer point: what a C function does with a handle it was given the address of."""
    ctypes.c_void_p.from_address(ctypes.addressof(reference._obj)).value = address
    return OK
