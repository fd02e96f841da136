"""What the agent adds up as it measures, against what the server adds up from the rows."""

import json
import math
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.node_blocks import NodeLog, run_block
from weir.agent._system.source import Sample
from weir.agent._system.usage import Usage
from weir_store.memory import MemoryStore
from weir_store.records import RunRef
from weir_store.system.memory import MemorySystem

REF = RunRef("p", "r")
LEVELS = {
    "gpu.utilization": st.sampled_from([0.0, 4.9, 5.0, 60.0, 100.0]),
    "gpu.power_w": st.floats(0, 1000),
    "gpu.energy_j": st.floats(0, 1e9),
    "accelerator.power_w": st.floats(0, 1000),  # of a device that is no GPU
    "gpu.memory_used_bytes": st.just(1.0),
    "gpu.temperature_c": st.just(60.0),
    "cpu.percent": st.just(50.0),
}
OF_OTHERS = "accelerator.power_w"
OF_GPUS = sorted(LEVELS.keys() - {OF_OTHERS})


@st.composite
def samplings(draw: st.DrawFn) -> list[tuple[int, list[Sample]]]:
    """Moments, µs, and what was measured then."""
    at_us, found = 0, []
    devices = ["gpu0", "gpu1", "gpu1/mig0", ""]
    keys = st.sampled_from([(m, d) for m in OF_GPUS for d in devices] + [(OF_OTHERS, "tpu0")])
    for _ in range(draw(st.integers(0, 12))):
        at_us += draw(st.sampled_from([1_000_000, 5_000_000, 60_000_000, 60_000_001, 300_000_000]))
        chosen = draw(st.sets(keys, max_size=8))
        found.append((at_us, [Sample(m, d, draw(LEVELS[m])) for m, d in sorted(chosen)]))
    return found


def same(ours: float | None, theirs: float, digits: int) -> bool:
    if ours is None:
        return math.isnan(theirs)
    return ours == pytest.approx(theirs, rel=1e-6, abs=10**-digits)


@given(samplings())
@settings(deadline=None, max_examples=200)
def test_the_agent_and_the_server_add_up_the_same_usage(
    taken: list[tuple[int, list[Sample]]],
) -> None:
    usage, store, log = Usage(), MemoryStore(), NodeLog(REF)
    store.insert(run_block(REF), uuid4().hex)
    for at_us, samples in taken:
        usage.take(samples, at_us / 1e6)
        points = [{"metric": m, "device": d, "at_us": at_us, "value": v} for m, d, v in samples]
        store.insert(log.system(*points), uuid4().hex)
    theirs = {row["device"]: row for row in MemorySystem(store).read_usage(REF).to_pylist()}
    ours = json.loads(usage.to_json())
    assert ours.keys() == theirs.keys()
    for device, mine in ours.items():
        assert same(mine["hours"], theirs[device]["hours"], 6)
        assert same(mine["energy_wh"], theirs[device]["energy_wh"], 4)
        assert same(mine["idle_share"], theirs[device]["idle_share"], 4)
