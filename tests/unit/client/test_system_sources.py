"""Sources of the node itself: on trees that look like /sys and /proc, and beside psutil here."""

import os
import subprocess
import sys
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import psutil
import pytest

from weir._clock import ManualClock
from weir.agent._system.amd import Amd
from weir.agent._system.cgroup import Cgroup
from weir.agent._system.cpu import Cpu, Times, busy_percent
from weir.agent._system.disk import DiskSpace, DiskTraffic, mount_of, whole_disks
from weir.agent._system.facts import cpu_model, machine_facts
from weir.agent._system.memory import Memory
from weir.agent._system.names import NAMES
from weir.agent._system.network import Network, outer_interfaces
from weir.agent._system.process import RankProcesses
from weir.agent._system.processes import (
    Process,
    count_fds,
    descendants,
    parse_stat,
    read_processes,
    read_some,
)
from weir.agent._system.rdma import Rdma
from weir.agent._system.source import Held, Source

Io = namedtuple("Io", "read_bytes write_bytes")
Net = namedtuple("Net", "bytes_sent bytes_recv")


def values(source: Source) -> dict[tuple[str, str], float]:
    return {(sample.metric, sample.device): sample.value for sample in source.sample()}


def write(root: Path, **files: Any) -> Path:
    """Write files by name; `__` stands for `/`."""
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


# ── processor and memory ─────────────────────────────────────────────────────


def test_the_busy_share_is_that_of_the_time_between_two_samplings() -> None:
    assert busy_percent(Times(10, 100), Times(12, 108)) == 25
    assert busy_percent(Times(10, 100), Times(10, 100)) is None
    assert busy_percent(Times(10, 100), Times(9, 108)) == 0  # a counter that stepped back


def test_processors_are_told_together_and_one_by_one() -> None:
    cpu = Cpu()
    first = values(cpu)
    assert not any(metric == "cpu.percent" for metric, _ in first)
    sum(range(300_000))
    second = values(cpu)
    shares = {
        device: share for (metric, device), share in second.items() if metric == "cpu.percent"
    }
    cores = psutil.cpu_count()
    assert set(shares) <= {"", *(f"cpu{core}" for core in range(cores))}
    assert all(0 <= share <= 100 for share in shares.values())
    assert second["cpu.load1", ""] >= 0


def test_the_frequency_is_the_mean_of_a_few_cores(tmp_path: Path) -> None:
    for core in range(32):
        write(tmp_path, **{f"cpu{core}__cpufreq__scaling_cur_freq": 2_000_000 + 1_000 * (core % 2)})
    assert 2_000 <= values(Cpu(tmp_path))["cpu.frequency_mhz", ""] <= 2_001
    assert ("cpu.frequency_mhz", "") not in values(Cpu(tmp_path / "nothing"))


def test_memory_agrees_with_psutil() -> None:
    found, there = values(Memory()), psutil.virtual_memory()
    near = pytest.approx(there.available, rel=0.2)
    assert found["memory.available_bytes", ""] == near
    total = found["memory.used_bytes", ""] + found["memory.available_bytes", ""]
    assert total == there.total


# ── disks and networks ───────────────────────────────────────────────────────


def test_only_whole_disks_count() -> None:
    counted = ["nvme0n1", "nvme0n1p1", "sda", "sda1", "loop0", "dm-0", "md0", "zram0"]
    blocks = ["nvme0n1", "sda", "loop0", "dm-0", "md0", "zram0"]
    assert whole_disks(counted, blocks) == ["nvme0n1", "sda"]
    assert whole_disks(["disk0"], []) == ["disk0"]  # no /sys: not Linux


def test_disk_traffic_is_a_rate_of_each_disk_and_of_all(tmp_path: Path) -> None:
    clock, counters = ManualClock(), {"sda": Io(0, 0), "sdb": Io(0, 0), "sda1": Io(0, 0)}
    write(tmp_path, sda__size=1, sdb__size=1)
    traffic = DiskTraffic(tmp_path, counters=lambda **_: counters, monotonic_s=clock.monotonic_s)
    assert values(traffic) == {}
    counters |= {"sda": Io(1000, 50), "sdb": Io(500, 0), "sda1": Io(1000, 50)}
    clock.advance(10)
    found = values(traffic)
    assert found["disk.read_bytes_per_s", "sda"] == 100
    assert found["disk.read_bytes_per_s", ""] == 150
    assert found["disk.written_bytes_per_s", ""] == 5
    assert not any(device == "sda1" for _, device in found)


