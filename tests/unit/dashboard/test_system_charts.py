"""Panels of telemetry: one axis of time, one colour for a device, points apart from the description."""

from __future__ import annotations

import json
import math

import pyarrow as pa

from weir_dashboard import system_charts, usage
from weir_store.system import shapes

SECOND_US = 1_000_000


def rows(*series: tuple[str, str, str], at: int = 3, value: float = 1.0) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"metric": m, "node": n, "device": d, "time_unix_us": i * SECOND_US,
             **dict.fromkeys(("first", "last", "min", "max", "mean"), value * (i + 1))}
            for m, n, d in series for i in range(at)
        ],
        schema=shapes.THINNED,
    )  # fmt: skip


def test_panels_come_in_the_order_asked_for_with_readable_units():
    table = rows(
        ("gpu.memory_used_bytes", "n", "gpu0"), ("gpu.utilization", "n", "gpu0"), value=2**30
    )
    page = system_charts.page(["gpu.utilization", "gpu.memory_used_bytes", "gpu.power_w"], table)
    assert page.titles == ("gpu.utilization  [%]", "gpu.memory_used_bytes  [GiB]")
    memory = page.rows[page.rows["panel"] == "gpu.memory_used_bytes  [GiB]"]
    assert memory["mean"].tolist() == [1, 2, 3]


def test_the_description_stays_the_same_while_points_come():
    short, longer = (
        system_charts.page(["cpu.percent"], rows(("cpu.percent", "n", ""), at=at)) for at in (3, 9)
    )
    assert len(longer.rows) > len(short.rows)
    assert json.dumps(short.spec()) == json.dumps(longer.spec())


def test_all_panels_share_one_zoom():
    table = rows(("cpu.percent", "n", ""), ("cpu.load1", "n", ""))
    spec = system_charts.page(["cpu.percent", "cpu.load1"], table).spec()
    (zoom,) = [param for param in spec["params"] if param["name"] == "zoom"]
    assert len(zoom["views"]) == 2
    assert spec["resolve"]["scale"]["x"] == "shared"


def test_a_training_curve_stands_on_top():
    curve = pa.table({"x": [0.0, 1e6], "mean": [2.0, 1.0], "min": [2.0, 1.0], "max": [2.0, 1.0]})
    page = system_charts.page(["cpu.percent"], rows(("cpu.percent", "n", "")), ("loss", curve))
    assert page.titles == ("loss", "cpu.percent  [%]")
    assert page.series == ("n",)
    # no device has its name, so it must not ask their scale for a colour: it would get none
    colors = [str(panel["layer"][0]["encoding"]["color"]) for panel in page.spec()["vconcat"]]
    assert ["field" in color for color in colors] == [False, True]


def test_devices_are_in_the_order_of_their_numbers_and_too_many_are_counted():
    many = rows(*(("gpu.power_w", "n", f"gpu{i}") for i in range(70)))
    page = system_charts.page(["gpu.power_w"], many)
    assert page.series[:3] == ("n · gpu0", "n · gpu1", "n · gpu2")
    assert page.series[10] == "n · gpu10"
    assert page.left_out == 70 - system_charts.MOST_SERIES
    assert set(page.rows["series"]) == set(page.series)


def measured(*series: tuple[str, str, str]) -> pa.Table:
    return pa.table(dict(zip(("metric", "node", "device"), zip(*series, strict=True), strict=True)))


def test_of_what_a_node_has_as_a_whole_the_parts_come_only_when_asked_for():
    table = measured(
        ("cpu.percent", "n", ""), ("cpu.percent", "n", "cpu0"), ("cpu.percent", "n", "cpu1"),
        ("disk.free_bytes", "n", "/data"), ("cpu.percent", "m", ""), ("gpu.power_w", "n", "gpu0"),
    )  # fmt: skip
    of = system_charts.chosen_series
    assert of(table, ["cpu.percent"], ["n"], each=False) == system_charts.Chosen(("",), 1)
    assert of(table, ["cpu.percent"], [], each=False).count == 2
    assert of(table, ["cpu.percent"], ["n"], each=True) == system_charts.Chosen((), 3)
    found = of(table, ["cpu.percent", "disk.free_bytes"], [], each=False)
    assert found.devices == ("", "/data")


def test_nothing_measured_is_no_panel():
    assert system_charts.page(["cpu.percent"], rows()).titles == ()


def test_a_value_that_never_was_finite_is_drawn_as_a_gap_and_not_as_a_failure():
    page = system_charts.page(
        ["memory.used_bytes"], rows(("memory.used_bytes", "n", ""), value=math.nan)
    )
    assert page.rows["mean"].isna().all()
    page.spec()


def took(**more: float) -> pa.Table:
    return pa.table({"node": ["n"], "device": ["gpu0"], **{k: [v] for k, v in more.items()}})


def test_what_a_run_took_is_said_in_words():
    facts = usage.in_words(took(hours=2.5, energy_wh=1_200.0, idle_share=0.25))
    assert facts == [
        "**2.50 GPU-hours** on 1 device",
        "energy **1.200 kWh**",
        "idle **25%** of the time",
    ]
    assert usage.in_words(took(hours=2.5, energy_wh=math.nan, idle_share=math.nan)) == [
        "**2.50 GPU-hours** on 1 device"
    ]
    assert usage.in_words(took(hours=1.0, energy_wh=1.0, idle_share=0.0).slice(0, 0)) == []
