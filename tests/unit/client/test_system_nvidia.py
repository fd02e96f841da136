"""NVIDIA cards through nvidia-ml-py itself, on a fake of the driver's library."""

from collections.abc import Iterator

import pynvml
import pytest

from tests.unit.client.fake_nvml import FakeCard, FakeDriver, FakeProcess, FakeSlice, old_card
from weir._clock import ManualClock
from weir.agent._system.names import NAMES
from weir.agent._system.nvidia import Nvidia
from weir.agent._system.nvml import Failure, failure_of
from weir.agent._system.source import Held

THERMAL = pynvml.nvmlClocksEventReasonHwThermalSlowdown
POWER_CAP = pynvml.nvmlClocksEventReasonSwPowerCap


class Node:
    """A node with cards, and the source that samples them."""

    def __init__(self, *cards: FakeCard, without: tuple[str, ...] = ()) -> None:
        self.driver = FakeDriver(list(cards), without=without)
        self.clock = ManualClock()
        self.source = Nvidia(lambda: pynvml, monotonic_s=self.clock.monotonic_s)

    def sample(self, after_s: float = 5.0) -> dict[tuple[str, str], float]:
        self.clock.advance(after_s)
        samples = list(self.source.sample())
        keys = [(sample.metric, sample.device) for sample in samples]
        assert len(keys) == len(set(keys)), "a metric came twice"
        return {(sample.metric, sample.device): sample.value for sample in samples}

    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.source.notices()]


@pytest.fixture
def node() -> Iterator[Node]:
    """A node with one modern card."""
    node = Node(FakeCard())
    with node.driver.loaded():
        yield node


def test_a_modern_card_tells_everything_in_the_units_of_the_list(node: Node) -> None:
    node.sample()
    node.driver.cards[0].nvlink_kib = {138: 1_000 + 5 * 100, 139: 2_000 + 5 * 200}
    found = node.sample(5.0)
    assert {metric for metric, _ in found} <= NAMES
    gpu = {metric: value for (metric, device), value in found.items() if device == "gpu0"}
    assert gpu == {
        "gpu.utilization": 97,
        "gpu.memory_utilization": 41,
        "gpu.memory_used_bytes": 60 << 30,  # without what the driver reserves
        "gpu.memory_total_bytes": 141 << 30,
        "gpu.power_w": pytest.approx(512.345),
        "gpu.energy_j": pytest.approx(9_876_543.210),
        "gpu.temperature_c": 61,
        "gpu.sm_clock_mhz": 1_980,
        "gpu.memory_clock_mhz": 3_201,
        "gpu.throttle_reasons": 0,
        "gpu.ecc_corrected": 3,
        "gpu.ecc_uncorrected": 0,
        "gpu.nvlink_sent_bytes_per_s": 100 * 1024,
        "gpu.nvlink_received_bytes_per_s": 200 * 1024,
        "gpu.pcie_sent_bytes_per_s": 4_096 * 1024,
        "gpu.pcie_received_bytes_per_s": 4_096 * 1024,
    }


def test_an_old_card_beside_it_tells_what_it_has() -> None:
    node = Node(FakeCard(), old_card())
    with node.driver.loaded():
        node.sample()
        found = node.sample()
    old = {metric for metric, device in found if device == "gpu1"}
    assert {"gpu.utilization", "gpu.power_w", "gpu.fan_percent"} <= old
    assert old.isdisjoint({"gpu.energy_j", "gpu.ecc_corrected", "gpu.nvlink_sent_bytes_per_s"})
    assert ("gpu.energy_j", "gpu0") in found


def test_what_a_card_does_not_support_is_asked_once(node: Node) -> None:
    node.sample()
    assert "nvmlDeviceGetFanSpeed" in node.driver.calls
    node.driver.calls.clear()
    node.sample()
    assert "nvmlDeviceGetFanSpeed" not in node.driver.calls
    assert "nvmlDeviceGetPowerUsage" in node.driver.calls


