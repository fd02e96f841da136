"""What the ledger costs: the claim in every frame, its rows beside the points, and the proof itself.

Frames with and without claims take turns, so that a busy machine is busy for both. CPU seconds are
counted, of this process and of the engine: what the clock says depends on the neighbours.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from uuid import uuid4

import pyarrow as pa

from benchmarks.harness import Figure, Weir, running_weir
from weir._body import pack_body
from weir._columns import Layout, Row, StepMemory
from weir._ledger import Ledger
from weir._queue import Batch
from weir_proto.v1 import ingest_pb2
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.judge import Judge
from weir_server.gateway.limits import Limits
from weir_server.gateway.producer import Producer
from weir_server.gateway.unpack import repack
from weir_server.settings import GatewaySettings
from weir_server.stream.base import StreamEntry
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import Frame as Opened
from weir_server.writer.unpack import unpack
from weir_store import tables
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.ledger import verdict_of
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import RunRef, Verdict

METRICS = 20
TURNS = 7
DATABASE = "ledger_bench"
VERIFIED_POINTS = 10_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """Frames of one block: so many producers, so many frames of each, so many steps in a frame."""

    name: str
    producers: int
    frames: int
    steps: int

    @property
    def points(self) -> int:
        """Points of the block."""
        return self.producers * self.frames * self.steps * METRICS


FULL = Load("full frames", producers=20, frames=25, steps=100)
SMALL = Load("frames of one step", producers=100, frames=50, steps=1)


def measure() -> list[Figure]:
    """Measure the client's half alone, both halves of ingest, and the proof of ten million points."""
    with running_weir() as weir:
        clickhouse = connect(weir.clickhouse, user=weir.user, password=weir.password)
        migrate(clickhouse, DATABASE)
        try:
            return [
                *_client(FULL),
                *_client(SMALL),
                *_ingest(FULL, weir, clickhouse),
                *_ingest(SMALL, weir, clickhouse),
                *_proof(weir, clickhouse),
            ]
        finally:
            clickhouse.close()


# ── the claim ──────────────────────────────────────────────────────────────


