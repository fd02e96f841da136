"""How often the node is measured, what that may cost, and what is added up. All pure."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir.agent._system.cost import PURSE_S, SHARE, Purse
from weir.agent._system.pace import BURST_S, REST_S, Restlessness, is_sharp, period_s
from weir.agent._system.rate import Rates
from weir.agent._system.source import Sample
from weir.agent._system.usage import Usage

# ── pace ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("youngest_s", "restless", "expected_s"),
    [
        (0, False, 1),
        (9.9, False, 1),
        (10, False, 2),
        (59, False, 2),
        (60, False, 10),
        (999, True, 1),
    ],
)
def test_a_run_is_measured_quicker_at_its_start_and_when_something_changes(
    youngest_s: float, restless: bool, expected_s: float
) -> None:
    assert period_s(asked_s=10, youngest_s=youngest_s, restless=restless) == expected_s


@given(st.floats(1, 3600), st.floats(0, 1e6), st.booleans())
def test_the_period_is_never_longer_than_asked_nor_below_a_second(
    asked_s: float, youngest_s: float, restless: bool
) -> None:
    assert 1 <= period_s(asked_s=asked_s, youngest_s=youngest_s, restless=restless) <= asked_s


def test_a_step_of_half_the_scale_is_sharp_and_so_is_a_card_that_goes() -> None:
    assert is_sharp({"gpu0": 95.0, "gpu1": 95.0}, {"gpu0": 95.0, "gpu1": 3.0})
    assert not is_sharp({"gpu0": 95.0}, {"gpu0": 60.0})
    assert is_sharp({"gpu0": 95.0}, {})
    assert not is_sharp({}, {"gpu0": 95.0})  # the first look


def test_a_load_that_swings_all_day_is_measured_quicker_for_a_twelfth_of_the_time() -> None:
    restless, quick_s = Restlessness(), 0
    for second in range(3600):
        restless.note({"gpu0": 100.0 * (second % 2)}, float(second))
        quick_s += restless.at(float(second))
    assert quick_s / 3600 == pytest.approx(BURST_S / (BURST_S + REST_S), rel=0.1)


# ── cost ─────────────────────────────────────────────────────────────────────


@given(st.lists(st.floats(0.0001, 0.5), min_size=50, max_size=200))
def test_sampling_never_costs_more_than_its_share_and_one_sampling(costs_s: list[float]) -> None:
    purse, now_s, spent_s = Purse(0.0), 0.0, 0.0
    for cost_s in costs_s:
        now_s += max(1.0, purse.wait_s(now_s) * 1.001)
        if purse.allows(now_s):
            purse.spend(cost_s, now_s)
            spent_s += cost_s
        assert spent_s <= SHARE * now_s + PURSE_S + max(costs_s) + 1e-6


def test_a_cheap_sampling_is_never_held_up() -> None:
    purse = Purse(0.0)
    for second in range(1, 600):
        assert purse.allows(float(second))
        purse.spend(0.009, float(second))


def test_a_dear_sampling_is_paid_for_before_the_next() -> None:
    purse = Purse(0.0)
    purse.spend(PURSE_S + 0.2, 0.0)
    assert not purse.allows(19.0)
    assert purse.wait_s(19.0) == pytest.approx(1.0)
    assert purse.allows(20.1)


# ── rates ────────────────────────────────────────────────────────────────────


def test_a_rate_needs_two_looks_and_time_between_them() -> None:
    rates = Rates()
    assert rates.per_s("a", "x", 10, 0.0) is None
    assert rates.per_s("a", "x", 10, 0.01) is None
    assert rates.per_s("a", "x", 30, 2.0) == 10
    assert rates.per_s("a", "y", 30, 2.0) is None
    assert rates.per_s("a", "x", 1, 3.0) is None  # began anew
    assert rates.per_s("a", "x", 6, 4.0) == 5


# ── usage ────────────────────────────────────────────────────────────────────


def usage_of(*moments: tuple[float, dict[str, float]]) -> dict[str, float | None]:
    """Usage of gpu0, sampled at these seconds."""
    usage = Usage()
    for now_s, values in moments:
        usage.take([Sample(f"gpu.{name}", "gpu0", value) for name, value in values.items()], now_s)
    found: dict[str, float | None] = json.loads(usage.to_json())["gpu0"]
    return found


def test_hours_are_the_time_between_samplings_without_long_gaps() -> None:
    busy = {"utilization": 90.0}
    found = usage_of((0, busy), (30, busy), (60, busy), (1000, busy), (1040, busy))
    assert found["hours"] == pytest.approx(100 / 3600, abs=1e-6)


def test_energy_is_the_difference_of_the_cards_counter() -> None:
    found = usage_of(
        (0, {"energy_j": 1e9, "power_w": 1}), (10, {"energy_j": 1e9 + 7200, "power_w": 1})
    )
    assert found["energy_wh"] == 2


def test_energy_is_power_over_time_where_there_is_no_counter() -> None:
    assert usage_of((0, {"power_w": 180.0}), (20, {"power_w": 540.0}))["energy_wh"] == 2
    assert usage_of((0, {"utilization": 1}), (10, {"utilization": 1}))["energy_wh"] is None


def test_a_counter_that_begins_anew_is_not_subtracted() -> None:
    readings = [(0, 7200.0), (10, 10800.0), (20, 5.0), (30, 3605.0)]
    found = usage_of(*((at_s, {"energy_j": joules}) for at_s, joules in readings))
    assert found["energy_wh"] == 2


def test_a_card_below_five_percent_is_idle() -> None:
    levels = [(0, 0), (10, 0), (20, 4.9), (30, 5), (40, 100)]
    found = usage_of(*((at_s, {"utilization": level}) for at_s, level in levels))
    assert found["idle_share"] == 0.5
    assert usage_of((0, {"power_w": 1}), (1, {"power_w": 1}))["idle_share"] is None


def test_only_cards_that_the_run_holds_count_as_held_and_slices_are_part_of_theirs() -> None:
    usage = Usage()
    for now_s in (0.0, 36.0):
        both = [Sample("gpu.utilization", gpu, 50.0) for gpu in ("gpu0", "gpu1")]
        slice_ = Sample("gpu.memory_used_bytes", "gpu1/mig0", 1.0)
        held = Sample("gpu.process_memory_bytes", "gpu1/mig0/rank0", 1.0)
        usage.take([*both, slice_, held], now_s)
    found = json.loads(usage.to_json())
    assert set(found) == {"gpu0", "gpu1"}
    assert (found["gpu0"]["held_hours"], found["gpu1"]["held_hours"]) == (0, 0.01)
    assert found["gpu0"]["hours"] == 0.01


def test_other_accelerators_are_added_up_likewise() -> None:
    usage = Usage()
    for now_s in (0.0, 10.0):
        usage.take(
            [Sample("accelerator.power_w", "tpu0", 360.0), Sample("cpu.percent", "", 1)], now_s
        )
    assert json.loads(usage.to_json())["tpu0"]["energy_wh"] == 1
