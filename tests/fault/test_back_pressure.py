"""More than can be stored, or nothing that stores it: memory stays bounded, everybody has their share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_days import Backlog, assert_stored_once, rss_bytes
from tests.fault.fixtures_house import House, Service, a_house, a_redis
from tests.fault.fixtures_job import Agent
from tests.integration.fixtures_engine import EngineProcess
from weir_proto.v1 import query_pb2, query_pb2_grpc, runs_pb2
from weir_server.stream import keys

BUDGET_BYTES = 2 << 20
SETTINGS = {"WEIR_STREAM__MAX_BYTES": str(BUDGET_BYTES)}
WITHIN_S = 120.0
MOST_GROWTH_BYTES = 100 << 20
LOOKS = 60  # at memory, one every 50 ms
STALLED_POINTS = 4_000_000  # 110 MB as they travel


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory, engine: EngineProcess) -> Iterator[House]:
    """A house whose stream holds two MiB."""
    folder = tmp_path_factory.mktemp("narrow")
    with a_redis(folder) as redis, a_house(redis, engine, folder) as house:
        yield house


@pytest.fixture(scope="module")
def gateway(narrow: House) -> Service:
    return narrow.start_gateway(**SETTINGS)


def held_bytes(house: House) -> int:
    with house.redis.client() as client:
        return int(client.get(keys.payload_bytes(0)) or 0)


def watched(processes: list[Service | Agent]) -> Callable[[], bool]:
    """Return a condition that looks at memory again and again, and is true after enough looks."""
    before = {one.process.pid: rss_bytes(one.process.pid) for one in processes}
    looks = 0

    def look() -> bool:
        nonlocal looks
        looks += 1
        grown = {pid: rss_bytes(pid) - was for pid, was in before.items()}
        assert max(grown.values()) < MOST_GROWTH_BYTES, grown
        return looks >= LOOKS

    return look


def test_a_flooding_project_neither_stops_others_nor_loses_anything(
    narrow: House, gateway: Service, tmp_path: Path
) -> None:
    floods = [
        Backlog(tmp_path / f"flood{n}", narrow.address, "flood", rank=n, project="flood")
        for n in range(2)
    ]
    quiet = Backlog(tmp_path / "quiet", narrow.address, "quiet", project="quiet")
    for flood in floods:
        flood.log(150, points=2_000)  # 5 MB
        flood.finish()
    with Agent(tmp_path / "flood0"), Agent(tmp_path / "flood1"):
        wait_until(lambda: held_bytes(narrow) > 0.8 * BUDGET_BYTES, "the stream is full")
        quiet.log(20, points=500)
        quiet.finish()
        with Agent(tmp_path / "quiet"):  # there is no writer: nothing makes room
            wait_until(lambda: quiet.accepted == quiet.seq, "the quiet project is accepted")
            assert all(flood.accepted < flood.seq for flood in floods)
            writer = narrow.start_writer(**SETTINGS)
            everybody = (*floods, quiet)
            wait_until(lambda: all(one.forgotten for one in everybody), "all", within_s=WITHIN_S)
    writer.kill()
    for one in everybody:
        assert_stored_once(narrow, one)


def test_a_store_that_is_long_away_fills_the_stream_to_its_budget_and_nobodys_memory(
    narrow: House, engine: EngineProcess, gateway: Service, root: Path
) -> None:
    writer = narrow.start_writer(**SETTINGS)
    job = Backlog(root, narrow.address, "patient")
    job.log(200, points=2_000)  # so that everybody has what it takes at full load
    with Agent(root) as agent:
        wait_until(lambda: job.committed == job.seq, "all is well", within_s=WITHIN_S)
        narrow.store_door.lead_to("")  # refuses everybody
        look = watched([gateway, writer, agent])
        job.log(300, points=2_000)  # 5 MB
        job.finish()
        wait_until(lambda: held_bytes(narrow) > 0.8 * BUDGET_BYTES, "the stream is full")
        wait_until(look, "memory stays bounded")
        assert held_bytes(narrow) <= BUDGET_BYTES
        assert job.accepted < job.seq
        narrow.store_door.lead_to((engine.host, engine.port))
        wait_until(lambda: job.forgotten, "it recovers without help", within_s=WITHIN_S)
    assert_stored_once(narrow, job)
    writer.kill()


def test_a_reader_that_stalls_in_a_long_answer_costs_no_memory_and_stops_nobody(
    narrow: House, gateway: Service, root: Path
) -> None:
    birth = "toDateTime64('2026-01-01 00:00:00', 6, 'UTC')"
    narrow.command(
        "INSERT INTO raw.points (project, run_id, metric, step, rank, value, ts, ver, run_date)"
        f" SELECT 'p', 'long', 'loss', number, 0, rand() / 1e9, {birth}, 1, '2026-01-01'"
        f" FROM numbers({STALLED_POINTS})"
    )
    narrow.command(
        "INSERT INTO raw.runs (project, run_id, created_at, ver, is_deleted)"
        f" VALUES ('p', 'long', {birth}, 1, 0)"
    )
    request = query_pb2.ReadSeriesRequest(
        runs=[runs_pb2.RunRef(project="p", run_id="long")], metrics=["loss"]
    )
    look = watched([gateway])
    with grpc.insecure_channel(narrow.address) as channel:
        answer = query_pb2_grpc.QueryStub(channel).ReadSeries(request, timeout=600)
        next(answer)  # and then reads no more
        wait_until(look, "memory stays bounded")
        other = query_pb2_grpc.QueryStub(channel)
        metrics = other.ListMetrics(query_pb2.ListMetricsRequest(runs=request.runs), timeout=60)
        assert [metric.name for metric in metrics.metrics] == ["loss"]
        received = sum(len(chunk.data) for chunk in answer)
        assert received > MOST_GROWTH_BYTES