def test_a_counter_that_begins_anew_gives_no_rate(tmp_path: Path) -> None:
    clock, counters = ManualClock(), {"sda": Io(10_000, 0)}
    write(tmp_path, sda__size=1)
    traffic = DiskTraffic(tmp_path, counters=lambda **_: counters, monotonic_s=clock.monotonic_s)
    values(traffic)
    clock.advance(1)
    counters["sda"] = Io(5, 10)
    found = values(traffic)
    assert ("disk.read_bytes_per_s", "sda") not in found
    assert found["disk.written_bytes_per_s", "sda"] == 10


def test_a_node_without_disk_counters_samples_none(tmp_path: Path) -> None:
    assert values(DiskTraffic(tmp_path, counters=lambda **_: None)) == {}


def test_free_space_is_told_of_the_file_system_that_a_folder_lies_on(tmp_path: Path) -> None:
    found = values(DiskSpace([str(tmp_path)], patience_s=20))
    ((_, mount),) = [key for key in found if key[0] == "disk.free_bytes"]
    assert os.path.ismount(mount)
    free = psutil.disk_usage(str(tmp_path)).free
    assert found["disk.free_bytes", mount] == pytest.approx(free, rel=0.1)


def test_a_folder_belongs_to_the_longest_mount_point_above_it() -> None:
    assert mount_of("/data/a/b", ["/", "/data", "/data/ab"]) == "/data"
    assert mount_of("/database", ["/", "/data"]) == "/"
    assert mount_of("/data", ["/data"]) == "/data"


def test_a_file_system_that_never_answers_is_asked_once_and_others_are_told() -> None:
    answer, asked = threading.Event(), []

    def statvfs(path: str) -> os.statvfs_result:
        asked.append(path)
        if path == "/nfs":
            answer.wait()
        return os.statvfs("/")

    mounts = ["/", "/nfs"]
    folders = ["/nfs/me", "/home"]
    space = DiskSpace(folders, statvfs=statvfs, mount_points=lambda: mounts, patience_s=0.05)
    try:
        # The one that answers may need more than its patience on a busy machine.
        found = [key for _ in range(20) for key in values(space)]
        assert ("disk.free_bytes", "/") in found
        assert ("disk.free_bytes", "/nfs") not in found
        assert asked.count("/nfs") == 1
    finally:
        answer.set()


def test_only_interfaces_that_leave_the_node_count() -> None:
    names = ["lo", "eth0", "eth1", "bond0", "docker0", "veth12ab", "br-9", "ib0"]
    hardware = {"eth0", "eth1", "ib0"}
    assert outer_interfaces(names, hardware.__contains__) == ["eth0", "eth1", "ib0"]
    assert outer_interfaces(["lo", "eth0"], lambda _: False) == ["eth0"]  # a container's


def test_network_traffic_is_a_rate_of_each_interface_and_of_all(tmp_path: Path) -> None:
    clock, counters = ManualClock(), {"eth0": Net(0, 0), "lo": Net(0, 0)}
    network = Network(tmp_path, counters=lambda **_: counters, monotonic_s=clock.monotonic_s)
    values(network)
    clock.advance(2)
    counters |= {"eth0": Net(200, 400), "lo": Net(9, 9)}
    assert values(network) == {
        ("net.sent_bytes_per_s", "eth0"): 100,
        ("net.sent_bytes_per_s", ""): 100,
        ("net.received_bytes_per_s", "eth0"): 200,
        ("net.received_bytes_per_s", ""): 200,
    }


def test_infiniband_counters_are_words_of_four_bytes(tmp_path: Path) -> None:
    clock = ManualClock()
    rdma = Rdma(tmp_path, monotonic_s=clock.monotonic_s)
    assert values(rdma) == {}
    for words in (1_000, 2_000):
        write(
            tmp_path,
            mlx5_0__ports__1__counters__port_xmit_data=words,
            mlx5_0__ports__1__counters__port_rcv_data="N/A (no PMA)",
        )
        found = values(rdma)
        clock.advance(10)
    assert found["rdma.sent_bytes_per_s", "mlx5_0/1"] == 400
    assert ("rdma.received_bytes_per_s", "mlx5_0/1") not in found


# ── control groups ───────────────────────────────────────────────────────────


