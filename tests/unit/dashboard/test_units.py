"""System metrics say their unit in their name, and pages show it in a readable size."""

from __future__ import annotations

import pytest

from weir_dashboard import units


@pytest.mark.parametrize(
    ("metric", "unit"),
    [
        ("gpu.utilization", "%"),
        ("gpu.power_w", "W"),
        ("gpu.energy_j", "J"),
        ("gpu.temperature_c", "°C"),
        ("gpu.sm_clock_mhz", "MHz"),
        ("memory.used_bytes", "B"),
        ("disk.read_bytes_per_s", "B/s"),
        ("cpu.percent", "%"),
        ("process.threads", ""),
        ("cpu.load1", ""),
    ],
)
def test_the_name_tells_the_unit(metric, unit):
    assert units.unit_of(metric) == unit


@pytest.mark.parametrize(
    ("largest", "scale"), [(500, (1, "B")), (2048, (1024, "KiB")), (80 * 2**30, (2**30, "GiB"))]
)
def test_bytes_are_drawn_in_the_largest_unit_that_keeps_them_above_one(largest, scale):
    assert units.scale_of("memory.used_bytes", largest) == scale


def test_rates_keep_their_second():
    assert units.scale_of("net.sent_bytes_per_s", 3 * 2**20) == (2**20, "MiB/s")


def test_what_is_no_size_is_not_scaled():
    assert units.scale_of("gpu.power_w", 70_000) == (1.0, "W")


def test_groups_come_in_the_order_of_the_page_and_hold_every_metric():
    metrics = ["net.sent_bytes_per_s", "custom.thing", "cpu.percent", "gpu.power_w", "cpu.load1"]
    assert units.groups_of(metrics) == {
        "GPU": ["gpu.power_w"],
        "CPU": ["cpu.percent", "cpu.load1"],
        "Network": ["net.sent_bytes_per_s"],
        "Other": ["custom.thing"],
    }


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (2**50, "1 PiB")]
)
def test_sizes_are_written_with_their_largest_unit(count, text):
    assert units.size(count) == text


def test_what_is_looked_at_first_stands_first_and_what_hardly_moves_last():
    metrics = ["gpu.energy_j", "gpu.power_w", "gpu.throttle_reasons", "gpu.nvlink_sent_bytes_per_s"]
    assert units.groups_of([*metrics, "gpu.utilization"]) == {
        "GPU": ["gpu.utilization", "gpu.power_w"],
        "GPU links": ["gpu.nvlink_sent_bytes_per_s"],
        "GPU health": ["gpu.throttle_reasons", "gpu.energy_j"],
    }