def _client(load: Load) -> list[Figure]:
    batches = [_rows(frame * load.steps, load.steps) for frame in range(load.frames)]

    def pack(ledger: Ledger | None) -> None:
        memory = StepMemory()
        for rows in batches:
            pack_body(Batch(rows=rows), memory, ledger=ledger)

    turns = max(TURNS, 2_000 // load.frames)
    without_s, with_s = _in_turns(lambda: pack(None), lambda: pack(Ledger()), _own_cpu_s, turns)
    added_ns = 1e9 * (with_s - without_s) / (load.frames * load.steps * METRICS)
    return [
        Figure(f"claim, {load.name}: added to the spool thread", added_ns, "ns a point"),
        Figure(f"claim, {load.name}: of packing a frame", 100 * (with_s / without_s - 1), "%"),
    ]


# ── beside the points ──────────────────────────────────────────────────────


def _ingest(load: Load, weir: Weir, clickhouse: ClickHouse) -> list[Figure]:
    """Carry the same frames through gateway and writer with claims and without; then store them.

    What the engine does is told apart: it merges in the background, and a block of points takes it
    a hundred times as long as the rows of the ledger.
    """
    told, untold = _frames(load, told=True), _frames(load, told=False)
    blocks = {"told": _carried(told), "untold": _carried(untold)}
    without_s, with_s = _in_turns(
        lambda: _carried(untold), lambda: _carried(told), _own_cpu_s, TURNS
    )
    inserter, cpu_s = ClickHouseInserter(clickhouse, DATABASE), _cpu_clock(weir)
    rows = blocks["told"].pop(tables.LEDGER)
    stored_s = _each(lambda: inserter.insert(blocks["untold"], uuid4().hex), cpu_s, TURNS)
    ledger_s = _each(lambda: inserter.insert({tables.LEDGER: rows}, uuid4().hex), cpu_s, 10 * TURNS)
    all_s, added_s = without_s + stored_s, with_s - without_s + ledger_s
    must = "<= 2" if load is FULL else ""
    return [
        Figure(f"ingest, {load.name}: without a ledger", 1e9 * all_s / load.points, "ns a point"),
        Figure(f"ingest, {load.name}: added by it", 1e9 * added_s / load.points, "ns a point"),
        Figure(f"ingest, {load.name}: added share", 100 * added_s / all_s, "%", must),
    ]


def _carried(frames: Sequence[tuple[Producer, ingest_pb2.Frame]]) -> dict[str, pa.Table]:
    """Return the block that gateway and writer make of frames."""
    judge = Judge(Limits.of(GatewaySettings()), MetricCounter(1_000))
    now_unix_us = time.time_ns() // 1_000
    return dict(build_block([_opened(judge, *each, now_unix_us) for each in frames]))


def _opened(judge: Judge, producer: Producer, frame: ingest_pb2.Frame, now_unix_us: int) -> Opened:
    payload = judge.judge(producer, frame, now_unix_us).payload
    return unpack(StreamEntry("0-1", producer.id, frame.seq, payload))


# ── the proof ──────────────────────────────────────────────────────────────


def _proof(weir: Weir, clickhouse: ClickHouse) -> list[Figure]:
    """Verify a run as it lies after ingest, and once more with a replay in it."""
    inserter = ClickHouseInserter(clickhouse, DATABASE)
    reader = ClickHouseReader(clickhouse, DATABASE)
    ref, run = RunRef("bench", "proof"), _Run("proof", producers=2)
    block = None
    for _ in range(VERIFIED_POINTS // 1_000_000):
        block = build_block([run.next_entry(500) for _ in range(100)])
        inserter.insert(block, uuid4().hex)
    assert block is not None
    plain_s, plain_cpu_s = _verified(reader, ref, _cpu_clock(weir))
    inserter.insert(block, uuid4().hex)
    replay_s, replay_cpu_s = _verified(reader, ref, _cpu_clock(weir))
    return [
        Figure("proof: a million points", 1e3 * plain_s / VERIFIED_POINTS * 1e6, "ms"),
        Figure("proof: CPU of it", 1e9 * plain_cpu_s / VERIFIED_POINTS, "ns a point", "<= 50"),
        Figure("proof with replays: a million", 1e3 * replay_s / VERIFIED_POINTS * 1e6, "ms"),
        Figure("proof with replays: CPU", 1e9 * replay_cpu_s / VERIFIED_POINTS, "ns a point"),
    ]


def _verified(
    reader: ClickHouseReader, ref: RunRef, cpu_s: Callable[[], float]
) -> tuple[float, float]:
    """Return the seconds and the CPU seconds of the best of three proofs."""
    walls, cpus = [], []
    for _ in range(3):
        began_s, began_cpu_s = time.perf_counter(), cpu_s()
        ledger = reader.read_ledger(ref)
        walls.append(time.perf_counter() - began_s)
        cpus.append(cpu_s() - began_cpu_s)
        assert {verdict_of(line) for line in ledger.lines} == {Verdict.WHOLE}
        assert sum(line.stored.count for line in ledger.lines) == VERIFIED_POINTS
    return min(walls), min(cpus)


# ── parts ──────────────────────────────────────────────────────────────────


class _Run:
    """Producers of one run that take turns; every frame states what was sent so far."""

    def __init__(self, run_id: str, *, producers: int, told: bool = True) -> None:
        self._born_us = time.time_ns() // 1_000
        self._producers = [self._producer(run_id, number) for number in range(producers)]
        self._ledgers = [Ledger() if told else None for _ in self._producers]
        self._memories = [StepMemory() for _ in self._producers]
        self._judge = Judge(Limits.of(GatewaySettings()), MetricCounter(1_000))
        self._made = 0

    def _producer(self, run_id: str, number: int) -> Producer:
        who = (self._born_us // 1_000).to_bytes(6, "big") + b"\x70\x00\x80"
        origin = ingest_pb2.Origin(
            producer=who + number.to_bytes(7, "big"), project="bench", run_id=run_id, rank=number
        )
        return Producer(origin, 0, self._born_us, 0, 0)

    def next_frame(self, steps: int) -> tuple[Producer, ingest_pb2.Frame]:
        turn, place = divmod(self._made, len(self._producers))
        self._made += 1
        producer, ledger = self._producers[place], self._ledgers[place]
        body = pack_body(
            Batch(rows=_rows(turn * steps, steps)), self._memories[place], ledger=ledger
        )
        if ledger is not None:
            ledger.settle()
        return producer, repack(ingest_pb2.Frame(producer=producer.id, seq=turn + 1), body)

    def next_entry(self, steps: int) -> Opened:
        return _opened(self._judge, *self.next_frame(steps), time.time_ns() // 1_000)


def _frames(load: Load, *, told: bool) -> list[tuple[Producer, ingest_pb2.Frame]]:
    run = _Run(f"{load.steps}-{told}", producers=load.producers, told=told)
    return [run.next_frame(load.steps) for _ in range(load.producers * load.frames)]


_LAYOUT = Layout(tuple(f"train/metric_{index:02d}" for index in range(METRICS)))


def _rows(first_step: int, steps: int) -> list[Row]:
    now_unix_us = time.time_ns() // 1_000
    return [
        (
            _LAYOUT,
            step,
            now_unix_us + step,
            array("d", [1.0 / (step + 1 + c) for c in range(METRICS)]),
        )
        for step in range(first_step, first_step + steps)
    ]


def _in_turns(
    one: Callable[[], None], other: Callable[[], None], cpu_s: Callable[[], float], turns: int
) -> tuple[float, float]:
    """Return the middle CPU seconds of each, after a turn of both that does not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for turn in range(turns + 1):
        for work, times in ((one, taken[0]), (other, taken[1])):
            began_s = cpu_s()
            work()
            if turn:
                times.append(cpu_s() - began_s)
    return median(taken[0]), median(taken[1])


def _each(work: Callable[[], None], cpu_s: Callable[[], float], times: int) -> float:
    """Return the CPU seconds of one of many."""
    began_s = cpu_s()
    for _ in range(times):
        work()
    return (cpu_s() - began_s) / times


def _own_cpu_s() -> float:
    return time.process_time()


def _cpu_clock(weir: Weir) -> Callable[[], float]:
    engine = weir.parts()["engine"]

    def cpu_s() -> float:
        times = engine.cpu_times()
        return time.process_time() + float(times.user + times.system)

    return cpu_s
