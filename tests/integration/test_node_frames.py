"""What an agent finds on its node, from its spool through gateway and writer into the real engine."""

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from tests.integration.fixtures_engine import EngineProcess
from tests.integration.fixtures_gateway import RunningGateway, StreamClient, eventually
from tests.unit.server.test_writer_loop import drained, serving
from weir._clock import SystemClock
from weir._spool import Frame, Meta, SpoolReader
from weir.agent._conversation import Greeting
from weir.agent._messages import FramePacker, hello
from weir.agent._node_log import Findings, NodeLog
from weir_proto.v1 import ingest_pb2 as pb
from weir_server.stream.memory import MemoryAppender, MemoryStream
from weir_store.clickhouse import ClickHouse, connect
from weir_store.inserter import ClickHouseInserter
from weir_store.ledger import verdict_of
from weir_store.migrate import migrate
from weir_store.reader import ClickHouseReader
from weir_store.records import Kind, RunRef, Verdict

TRAINER = UUID(int=time.time_ns() // 1_000_000 << 80 | 0x7 << 76 | 1).hex
RUN = RunRef("vision", "r1")


@pytest.fixture
def clickhouse(engine: EngineProcess) -> Iterator[ClickHouse]:
    connection = connect(engine.url)
    yield connection
    connection.close()


@pytest.fixture
def database(clickhouse: ClickHouse) -> Iterator[str]:
    name = f"n{uuid4().hex[:8]}"
    migrate(clickhouse, name)
    yield name
    clickhouse.command(f"DROP DATABASE {name}_raw")


@pytest.fixture
def log(tmp_path: Path) -> NodeLog:
    meta = Meta(
        mode="online",
        server="localhost",
        producer=TRAINER,
        project=RUN.project,
        run_id=RUN.run_id,
        rank=4,
        node="node-7",
    )
    return NodeLog(tmp_path, meta, SystemClock())


def findings(at_us: int) -> Findings:
    times = np.full(3, at_us, "<i8").tobytes()
    return Findings(
        names=["cpu.percent", "gpu.power", "", "gpu0", "gpu1"],
        system=[
            pb.SystemBlock(
                metric=np.array([0, 1, 1], "<u4").tobytes(),
                device=np.array([2, 3, 4], "<u4").tobytes(),
                time_unix_us=times,
                value=np.array([12.5, -0.0, math.nan], "<f8").tobytes(),
            )
        ],
        lines=[
            pb.LineBlock(
                process=bytes.fromhex(TRAINER),
                rank=5,
                number=np.array([1, 2, 3], "<u8").tobytes(),
                time_unix_us=times,
                stream=bytes([1, 2, 3]),
                level=bytes([0, 0, 30]),
                line=["größer", "\x1b[31mred\x1b[0m", ""],
            )
        ],
        attrs=[
            pb.Attr(namespace=pb.Attr.FILE, path="code/diff.patch", json='{"size":3}'),
            pb.Attr(namespace=pb.Attr.META, path="git.commit", str="abc"),
        ],
    )


def deliver(log: NodeLog, store: ClickHouseInserter, *, times: int = 1) -> None:
    """Send the spool's frames to a gateway, as an agent does, and let a writer store them."""
    log.close()
    assert log.spool is not None
    meta = log.spool.read_meta()
    frames = [f for f in SpoolReader(log.spool).read(writer_alive=False) if isinstance(f, Frame)]
    producer, packer = bytes.fromhex(meta.producer), FramePacker()
    for _ in range(times):  # each with a stream of its own: the second knows of nothing
        stream = MemoryStream(shards=1, max_bytes=1 << 20)
        gateway = RunningGateway(lambda stream=stream: MemoryAppender(stream))
        client = StreamClient(gateway.address)
        try:
            client.greet(hello(meta, Greeting(1, len(frames))))
            ack = client.send(*(packer.pack(producer, frame) for frame in frames))
            assert not ack.rejects
            with serving(stream, store):
                eventually(lambda stream=stream: drained(stream))
        finally:
            client.close()
            gateway.stop()


def test_what_an_agent_finds_is_stored_and_adds_up(
    log: NodeLog, clickhouse: ClickHouse, database: str
) -> None:
    at_us = time.time_ns() // 1_000
    log.write(findings(at_us))

    deliver(log, ClickHouseInserter(clickhouse, database), times=2)

    system = clickhouse.query_rows(
        "SELECT metric, node, device, toUnixTimestamp64Micro(ts), toString(value), rank"
        f" FROM {database}_raw.system_points FINAL ORDER BY metric, device"
    )
    assert system == [
        ("cpu.percent", "node-7", "", at_us, "12.5", 4),
        ("gpu.power", "node-7", "gpu0", at_us, "-0", 4),
        ("gpu.power", "node-7", "gpu1", at_us, "nan", 4),
    ]
    lines = clickhouse.query_rows(
        "SELECT rank, toUnixTimestamp64Micro(ts), process, number, toString(stream), level, node,"
        f" line, agent_rank FROM {database}_raw.console FINAL ORDER BY number"
    )
    who = UUID(hex=TRAINER)
    assert lines == [
        (5, at_us, who, 1, "stdout", 0, "node-7", "größer", 4),
        (5, at_us, who, 2, "stderr", 0, "node-7", "\x1b[31mred\x1b[0m", 4),
        (5, at_us, who, 3, "logging", 30, "node-7", "", 4),
    ]
    reader = ClickHouseReader(clickhouse, database)
    run = reader.get_run(RUN)
    assert json.loads(run.files["code/diff.patch"]) == {"size": 3}
    assert run.meta["git.commit"] == "abc"
    ledger = reader.read_ledger(RUN)
    assert {verdict_of(line) for line in ledger.lines} == {Verdict.WHOLE}
    counts = {line.kind: line.stored.count for line in ledger.lines}
    assert counts == {Kind.POINTS: 0, Kind.ATTRS: 2, Kind.SYSTEM: 3, Kind.LINES: 3}
