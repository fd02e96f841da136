"""The observer: what is due, whose runs get it, and what happens when it cannot be written."""

import json
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.unit.client.fake_nvml import FakeCard, FakeDriver, FakeProcess
from weir._clock import ManualClock
from weir._columns import read_column
from weir._spool import Frame, Meta, SpoolDir, SpoolReader
from weir.agent._attendance import Attended, Trainer
from weir.agent._node_log import NodeLog
from weir.agent._system.aside import Aside
from weir.agent._system.nvidia import Nvidia
from weir.agent._system.source import Fact, Notice, Sample, Source
from weir.agent._system.sources import ENTRY_POINTS, plugged_in
from weir.agent._system.steadied import Steadied
from weir.agent._system.telemetry import Telemetry
from weir_proto.v1 import ingest_pb2 as pb


class Steady(Source):
    """Says the same every time; counts how often it was asked."""

    def __init__(self, *samples: Sample, accelerator: bool = False) -> None:
        self.accelerator = accelerator
        self.samples = list(samples)
        self.known: dict[str, Fact] = {}
        self.news: list[Notice] = []
        self.asked_s: list[float] = []
        self.clock: ManualClock | None = None
        self.closed = False

    def sample(self) -> Iterable[Sample]:
        if self.clock:
            self.asked_s.append(self.clock.monotonic_s())
        return self.samples

    def facts(self) -> dict[str, Fact]:
        return self.known

    def notices(self) -> list[Notice]:
        taken, self.news = self.news, []
        return taken

    def close(self) -> None:
        self.closed = True


@dataclass
class Point:
    metric: str
    device: str
    time_unix_us: int
    value: float


class Node:
    """A node with runs on it, and an observer whose time is turned by hand."""

    def __init__(self, root: Path, *sources: Source, cost_s: float = 0.0) -> None:
        self.root = root
        self.clock = ManualClock()
        self.cost_s, self.cpu_s = cost_s, 0.0
        for source in sources:
            if isinstance(source, Steady):
                source.clock = self.clock
        steadied = [Steadied("test", source, self.clock.monotonic_s) for source in sources]
        self.observer = Telemetry(steadied, clock=self.clock, cpu_s=self._tick)
        self.runs: list[Attended] = []

    def _tick(self) -> float:
        self.cpu_s += self.cost_s  # between two looks at it
        return self.cpu_s

    def begin(
        self, run_id: str = "r", *, age_s: float = 3600, rank: int = 0, **wishes: Any
    ) -> Attended:
        meta = Meta(
            mode="offline",
            server="",
            producer=os.urandom(16).hex(),
            project="p",
            run_id=run_id,
            rank=rank,
            node="n1",
            pid=os.getppid(),
            started_unix_us=self.clock.unix_us() - round(age_s * 1e6),
            wishes={k: v for k, v in {"system": True, **wishes}.items() if v is not None},
        )
        spool = SpoolDir.create(self.root, meta)
        run = next((each for each in self.runs if each.run_id == run_id), None)
        if run is None:
            run = Attended("p", run_id, NodeLog(self.root, meta, self.clock))
            self.runs.append(run)
        run.trainers[meta.producer] = Trainer(spool, meta, live=True)
        return run

    def turn(self, seconds: float) -> None:
        """Let the agent do what it does for so long."""
        until_s = self.clock.monotonic_s() + seconds
        while self.clock.monotonic_s() < until_s - 1e-9:
            pause_s = self.observer.observe(self.runs)
            assert 0 < pause_s <= 1
            self.clock.advance(min(pause_s, until_s - self.clock.monotonic_s()))

    def end(self, run: Attended) -> None:
        for trainer in run.trainers.values():
            trainer.live = False
        assert self.observer.finish(run)
        run.log.close()
        self.runs.remove(run)


def bodies(run: Attended) -> list[pb.Body]:
    if run.log.spool is None:
        return []
    frames = SpoolReader(run.log.spool).read(writer_alive=False)
    return [pb.Body.FromString(frame.body) for frame in frames if isinstance(frame, Frame)]


