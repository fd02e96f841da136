"""docs/formats/system.md says what the agent writes."""

from pathlib import Path

from weir._names import name_fault
from weir.agent._system.names import METRICS, NAMES, table

PAGE = (Path(__file__).parents[3] / "docs/formats/system.md").read_text()


def test_the_page_lists_every_metric_as_it_is_declared() -> None:
    assert table() in PAGE, "put the output of: python -m weir.agent._system.names"


def test_every_metric_is_declared_once_with_its_unit_in_its_name() -> None:
    assert len(NAMES) == len(METRICS)
    endings = {
        "bytes": "_bytes",
        "bytes/s": "_bytes_per_s",
        "W": "_w",
        "J": "_j",
        "°C": "_c",
        "MHz": "_mhz",
    }
    for metric in METRICS:
        assert name_fault(metric.name) is None
        assert metric.name.endswith(endings.get(metric.unit, "")), metric


def test_what_usage_is_added_up_from_keeps_its_names() -> None:
    assert {"gpu.utilization", "gpu.power_w", "gpu.energy_j"} <= NAMES
    assert {"accelerator.utilization", "accelerator.power_w", "accelerator.energy_j"} <= NAMES


def test_the_page_shows_the_source_that_the_tests_run() -> None:
    for line in (
        "class TpuSource:",
        'yield "accelerator.utilization", "tpu0", 73',
        "weir.system_sources",
    ):
        assert line in PAGE
