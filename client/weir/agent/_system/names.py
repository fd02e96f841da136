"""Every metric that the agent writes, its unit and its meaning; docs/formats/system.md is made from it."""

from collections.abc import Iterator
from typing import Final, NamedTuple


class Metric(NamedTuple):
    """One metric.

    Attributes:
        name: As stored; the part before the first dot says what is measured.
        unit: As in `%`, `bytes`, `bytes/s`; "" = a plain number.
        devices: What `device` may be.
        meaning: One line.
    """

    name: str
    unit: str
    devices: str
    meaning: str


METRICS: Final = (
    # processor
    Metric("cpu.percent", "%", '"" and `cpu<k>`', "busy time; 100 = all cores, or this one"),
    Metric("cpu.load1", "", '""', "processes that run or wait, mean of a minute"),
    Metric("cpu.frequency_mhz", "MHz", '""', "mean of at most eight cores"),
    # memory
    Metric("memory.used_bytes", "bytes", '""', "total less available"),
    Metric("memory.available_bytes", "bytes", '""', "what programs can get without swapping"),
    Metric("memory.swap_used_bytes", "bytes", '""', "swapped out; absent without swap"),
    # disk
    Metric("disk.free_bytes", "bytes", "mount point", "of the spool's and the processes' folders"),
    Metric("disk.used_bytes", "bytes", "mount point", "likewise"),
    Metric("disk.read_bytes_per_s", "bytes/s", '"" and disk', "read from whole disks"),
    Metric("disk.written_bytes_per_s", "bytes/s", '"" and disk', "written to whole disks"),
    # network
    Metric("net.sent_bytes_per_s", "bytes/s", '"" and interface', "without loopback and bridges"),
    Metric("net.received_bytes_per_s", "bytes/s", '"" and interface', "likewise"),
    Metric("rdma.sent_bytes_per_s", "bytes/s", '"" and `<hca>/<port>`', "InfiniBand and RoCE"),
    Metric("rdma.received_bytes_per_s", "bytes/s", '"" and `<hca>/<port>`', "likewise"),
    # processes of the run
    Metric("process.cpu_percent", "%", "`rank<k>`", "of a rank's processes; 100 = one core"),
    Metric("process.rss_bytes", "bytes", "`rank<k>`", "resident memory, shared pages in each"),
    Metric("process.threads", "", "`rank<k>`", "threads"),
    Metric("process.fds", "", "`rank<k>`", "open file descriptors"),
    Metric("process.count", "", "`rank<k>`", "the rank's process and those it started"),
    # container
    Metric("cgroup.cpu_percent", "%", '""', "of this control group; 100 = one core"),
    Metric("cgroup.cpu_limit_percent", "%", '""', "what it may use; absent without a limit"),
    Metric("cgroup.cpu_throttled_percent", "%", '""', "time it was held back, over its cores"),
    Metric("cgroup.memory_used_bytes", "bytes", '""', "of this control group, caches included"),
    Metric("cgroup.memory_limit_bytes", "bytes", '""', "what it may use; absent without a limit"),
    Metric("cgroup.oom_kills", "", '""', "processes killed for memory since it was made"),
    # GPUs
    Metric("gpu.utilization", "%", "`gpu<k>`", "time in which a kernel ran"),
    Metric("gpu.memory_utilization", "%", "`gpu<k>`", "time in which memory was read or written"),
    Metric("gpu.memory_used_bytes", "bytes", "`gpu<k>`, `gpu<k>/mig<j>`", "in use"),
    Metric("gpu.memory_total_bytes", "bytes", "`gpu<k>`, `gpu<k>/mig<j>`", "there is"),
    Metric("gpu.process_memory_bytes", "bytes", "`gpu<k>/rank<r>`", "held by a rank of this run"),
    Metric("gpu.power_w", "W", "`gpu<k>`", "drawn"),
    Metric("gpu.energy_j", "J", "`gpu<k>`", "the card's counter since its driver was loaded"),
    Metric("gpu.temperature_c", "°C", "`gpu<k>`", "of the chip"),
    Metric("gpu.sm_clock_mhz", "MHz", "`gpu<k>`", "of the multiprocessors"),
    Metric("gpu.memory_clock_mhz", "MHz", "`gpu<k>`", "of the memory"),
    Metric("gpu.fan_percent", "%", "`gpu<k>`", "of the fan's intended top speed"),
    Metric("gpu.throttle_reasons", "bits", "`gpu<k>`", "why clocks are held down (below)"),
    Metric("gpu.ecc_corrected", "", "`gpu<k>`", "memory errors mended since the driver was loaded"),
    Metric("gpu.ecc_uncorrected", "", "`gpu<k>`", "memory errors not mended, likewise"),
    Metric("gpu.pcie_sent_bytes_per_s", "bytes/s", "`gpu<k>`", "over PCIe, by the card"),
    Metric("gpu.pcie_received_bytes_per_s", "bytes/s", "`gpu<k>`", "over PCIe, to the card"),
    Metric("gpu.nvlink_sent_bytes_per_s", "bytes/s", "`gpu<k>`", "data over all NVLinks"),
    Metric("gpu.nvlink_received_bytes_per_s", "bytes/s", "`gpu<k>`", "likewise"),
    # whatever else computes: written by plug-ins
    Metric("accelerator.utilization", "%", "as the plug-in says", "busy time"),
    Metric("accelerator.memory_used_bytes", "bytes", "as the plug-in says", "in use"),
    Metric("accelerator.power_w", "W", "as the plug-in says", "drawn"),
    Metric("accelerator.energy_j", "J", "as the plug-in says", "a counter"),
    # the agent
    Metric("telemetry.cost_percent", "%", '""', "of a core, spent on all of the above"),
)

NAMES: Final = frozenset(metric.name for metric in METRICS)


def table() -> str:
    """Return the metrics as the table of docs/formats/system.md."""
    return "\n".join(_rows()) + "\n"


def _rows() -> Iterator[str]:
    yield "| metric | unit | device | meaning |"
    yield "|---|---|---|---|"
    for metric in METRICS:
        yield f"| `{metric.name}` | {metric.unit or '–'} | {metric.devices} | {metric.meaning} |"


if __name__ == "__main__":
    import sys

    sys.stdout.write(table())