@pytest.fixture
def slurm(tmp_path: Path) -> Path:
    """A step in a job: the job has the limits."""
    return write(
        tmp_path,
        **{
            "cgroup__cgroup.controllers": "cpu memory",
            "cgroup__job__cpu.max": "400000 100000",
            "cgroup__job__cpu.stat": "usage_usec 1000000\nthrottled_usec 0",
            "cgroup__job__memory.max": 64 << 30,
            "cgroup__job__memory.current": 10 << 30,
            "cgroup__job__memory.events": "low 0\noom 0\noom_kill 0",
            "cgroup__job__step__cpu.max": "max 100000",
            "cgroup__job__step__cpu.stat": "usage_usec 1\nthrottled_usec 0",
            "cgroup__job__step__memory.max": "max",
            "cgroup__job__step__memory.current": 1 << 30,
            "own": "0::/job/step",
        },
    )


def test_the_tightest_limit_above_a_process_is_told_with_the_use_beside_it(slurm: Path) -> None:
    clock = ManualClock()
    cgroup = Cgroup(slurm / "cgroup", slurm / "own", monotonic_s=clock.monotonic_s)
    first = values(cgroup)
    assert first["cgroup.memory_limit_bytes", ""] == 64 << 30
    assert first["cgroup.memory_used_bytes", ""] == 10 << 30
    assert first["cgroup.cpu_limit_percent", ""] == 400
    clock.advance(10)
    write(slurm, **{"cgroup__job__cpu.stat": "usage_usec 21000000\nthrottled_usec 5000000"})
    second = values(cgroup)
    assert second["cgroup.cpu_percent", ""] == 200  # 20 s of processor in 10 s
    assert second["cgroup.cpu_throttled_percent", ""] == 50
    assert cgroup.facts() == {"container_cpu_cores": 4.0, "container_memory_bytes": 64 << 30}


def test_a_kill_for_memory_is_told(slurm: Path) -> None:
    cgroup = Cgroup(slurm / "cgroup", slurm / "own")
    values(cgroup)
    assert cgroup.notices() == []
    write(slurm, **{"cgroup__job__memory.events": "oom 1\noom_kill 2"})
    assert values(cgroup)["cgroup.oom_kills", ""] == 2
    (notice,) = cgroup.notices()
    assert notice.kind == "oom_kill"
    assert notice.title.startswith("2 of the container's processes killed for memory")
    assert cgroup.notices() == []


def test_a_container_sees_its_own_group_as_the_root(tmp_path: Path) -> None:
    write(
        tmp_path,
        **{
            "cgroup__cgroup.controllers": "cpu memory",
            "cgroup__memory.max": 100,
            "cgroup__memory.current": 50,
            "own": "0::/../../kubepods/pod1",
        },
    )
    found = values(Cgroup(tmp_path / "cgroup", tmp_path / "own"))
    assert found["cgroup.memory_used_bytes", ""] == 50


def test_without_control_groups_nothing_is_sampled(tmp_path: Path) -> None:
    cgroup = Cgroup(tmp_path, tmp_path / "own")  # version 1, macOS
    assert values(cgroup) == {}
    assert cgroup.facts() == {}


# ── AMD ──────────────────────────────────────────────────────────────────────


def test_amd_cards_are_read_from_the_kernel(tmp_path: Path) -> None:
    write(
        tmp_path,
        card0__device__vendor="0x1a03",  # the board's own display
        card1__device__vendor="0x1002",
        card1__device__gpu_busy_percent=88,
        card1__device__mem_info_vram_used=5 << 30,
        card1__device__unique_id="abc123",
        card1__device__hwmon__hwmon4__power1_average=250_500_000,
        card1__device__hwmon__hwmon4__temp1_input=54_000,
        **{"card1-DP-1__device__vendor": "0x1002"},
    )
    amd = Amd(tmp_path)
    assert values(amd) == {
        ("gpu.utilization", "amd0"): 88,
        ("gpu.memory_used_bytes", "amd0"): 5 << 30,
        ("gpu.power_w", "amd0"): 250.5,
        ("gpu.temperature_c", "amd0"): 54,
    }
    assert amd.facts()["amd0.uuid"] == "abc123"
    assert values(Amd(tmp_path / "nothing")) == {}


# ── processes ────────────────────────────────────────────────────────────────


