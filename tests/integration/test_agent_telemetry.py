"""The telemetry of a real agent on this machine, of real processes: what reaches the server."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from tests.integration.fixtures_spools import NODE, wait_until, weir_json
from weir._columns import read_column
from weir._settings import RECORDS
from weir._spool import Frame, SpoolReader, list_spools
from weir.agent._lock import agent_pid
from weir.agent._node_log import AGENT_ROLE
from weir.agent._system.names import NAMES
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["gateway"]  # fixture

INPUTS = [f"WEIR_{name.upper()}" for name in RECORDS]
PROGRAM = """
import os, subprocess, sys, weir
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
ballast = bytearray(os.urandom(1 << 20) * 64)
run = weir.init(project="p", id=sys.argv[1])
run.log({"loss": 1.0})
print("ready", child.pid, flush=True)
sys.stdin.readline()
run.finish()
child.communicate()
"""


@dataclass(frozen=True)
class Point:
    run_id: str
    metric: str
    device: str
    time_unix_us: int
    value: float


def read(run_id: str, bodies: list[pb.Body]) -> list[Point]:
    return [
        Point(run_id, body.names[metric], body.names[device], time_us, value)
        for body in bodies
        for block in body.system
        for metric, device, time_us, value in zip(
            read_column("I", block.metric),
            read_column("I", block.device),
            read_column("q", block.time_unix_us),
            read_column("d", block.value),
            strict=True,
        )
    ]


def stored(gateway: ModelGateway) -> list[Point]:
    accounts = list(gateway.ledger.accounts.values())
    return [
        point
        for account in accounts
        if account.origin.role == AGENT_ROLE
        for point in read(
            account.origin.run_id, [pb.Body.FromString(b) for b in dict(account.frames).values()]
        )
    ]


def spooled(root: Path) -> list[Point]:
    found: list[Point] = []
    for spool in list_spools(root):
        meta = spool.read_meta()
        if meta.role == AGENT_ROLE:
            frames = SpoolReader(spool).read(writer_alive=False)
            bodies = [
                pb.Body.FromString(frame.body) for frame in frames if isinstance(frame, Frame)
            ]
            found += read(meta.run_id, bodies)
    return found


class Training:
    """A real process that trains until it is told to end."""

    def __init__(self, root: Path, run_id: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, run_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root.parent,
            env={
                **os.environ,
                "WEIR_DIR": str(root),
                "WEIR_CONSOLE": "off",
                "WEIR_AGENT_IDLE_S": "0.5",
                **dict.fromkeys(INPUTS, "0"),
                **environ,
            },
        )
        line = self._line()
        self.child_pid = int(line.split()[1])

    def _line(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("ready"):
                return line
        raise AssertionError("the trainer ended")

    def end(self) -> None:
        self.process.communicate("\n", timeout=60)
        assert self.process.returncode == 0


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Callable[..., Training]]:
    begun: list[Training] = []
    root = tmp_path / "spool"

    def begin(run_id: str, **environ: str) -> Training:
        begun.append(Training(root, run_id, **environ))
        return begun[-1]

    yield begin
    for training in begun:
        if training.process.poll() is None:
            training.process.kill()
            training.process.wait(20)
    pid = agent_pid(root, NODE)
    if pid:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def last(points: list[Point], metric: str, device: str = "") -> float:
    values = [p.value for p in points if (p.metric, p.device) == (metric, device)]
    assert values, f"no {metric} of {device!r} in {sorted({(p.metric, p.device) for p in points})}"
    return values[-1]


def test_the_numbers_are_those_of_this_machine(gateway: ModelGateway, train: Any) -> None:
    training = train("r", WEIR_SERVER=gateway.address)
    wait_until(lambda: sum(p.metric == "cpu.percent" for p in stored(gateway)) > 3)
    trainer = psutil.Process(training.process.pid)
    family = [trainer, psutil.Process(training.child_pid)]
    rss = sum(process.memory_info().rss for process in family)
    threads = sum(process.num_threads() for process in family)
    points = stored(gateway)

    memory = psutil.virtual_memory()
    assert last(points, "memory.available_bytes") == pytest.approx(memory.available, rel=0.3)
    total = last(points, "memory.used_bytes") + last(points, "memory.available_bytes")
    assert total == memory.total
    assert 0 <= last(points, "cpu.percent") <= 100
    assert {p.device for p in points if p.metric == "cpu.percent"} <= {
        "",
        *(f"cpu{core}" for core in range(psutil.cpu_count())),
    }
    (mount,) = {p.device for p in points if p.metric == "disk.free_bytes"}
    free = psutil.disk_usage(mount).free
    assert last(points, "disk.free_bytes", mount) == pytest.approx(free, rel=0.2)
    interfaces = {p.device for p in points if p.metric == "net.sent_bytes_per_s"} - {""}
    assert interfaces <= set(psutil.net_io_counters(pernic=True)) - {"lo"}
    assert last(points, "process.count", "rank0") == 2  # not the agent
    assert last(points, "process.rss_bytes", "rank0") == pytest.approx(rss, rel=0.3)
    assert last(points, "process.rss_bytes", "rank0") > 64 << 20
    assert last(points, "process.threads", "rank0") == pytest.approx(threads, abs=4)
    assert last(points, "process.fds", "rank0") > 5
    assert {p.metric for p in points} <= NAMES
    training.end()


def test_facts_of_the_node_reach_the_server(gateway: ModelGateway, train: Any) -> None:
    train("r", WEIR_SERVER=gateway.address)
    wait_until(lambda: stored(gateway))
    (account,) = [a for a in gateway.ledger.accounts.values() if a.origin.role == AGENT_ROLE]
    bodies = [pb.Body.FromString(body) for body in dict(account.frames).values()]
    facts = {attr.path: attr for body in bodies for attr in body.attrs}
    assert facts[f"node/{NODE}/kernel"].str == os.uname().release
    assert facts[f"node/{NODE}/memory_bytes"].int == psutil.virtual_memory().total


def test_two_runs_at_once_get_the_same_node_and_their_own_processes(
    gateway: ModelGateway, train: Any
) -> None:
    train("one", WEIR_SERVER=gateway.address)
    train("two", WEIR_SERVER=gateway.address, WEIR_RANK="5")

    def of(run_id: str) -> dict[tuple[str, str, int], float]:
        return {
            (p.metric, p.device, p.time_unix_us): p.value
            for p in stored(gateway)
            if p.run_id == run_id
        }

    def shared() -> set[tuple[str, str, int]]:
        return of("one").keys() & of("two").keys()

    wait_until(lambda: any(metric == "memory.used_bytes" for metric, _, _ in shared()))
    one, two = of("one"), of("two")
    assert all(one[key] == two[key] for key in one.keys() & two.keys())
    ranks = {device for metric, device, _ in one if metric.startswith("process.")}
    assert ranks == {"rank0"}
    assert {device for metric, device, _ in two if metric.startswith("process.")} == {"rank5"}


def test_a_killed_agent_is_replaced_and_goes_on(
    gateway: ModelGateway, train: Any, root: Path
) -> None:
    training = train("r", WEIR_SERVER=gateway.address)
    wait_until(lambda: stored(gateway))
    first = agent_pid(root, NODE)
    assert first
    os.kill(first, signal.SIGKILL)
    before = stored(gateway)
    wait_until(lambda: agent_pid(root, NODE) not in {0, None, first}, what="a new agent")
    wait_until(lambda: len(stored(gateway)) > len(before) + 50, what="new telemetry")
    training.end()
    wait_until(lambda: not list(list_spools(root)), what="all is committed")
    keys = [(p.metric, p.device, p.time_unix_us) for p in stored(gateway)]
    assert len(keys) == len(set(keys))


def test_a_run_without_telemetry_has_none(gateway: ModelGateway, train: Any, root: Path) -> None:
    training = train("quiet", WEIR_SERVER=gateway.address, WEIR_SYSTEM="0")
    loud = train("loud", WEIR_SERVER=gateway.address)
    wait_until(lambda: any(p.run_id == "loud" for p in stored(gateway)))
    training.end()
    loud.end()
    assert not any(p.run_id == "quiet" for p in stored(gateway))


def test_an_offline_run_is_measured_and_sent_later(
    gateway: ModelGateway, train: Any, root: Path
) -> None:
    training = train("r", WEIR_MODE="offline")
    wait_until(lambda: sum(p.metric == "memory.used_bytes" for p in spooled(root)) >= 2)
    training.end()
    wait_until(lambda: not agent_pid(root, NODE), what="the agent ends")
    there = spooled(root)
    assert stored(gateway) == []
    report = weir_json("sync", str(root), "--server", gateway.address)
    assert report, "weir sync says what it did"
    assert sorted(stored(gateway), key=repr) == sorted(there, key=repr)
    log = next(root.glob("agent-*.log")).read_text()
    assert not re.search(r"trouble|left alone", log), log
