"""What version 1 wrote, today's Weir reads: on disk, on the wire, in the stream, in the tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.compat.asking import answers, is_within, restore_tables
from tests.data.v1.make import read_messages
from tests.integration.fixtures_engine import EngineProcess
from weir._ledger import Claim
from weir._reading import read_points
from weir._spool import Frame, SpoolReader, list_spools
from weir_proto.v1 import ingest_pb2 as pb
from weir_proto.v1 import stream_pb2
from weir_server.gateway.cardinality import MetricCounter
from weir_server.gateway.judge import Judge
from weir_server.gateway.limits import Limits
from weir_server.gateway.producer import Producer
from weir_server.settings import GatewaySettings
from weir_server.stream.base import StreamEntry
from weir_server.writer.rows import build_block
from weir_server.writer.unpack import unpack
from weir_store import tables
from weir_store.memory import MemoryStore

V1 = Path(__file__).parents[1] / "data" / "v1"
T = 1_700_000_000_000_000
FIVE_YEARS_US = 5 * 366 * 86_400 * 1_000_000


@pytest.fixture(scope="module")
def bodies() -> list[pb.Body]:
    (spool,) = list_spools(V1 / "spool-with-claims")
    found = list(SpoolReader(spool).read(writer_alive=False))
    frames = [frame for frame in found if isinstance(frame, Frame)]
    assert frames == found, "a gap"
    assert [frame.final for frame in frames] == [False] * 5 + [True]
    return [pb.Body.FromString(frame.body) for frame in frames]


def test_a_spool_of_version_1_is_read_with_its_points_and_where_it_branched(
    bodies: list[pb.Body],
) -> None:
    points = [point for body in bodies for point in read_points(body, run_id="r", rank=1)]
    losses = [(point.step, point.value) for point in points if point.metric == "loss"]
    assert losses[:4] == [(step, 1 / step) for step in (101, 102, 103, 104)]
    assert [value for _, value in losses[4:]] == [0.5, float("inf"), float("-inf")]
    assert [point.value for point in points if point.metric == "sample"] == ["ein Satz – ü"]
    assert [line for body in bodies for block in body.lines for line in block.line] == [
        "\x1b[32mepoch 1\x1b[0m – gut",
        "loss rises",
    ]
    assert (bodies[0].branch.parent_run_id, bodies[0].branch.step) == ("k3j9x0p2aa", 100)


def test_what_version_1_claimed_adds_up_as_today_s_client_adds(bodies: list[pb.Body]) -> None:
    total = Claim()
    for body in bodies:
        total += Claim.of(body)
        assert Claim.stated_in(body) == total


def test_frames_of_version_1_are_taken_whole_by_today_s_gateway_and_stored_by_its_writer() -> None:
    greeting, *frames = map(pb.ClientMessage.FromString, read_messages(V1 / "frames.bin"))
    judge = Judge(Limits.of(GatewaySettings()), MetricCounter(1_000))
    producer = Producer(greeting.hello.origin, shard=0, birth_unix_us=T, accepted=0, committed=0)
    judged = [judge.judge(producer, each.frame, T + FIVE_YEARS_US) for each in frames]
    assert [one.points_rejected for one in judged] == [0] * len(frames)
    assert not any(one.rejects for one in judged)
    assert stored([one.payload for one in judged]) == stored(read_messages(V1 / "entries.bin"))


def test_entries_of_version_1_are_stored_by_today_s_writer() -> None:
    counts = stored(read_messages(V1 / "entries.bin"))
    expected = {
        tables.POINTS: 11,
        tables.TEXT_POINTS: 2,
        tables.SYSTEM_POINTS: 2,
        tables.CONSOLE: 2,
        tables.INGEST_COMMITS: 1,
    }
    for table, rows in expected.items():
        assert counts[table] == rows
    assert {tables.EVENTS, tables.SESSIONS, tables.BRANCHES, tables.LEDGER} <= counts.keys()
    assert tables.DEAD_LETTERS not in counts


def stored(payloads: list[bytes]) -> dict[str, int]:
    """Store entries as the writer does, and count the rows by table."""
    entries = [stream_pb2.Entry.FromString(payload) for payload in payloads]
    sources = [
        StreamEntry(f"{number}-0", entry.frame.producer, entry.frame.seq, payload)
        for number, (entry, payload) in enumerate(zip(entries, payloads, strict=True), 1)
    ]
    store = MemoryStore()
    store.insert(build_block([unpack(source) for source in sources]), "token")
    counts = {table: len(store.list_rows(table)) for table in tables.INSERT_ORDER}
    return {table: count for table, count in counts.items() if count}


def test_tables_of_version_1_are_brought_to_this_release_and_answer_as_they_did(
    engine: EngineProcess,
) -> None:
    database = restore_tables(engine, V1 / "tables")
    kept = json.loads((V1 / "tables" / "answers.json").read_text())
    now = json.loads(json.dumps(answers(engine, database)))
    for question, answer in kept.items():
        assert is_within(answer, now[question]), question
    engine.client().command(f"DROP DATABASE {database}_raw")