def points(run: Attended) -> list[Point]:
    return [
        Point(body.names[metric], body.names[device], time_us, value)
        for body in bodies(run)
        for block in body.system
        for metric, device, time_us, value in zip(
            read_column("I", block.metric),
            read_column("I", block.device),
            read_column("q", block.time_unix_us),
            read_column("d", block.value),
            strict=True,
        )
    ]


def of(run: Attended, metric: str) -> list[Point]:
    return [point for point in points(run) if point.metric == metric]


def attrs(run: Attended) -> dict[str, Any]:
    every = [attr for body in bodies(run) for attr in body.attrs]
    return {attr.path: getattr(attr, str(attr.WhichOneof("value"))) for attr in every}


LOAD = Sample("cpu.load1", "", 1.5)
BUSY = Sample("gpu.utilization", "gpu0", 90.0)


# ── when ─────────────────────────────────────────────────────────────────────


def test_the_node_is_measured_every_ten_seconds_and_accelerators_every_five(tmp_path: Path) -> None:
    load, gpu = Steady(LOAD), Steady(BUSY, accelerator=True)
    node = Node(tmp_path, load, gpu)
    run = node.begin()
    node.turn(60)
    assert load.asked_s == pytest.approx([0, 10, 20, 30, 40, 50], abs=1)
    assert gpu.asked_s == pytest.approx(range(0, 60, 5), abs=1)
    assert len(of(run, "cpu.load1")) == 6
    # What is due together is one frame: those of the node bring a GPU's along.
    assert len([body for body in bodies(run) if body.system]) == 12