def test_a_process_with_brackets_and_spaces_in_its_name_is_read() -> None:
    fields = (
        "S 7 1 1 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 12 0 4242 1000000 256 18446744073709551615"
    )
    found = parse_stat(f"99 (a (b) c) {fields} 0 0")
    assert found.pid == 99
    assert found.parent == 7
    assert found.threads == 12
    assert found.born == 4242
    assert found.cpu_s == 200 / os.sysconf("SC_CLK_TCK")
    assert found.rss_bytes == 256 * os.sysconf("SC_PAGE_SIZE")


def test_descendants_are_all_that_a_process_started_but_for_the_agent() -> None:
    parents = {10: 1, 11: 10, 12: 11, 13: 10, 14: 13, 20: 1}
    table = {pid: Process(pid, parent, 0, 0, 0, 1) for pid, parent in parents.items()}
    assert descendants([10], table) == {10, 11, 12, 13, 14}
    assert descendants([10], table, without=13) == {10, 11, 12}
    assert descendants([99], table) == set()


def test_this_process_reads_as_psutil_reads_it() -> None:
    ours, there = read_processes()[os.getpid()], psutil.Process()
    assert ours.parent == there.ppid()
    assert ours.threads == there.num_threads()
    assert ours.rss_bytes == pytest.approx(there.memory_info().rss, rel=0.2)
    assert ours.cpu_s == pytest.approx(sum(there.cpu_times()[:2]), abs=0.5)
    assert count_fds(os.getpid()) == pytest.approx(there.num_fds(), abs=3)


def test_where_there_is_no_proc_psutil_is_asked(tmp_path: Path) -> None:
    by_psutil = read_some([os.getpid()], tmp_path)[os.getpid()]
    by_proc = read_some([os.getpid()])[os.getpid()]
    assert by_psutil.parent == by_proc.parent
    assert by_psutil.threads == by_proc.threads
    assert count_fds(os.getpid(), tmp_path) is not None


def test_processes_are_told_by_rank_with_their_children() -> None:
    program = "import sys; print(flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import subprocess,sys; subprocess.run([sys.executable,'-c',{program!r}])",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()  # the grandchild is there
        ranks = RankProcesses()
        run = ("p", "r")
        trainers = {
            (run, 3): frozenset({child.pid}),
            (("p", "other"), 0): frozenset({os.getppid()}),
        }
        ranks.look(trainers)
        found = {(s.metric, s.device): s.value for s in ranks.samples(run)}
        assert found["process.count", "rank3"] == 2
        assert found["process.rss_bytes", "rank3"] > 5 << 20
        assert {device for _, device in found} == {"rank3"}
        held = [
            Held("gpu.process_memory_bytes", "gpu0", pid, 5) for pid in (child.pid, os.getpid())
        ]
        (sample,) = ranks.held(run, held)
        assert sample == ("gpu.process_memory_bytes", "gpu0/rank3", 5)
    finally:
        child.communicate(b"")
    ranks.look(trainers)
    assert list(ranks.samples(run)) == []  # they ended


def test_a_ranks_processor_share_counts_all_its_cores() -> None:
    clock = ManualClock()
    ranks = RankProcesses(agent_pid=0, monotonic_s=clock.monotonic_s)
    trainers = {(("p", "r"), 0): frozenset({os.getpid()})}
    ranks.look(trainers)
    before_s = read_some([os.getpid()])[os.getpid()].cpu_s
    while read_some([os.getpid()])[os.getpid()].cpu_s < before_s + 0.05:
        sum(range(100_000))
    clock.advance(0.05)
    ranks.look(trainers)
    found = {sample.metric: sample.value for sample in ranks.samples(("p", "r"))}
    assert found["process.cpu_percent"] > 99


# ── facts ────────────────────────────────────────────────────────────────────


def test_the_machine_says_what_it_is(tmp_path: Path) -> None:
    facts = dict(machine_facts())
    assert facts["cpu_threads"] == psutil.cpu_count()
    assert facts["memory_bytes"] == psutil.virtual_memory().total
    assert facts["kernel"] == os.uname().release
    write(tmp_path, cpuinfo="processor\t: 0\nmodel name\t: Fast One\n\nmodel name\t: Other")
    assert cpu_model(tmp_path / "cpuinfo") == "Fast One"


def test_every_metric_that_these_sources_write_is_in_the_list(slurm: Path) -> None:
    sources = [Cpu(), Memory(), DiskSpace(["/"]), DiskTraffic(), Network()]
    sources.append(Cgroup(slurm / "cgroup", slurm / "own"))
    for source in sources:
        values(source)
        assert {metric for metric, _ in values(source)} <= NAMES