@pytest.mark.parametrize("code", [2, 3, 4, 13, 25])
def test_a_refusal_of_one_metric_leaves_the_others(code: int, node: Node) -> None:
    node.driver.cards[0].answers["nvmlDeviceGetPowerUsage"] = code
    found = node.sample()
    assert ("gpu.power_w", "gpu0") not in found
    assert found["gpu.utilization", "gpu0"] == 97


def test_a_metric_that_fails_for_now_is_asked_again(node: Node) -> None:
    node.driver.cards[0].answers["nvmlDeviceGetPowerUsage"] = pynvml.NVML_ERROR_UNKNOWN
    assert ("gpu.power_w", "gpu0") not in node.sample()
    del node.driver.cards[0].answers["nvmlDeviceGetPowerUsage"]
    assert ("gpu.power_w", "gpu0") in node.sample()


def test_a_driver_that_lacks_new_functions_is_asked_the_old_way() -> None:
    missing = ("nvmlDeviceGetMemoryInfo_v2", "nvmlDeviceGetCurrentClocksEventReasons")
    missing = (*missing, "nvmlDeviceGetFieldValues", "nvmlEventSetWait_v2", "nvmlDeviceGetMigMode")
    node = Node(FakeCard(throttle=POWER_CAP), without=missing)
    with node.driver.loaded():
        node.sample()
        found = node.sample()
    assert found["gpu.memory_used_bytes", "gpu0"] == (60 << 30) + (600 << 20)
    assert found["gpu.throttle_reasons", "gpu0"] == POWER_CAP
    assert ("gpu.nvlink_sent_bytes_per_s", "gpu0") not in found


def test_an_older_nvidia_ml_py_that_lacks_names_is_asked_for_the_rest(node: Node) -> None:
    lacking = {"nvmlMemory_v2", "NVML_FI_DEV_PCIE_COUNT_TX_BYTES", "nvmlDeviceGetPowerUsage"}
    asked: list[str] = []

    class Older:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            if name in lacking:
                raise AttributeError(name)
            return getattr(pynvml, name)

    node.source = Nvidia(Older, monotonic_s=node.clock.monotonic_s)
    found = node.sample()
    assert found["gpu.memory_used_bytes", "gpu0"] == (60 << 30) + (600 << 20)
    assert found["gpu.utilization", "gpu0"] == 97
    asked.clear()
    assert ("gpu.power_w", "gpu0") not in node.sample()
    assert lacking.isdisjoint(asked)


def test_pcie_is_taken_from_a_counter_where_it_cannot_wrap(node: Node) -> None:
    card = node.driver.cards[0]
    card.pcie_bytes = {197: 1_000_000, 198: 0}
    node.sample()
    card.pcie_bytes = {197: 6_000_000, 198: 10}
    node.driver.calls.clear()
    assert node.sample(5.0)["gpu.pcie_sent_bytes_per_s", "gpu0"] == 1_000_000
    assert "nvmlDeviceGetPcieThroughput" not in node.driver.calls


def test_a_counter_of_32_bits_is_not_used(node: Node) -> None:
    card = node.driver.cards[0]
    card.pcie_bytes, card.pcie_counter_type = {197: 5}, pynvml.NVML_VALUE_TYPE_UNSIGNED_INT
    assert node.sample()["gpu.pcie_sent_bytes_per_s", "gpu0"] == 4_096 * 1024


# ── who holds what; slices ───────────────────────────────────────────────────


def test_memory_of_processes_comes_with_their_pids(node: Node) -> None:
    node.driver.cards[0].processes = [FakeProcess(11, 1 << 30), FakeProcess(12, 2 << 30)]
    node.sample()
    metric = "gpu.process_memory_bytes"
    assert node.source.held() == [
        Held(metric, "gpu0", 11, float(1 << 30)),
        Held(metric, "gpu0", 12, float(2 << 30)),
    ]


def test_memory_that_the_driver_does_not_tell_is_left_out(node: Node) -> None:
    node.driver.cards[0].processes = [FakeProcess(11, (1 << 64) - 1)]  # NOT_AVAILABLE
    node.sample()
    assert node.source.held() == []