def test_a_new_run_is_measured_at_once_and_often(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    run = node.begin(age_s=0)
    node.turn(120)
    times_s = [
        (p.time_unix_us - of(run, "cpu.load1")[0].time_unix_us) / 1e6 for p in of(run, "cpu.load1")
    ]
    assert sum(at_s < 10 for at_s in times_s) == 10
    assert sum(10 <= at_s < 60 for at_s in times_s) == pytest.approx(25, abs=1)
    assert sum(at_s >= 60 for at_s in times_s) == pytest.approx(6, abs=1)


def test_an_old_run_that_gets_a_new_agent_is_no_new_run(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    node.begin(age_s=86_400)
    node.turn(30)
    assert len(load.asked_s) == 3


def test_a_clock_that_is_set_back_does_not_make_a_run_young(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    node.begin(age_s=0)
    node.turn(120)
    load.asked_s.clear()
    node.clock.set_wall(node.clock.unix_us() - 3600 * 10**6)
    node.turn(60)
    assert len(load.asked_s) == pytest.approx(6, abs=1)


def test_a_sharp_change_is_looked_at_closely_for_a_while(tmp_path: Path) -> None:
    gpu = Steady(BUSY, accelerator=True)
    node = Node(tmp_path, gpu)
    node.begin()
    node.turn(60)
    gpu.samples, gpu.asked_s = [BUSY._replace(value=0.0)], []
    node.turn(60)
    gaps_s = [later - earlier for earlier, later in zip(gpu.asked_s, gpu.asked_s[1:], strict=False)]
    assert sum(gap_s < 1.5 for gap_s in gaps_s) == pytest.approx(10, abs=1)


def test_the_shortest_period_that_a_run_asks_for_is_taken(tmp_path: Path) -> None:
    load, gpu = Steady(LOAD), Steady(BUSY, accelerator=True)
    node = Node(tmp_path, load, gpu)
    node.begin("slow", system_period_s=60, gpu_period_s=60)
    node.begin("quick", system_period_s=20.0, gpu_period_s=2)
    node.turn(60)
    assert (len(load.asked_s), len(gpu.asked_s)) == (3, 30)


def test_wishes_that_make_no_sense_are_the_default(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    node.begin(system_period_s="often", gpu_period_s=0, openmetrics="x")
    node.turn(60)
    assert len(load.asked_s) == 6


def test_a_dear_sampling_is_done_less_often(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load, cost_s=0.4)
    run = node.begin()
    node.turn(1200)
    spent = len(load.asked_s) * 0.4 / 1200
    assert 0.008 < spent <= 0.011  # the purse and the first, which is free, included
    told = [point.value for point in of(run, "telemetry.cost_percent")][2:]
    assert sum(told) / len(told) == pytest.approx(1.0, abs=0.1)


def test_nothing_is_measured_without_a_live_run_that_wants_it(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    silent = node.begin(system=False)
    node.turn(20)
    assert load.asked_s == []
    assert bodies(silent) == []


def test_a_client_that_does_not_ask_for_telemetry_gets_none(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    run = node.begin(system=None)  # older than the wish
    node.turn(20)
    assert load.asked_s == []
    assert bodies(run) == []


# ── for whom ─────────────────────────────────────────────────────────────────


def test_one_sampling_feeds_every_run_that_wants_it(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    one, other, silent = node.begin("one"), node.begin("other"), node.begin("silent", system=False)
    node.turn(30)
    assert len(load.asked_s) == 3
    assert of(one, "cpu.load1") == of(other, "cpu.load1")
    assert len(of(one, "cpu.load1")) == 3
    assert points(silent) == []


def test_processes_and_what_they_hold_go_to_their_own_run(tmp_path: Path) -> None:
    driver = FakeDriver([FakeCard(processes=[FakeProcess(os.getppid(), 7), FakeProcess(1, 9)])])
    node = Node(tmp_path)
    node = Node(tmp_path, Nvidia(lambda: __import__("pynvml"), monotonic_s=node.clock.monotonic_s))
    mine, other = node.begin("mine", rank=4), node.begin("other")
    (stranger,) = other.trainers.values()
    other.trainers[stranger.meta.producer] = Trainer(
        stranger.spool,
        replace(stranger.meta, pid=99_999_999),
        True,
    )
    with driver.loaded():
        node.turn(3)
    (held,) = of(mine, "gpu.process_memory_bytes")[:1]
    assert (held.device, held.value) == ("gpu0/rank4", 7)
    rss = of(mine, "process.rss_bytes")[0]
    assert rss.device == "rank4"
    assert rss.value >= psutil.Process(os.getppid()).memory_info().rss / 2
    assert of(other, "gpu.process_memory_bytes") == []
    assert of(other, "process.rss_bytes") == []
    assert of(other, "gpu.utilization") != []


def test_facts_are_written_once_and_again_when_they_change(tmp_path: Path) -> None:
    load = Steady(LOAD)
    load.known = {"gpu0.uuid": "GPU-1"}
    node = Node(tmp_path, load)
    run = node.begin()
    node.turn(30)
    found = attrs(run)
    assert found["node/n1/gpu0.uuid"] == "GPU-1"
    assert found["node/n1/cpu_threads"] == psutil.cpu_count()
    written = [attr.path for body in bodies(run) for attr in body.attrs]
    assert len(written) == len(set(written))
    load.known = {"gpu0.uuid": "GPU-2"}
    node.turn(15)
    assert attrs(run)["node/n1/gpu0.uuid"] == "GPU-2"


def test_a_notice_is_an_event_of_every_run(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    runs = [node.begin("a"), node.begin("b")]
    load.news = [Notice("gpu_xid", "error", "gpu0: Xid 79", attrs={"device": "gpu0"})]
    node.turn(30)
    for run in runs:
        (event,) = [event for body in bodies(run) for event in body.events]
        assert (event.kind, event.severity, event.attrs["device"]) == ("gpu_xid", "error", "gpu0")


def test_usage_is_told_every_minute_and_at_the_end(tmp_path: Path) -> None:
    node = Node(tmp_path, Steady(BUSY, accelerator=True))
    run = node.begin()
    node.turn(50)
    assert not any("usage" in path for path in attrs(run))
    node.turn(50)
    (path,) = [path for path in attrs(run) if path.startswith("node/n1/usage/")]
    assert json.loads(attrs(run)[path])["gpu0"]["hours"] == pytest.approx(60 / 3600, abs=6 / 3600)
    node.end(run)
    (again,) = [path for path in attrs(run) if "usage" in path]
    assert again == path
    assert json.loads(attrs(run)[path])["gpu0"] == {
        "hours": pytest.approx(100 / 3600, abs=1e-6),
        "energy_wh": None,
        "idle_share": 0,
        "held_hours": 0,
    }


def test_an_agent_that_is_stopped_leaves_the_usage_it_saw(tmp_path: Path) -> None:
    gpu = Steady(BUSY, accelerator=True)
    node = Node(tmp_path, gpu)
    run = node.begin()
    node.turn(21)
    node.observer.close()
    assert any("usage" in path for path in attrs(run))
    assert gpu.closed


def test_two_agents_of_a_run_add_up_their_own_shares(tmp_path: Path) -> None:
    first = Node(tmp_path, Steady(BUSY, accelerator=True))
    before = first.begin()
    first.turn(20)
    first.observer.close()
    second = Node(tmp_path, Steady(BUSY, accelerator=True))
    after = second.begin()
    second.turn(10)
    second.end(after)
    used = {**attrs(before), **attrs(after)}  # as the server keeps them: by path
    hours = [json.loads(text)["gpu0"]["hours"] for path, text in used.items() if "usage" in path]
    assert sorted(hours) == pytest.approx([10 / 3600, 20 / 3600], abs=6 / 3600)


# ── ends ─────────────────────────────────────────────────────────────────────


def test_a_run_is_measured_once_more_when_it_ends(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    run = node.begin()
    node.turn(17)
    node.end(run)
    assert load.asked_s == pytest.approx([0, 10, 17], abs=0.01)
    assert len(of(run, "cpu.load1")) == 3


def test_a_run_that_ended_long_ago_gets_nothing_measured_now(tmp_path: Path) -> None:
    load = Steady(LOAD)
    node = Node(tmp_path, load)
    node.end(run := node.begin())  # `weir sync` finds it
    assert load.asked_s == []
    assert bodies(run) == []


# ── trouble ──────────────────────────────────────────────────────────────────


def test_what_the_disk_does_not_take_is_counted_and_told_and_facts_wait(tmp_path: Path) -> None:
    node = Node(tmp_path, Steady(LOAD))
    one, other = node.begin("one"), node.begin("other")
    write, full = one.log.write, [True]

    def refuse(findings: Any) -> None:
        if full[0]:
            raise OSError(28, "no room")
        write(findings)

    one.log.write = refuse  # type: ignore[method-assign]
    node.turn(30)
    assert bodies(one) == []
    assert len(of(other, "cpu.load1")) == 3  # one run's trouble is not another's
    full[0] = False
    node.turn(20)
    assert len(of(one, "cpu.load1")) == 2
    assert "node/n1/cpu_threads" in attrs(one)
    (event,) = [event for body in bodies(one) for event in body.events]
    assert (event.kind, event.attrs["samplings"]) == ("telemetry_gap", "3")


class Broken(Source):
    def sample(self) -> Iterable[Sample]:
        yield LOAD
        raise RuntimeError("a vendor's library")

    facts = notices = held = close = sample  # type: ignore[assignment]


def test_a_source_that_raises_is_left_alone_for_a_while_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    broken, load = Broken(), Steady(LOAD)
    node = Node(tmp_path, broken, load)
    run = node.begin()
    node.turn(60)
    assert len(of(run, "cpu.load1")) == 6
    node.observer.close()


def test_a_raising_source_is_asked_less_and_less_often() -> None:
    clock, asked = ManualClock(), []

    class Raising:
        def sample(self) -> list[Sample]:
            asked.append(clock.monotonic_s())
            raise ValueError("no")

    steadied = Steadied("x", Raising(), clock.monotonic_s)
    for _ in range(200):
        steadied.sample()
        clock.advance(1)
    assert asked == [0, 10, 30, 70, 150]


def test_a_source_that_hangs_keeps_nobody_waiting_and_comes_back(tmp_path: Path) -> None:
    answer = threading.Event()

    class Hanging(Steady):
        def sample(self) -> Iterable[Sample]:
            answer.wait()
            return super().sample()

    hanging, load = Hanging(BUSY, accelerator=True), Steady(LOAD)
    hanging.news = [Notice("gpu_lost", "error", "gpu0 hung")]
    aside = Aside("driver", hanging, patience_s=0.01)
    node = Node(tmp_path, load)
    node.observer = Telemetry([load, aside], clock=node.clock, cpu_s=lambda: 0.0)
    run = node.begin()
    node.turn(60)
    assert len(of(run, "cpu.load1")) == 6
    assert of(run, "gpu.utilization") == []
    node.observer.close()
    answer.set()
    found: list[Sample] = []
    while not found:
        found = list(aside.sample())
    assert found == [BUSY]
    assert [notice.kind for notice in aside.notices()] == ["gpu_lost"]


def test_what_a_source_in_its_own_thread_spends_is_counted() -> None:
    class Dear(Source):
        def sample(self) -> Iterable[Sample]:
            began_s = time.thread_time()
            while time.thread_time() < began_s + 0.02:
                pass
            return [LOAD]

    aside = Aside("dear", Dear())
    assert list(aside.sample()) == [LOAD]
    assert aside.spent_s() >= 0.02
    assert aside.spent_s() == 0


def test_values_that_are_no_numbers_are_left_out() -> None:
    nan = Sample("a", "", float("nan"))
    assert Steadied("x", Steady(nan, LOAD), lambda: 0.0).sample() == [LOAD]


# ── plug-ins ─────────────────────────────────────────────────────────────────


class TpuSource:
    """The example of docs/formats/system.md: nothing of Weir is imported."""

    accelerator = True

    def sample(self) -> Iterable[tuple[str, str, float]]:
        yield "accelerator.utilization", "tpu0", 73
        yield "accelerator.memory_used_bytes", "tpu0", 9_000_000_000

    def facts(self) -> dict[str, str]:
        return {"tpu0.name": "TPU v5e"}


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, group=ENTRY_POINTS, value=value)


def test_a_plug_in_is_sampled_like_any_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_tpu.py").write_text(
        "from importlib.util import find_spec\n"
        "class TpuSource:\n"
        "    accelerator = True\n"
        "    def sample(self):\n"
        '        yield "accelerator.utilization", "tpu0", 73\n'
        "    def facts(self):\n"
        '        return {"tpu0.name": "TPU v5e"}\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    node = Node(tmp_path)
    (source,) = plugged_in([point("tpu", "my_tpu:TpuSource")])
    node.observer = Telemetry([source], clock=node.clock, cpu_s=lambda: 0.0)
    run = node.begin()
    node.turn(12)
    assert [p.value for p in of(run, "accelerator.utilization")] == [73, 73, 73]
    assert attrs(run)["node/n1/tpu0.name"] == "TPU v5e"
    (usage,) = [json.loads(v) for path, v in attrs(run).items() if "usage" in path] or [None]
    assert usage is None or "tpu0" in usage


def test_a_plug_in_that_cannot_be_loaded_does_not_stop_the_agent() -> None:
    good = point("good", f"{TpuSource.__module__}:TpuSource")
    found = plugged_in([point("gone", "no_such_module:X"), good])
    assert [next(iter(source.sample())).device for source in found] == ["tpu0"]


def test_pages_of_metrics_are_read_with_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: dict[str, str] = {"http://h/m": "up 1\n"}
    monkeypatch.setattr("weir.agent._system.openmetrics.fetch_page", pages.__getitem__)
    node = Node(tmp_path, Steady(LOAD))
    run = node.begin(openmetrics=["a=http://h/m", "no target", 7])
    node.turn(15)
    assert [(p.metric, p.value) for p in of(run, "a.up")] == [("a.up", 1), ("a.up", 1)]