def test_slices_of_mig_are_devices_of_their_own() -> None:
    slices = [
        FakeSlice("MIG-a", memory_used=1 << 30),
        FakeSlice("MIG-b", memory_used=2 << 30, processes=[FakeProcess(7, 5)]),
    ]
    node = Node(FakeCard(mig=slices), FakeCard(uuid="GPU-off", mig=[]))
    with node.driver.loaded():
        found = node.sample()
        facts = node.source.facts()
    assert found["gpu.memory_used_bytes", "gpu0/mig1"] == 2 << 30
    assert ("gpu.utilization", "gpu0") not in found  # NVML does not tell while MIG is on
    assert found["gpu.power_w", "gpu0"] > 0
    assert ("gpu.memory_used_bytes", "gpu1/mig0") not in found
    assert node.source.held() == [Held("gpu.process_memory_bytes", "gpu0/mig1", 7, 5.0)]
    assert (facts["gpu0.mig"], facts["gpu1.mig"]) == (True, False)
    assert facts["gpu0.mig1.uuid"] == "MIG-b"


# ── what happens to cards ────────────────────────────────────────────────────


def test_a_slowdown_is_told_when_it_begins_and_when_it_is_over(node: Node) -> None:
    card = node.driver.cards[0]
    node.sample()
    assert node.kinds() == []
    card.throttle = THERMAL | POWER_CAP
    node.sample()
    node.sample()
    (begun,) = node.source.notices()
    assert (begun.kind, begun.severity, begun.attrs["device"]) == ("gpu_throttled", "warn", "gpu0")
    assert "too hot" in begun.title
    card.throttle = 0
    node.sample()
    card.throttle = THERMAL  # back within half a minute: the same slowdown
    node.sample()
    assert node.kinds() == []
    card.throttle = POWER_CAP
    for _ in range(6):
        node.sample()
    (over,) = node.source.notices()
    assert (over.kind, over.attrs["lasted_s"]) == ("gpu_throttle_ended", "15")


def test_a_power_cap_is_no_news(node: Node) -> None:
    node.driver.cards[0].throttle = POWER_CAP | pynvml.nvmlClocksEventReasonGpuIdle
    node.sample()
    assert node.kinds() == []


def test_new_uncorrected_memory_errors_are_told_and_old_ones_are_not(node: Node) -> None:
    node.driver.cards[0].ecc[1] = 2
    node.sample()
    assert node.kinds() == []
    node.driver.cards[0].ecc[1] = 5
    node.sample()
    (notice,) = node.source.notices()
    assert (notice.kind, notice.severity) == ("gpu_ecc", "error")
    assert notice.title == "gpu0: 3 new uncorrected memory errors"
    node.sample()
    assert node.kinds() == []


def test_xid_errors_are_told_with_their_card_and_meaning() -> None:
    node = Node(FakeCard(), FakeCard(uuid="GPU-2"))
    with node.driver.loaded():
        node.sample()
        node.driver.xids = [(node.driver.cards[1], 31), (node.driver.cards[0], 94)]
        node.sample()
        first, second = node.source.notices()
    assert (first.severity, first.attrs) == ("warn", {"device": "gpu1", "xid": "31"})
    assert "page fault" in first.title
    assert (second.severity, second.attrs["device"]) == ("error", "gpu0")


def test_without_the_right_to_events_all_else_is_sampled(node: Node) -> None:
    node.driver.cards[0].answers["nvmlDeviceRegisterEvents"] = pynvml.NVML_ERROR_NO_PERMISSION
    node.driver.without.add("nvmlEventSetWait_v2")
    assert node.sample()["gpu.utilization", "gpu0"] == 97


def test_a_lost_card_is_told_once_the_others_go_on_and_it_may_come_back() -> None:
    node = Node(FakeCard(), FakeCard(uuid="GPU-2", utilization=50))
    with node.driver.loaded():
        node.sample()
        node.driver.cards[0].lost = True
        found = node.sample()
        assert ("gpu.utilization", "gpu0") not in found
        assert found["gpu.utilization", "gpu1"] == 50
        (lost,) = node.source.notices()
        assert (lost.kind, lost.attrs["device"]) == ("gpu_lost", "gpu0")
        node.sample(120.0)  # opened again meanwhile: still lost, not told again
        assert node.kinds() == []
        node.driver.cards[0].lost = False
        assert node.sample(600.0)["gpu.utilization", "gpu0"] == 97
        assert node.kinds() == ["gpu_back"]


def test_cards_keep_their_names_when_one_before_them_disappears() -> None:
    gone = FakeCard(uuid="GPU-gone")
    node = Node(gone, FakeCard(uuid="GPU-stays", utilization=50))
    with node.driver.loaded():
        node.sample()
        gone.lost = True
        node.sample()
        node.driver.cards.remove(gone)  # the driver counts on without it
        found = node.sample(120.0)
    assert found["gpu.utilization", "gpu1"] == 50
    assert not any(device == "gpu0" for _, device in found)


def test_a_driver_that_is_loaded_again_is_found_again(node: Node) -> None:
    node.sample()
    node.driver.running = False
    assert node.sample() == {}
    (lost,) = node.source.notices()
    assert (lost.kind, lost.attrs["device"]) == ("gpu_lost", "")
    assert node.sample(10.0) == {}
    node.driver.running = True
    assert node.sample(120.0)["gpu.utilization", "gpu0"] == 97
    assert node.kinds() == ["gpu_back"]


def test_without_a_driver_nothing_is_sampled_and_nothing_told() -> None:
    clock = ManualClock()
    source = Nvidia(lambda: None, monotonic_s=clock.monotonic_s)
    assert list(source.sample()) == []
    assert source.notices() == []
    assert source.facts() == {}


def test_a_driver_that_comes_later_is_found() -> None:
    node = Node(FakeCard())
    node.driver.running = False
    with node.driver.loaded():
        assert node.sample() == {}
        node.driver.running = True
        assert ("gpu.utilization", "gpu0") in node.sample(120.0)


def test_facts_name_the_card_and_its_driver(node: Node) -> None:
    node.sample()
    assert node.source.facts() == {
        "nvidia_driver": "570.86.15",
        "cuda_of_driver": "12.8",
        "gpu0.uuid": "GPU-11111111-2222-3333-4444-555555555555",
        "gpu0.name": "NVIDIA H200",
        "gpu0.memory_bytes": 141 << 30,
        "gpu0.pci_bus_id": "00000000:01:00.0",
        "gpu0.vbios": "96.00.74.00.11",
        "gpu0.power_limit_w": 700.0,
        "gpu0.compute_capability": "9.0",
    }


def test_closing_gives_everything_back(node: Node) -> None:
    node.sample()
    node.source.close()
    assert node.driver.initialised == 0
    assert node.driver.event_sets == 0


# ── the sorting of errors ────────────────────────────────────────────────────


def test_every_error_that_nvidia_ml_py_knows_has_a_consequence() -> None:
    codes = {
        name: getattr(pynvml, name)
        for name in dir(pynvml)
        if name.startswith("NVML_ERROR_") and isinstance(getattr(pynvml, name), int)
    }
    sorted_ = {
        consequence: {name for name, code in codes.items() if failure_of(code) is consequence}
        for consequence in Failure
    }
    assert sorted_[Failure.CARD_LOST] == {
        "NVML_ERROR_GPU_IS_LOST",
        "NVML_ERROR_RESET_REQUIRED",
        "NVML_ERROR_GPU_NOT_FOUND",
    }
    assert sorted_[Failure.ALL_LOST] == {
        "NVML_ERROR_UNINITIALIZED",
        "NVML_ERROR_DRIVER_NOT_LOADED",
        "NVML_ERROR_LIBRARY_NOT_FOUND",
    }
    assert {"NVML_ERROR_NOT_SUPPORTED", "NVML_ERROR_NO_PERMISSION"} <= sorted_[Failure.NEVER]
    assert {"NVML_ERROR_TIMEOUT", "NVML_ERROR_UNKNOWN"} <= sorted_[Failure.NOT_NOW]
