"""Every process dies at every point of docs/faults.md while a job runs; then the points are counted."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_house import KILLED, House, Service, a_house, a_redis
from tests.fault.fixtures_job import Agent, Job, assert_stored_once, wait_forgotten
from tests.integration.fixtures_engine import EngineProcess, start_engine
from weir._spool import list_spools
from weir_store import tables

GATEWAY = (
    *("gateway.after_raise:1", "gateway.before_welcome:2", "gateway.after_welcome:2"),
    *("gateway.before_append:2", "gateway.after_append:2", "gateway.after_ack:3"),
    *("gateway.before_news:2", "gateway.after_reseed:1", "stream.before_repeat:1"),
)
WRITER = (
    *("stream.before_group:1", "stream.after_group:1"),  # first: the shard has no group yet
    *("writer.after_lease:1", "writer.after_read:1", "writer.before_inflight:2"),
    "writer.before_insert:2",
    # the tables that every block has; test_writer.py goes through the others
    *(f"writer.after_table.{table}:1" for table in ("points", "runs", "ingest_commits")),
    "writer.before_replay:1",  # right after one that died with a block under way
    *("writer.before_commit:1", "writer.before_commit:1"),  # the second dies while it repeats
    "writer.after_commit:2",
)
POISON = ("writer.after_half:1", "writer.after_half:2", "writer.before_dead_letter:1")
ENGINE = (
    *("engine.before_insert:2", "engine.mid_insert:3", "engine.after_insert:4"),
    "engine.mid_answer:9",
)
AGENT = (
    *("agent.after_lock:1", "agent.after_hello:1", "agent.after_frame:3"),
    *("agent.before_watermark:2", "spool.mid_replace:3", "agent.after_watermark:2"),
    *("spool.mid_unlink:1", "agent.after_unlink:2"),
)
TAKEOVER = ("agent.before_takeover:1", "agent.mid_takeover:1", "agent.after_takeover:1")
GOODBYE = ("spool.mid_remove:1",)
LOSS = ("gateway.before_loss:1", "gateway.after_loss:1")
LINES = ("agent.after_lines:2", "agent.after_position:2")  # in test_console_faults.py
RULES = (
    "rules.after_note:1",
    "rules.after_alert:1",
    "rules.after_delivery:1",
)  # in test_rules_killed.py
COLD = (
    *("cold.after_write:1", "cold.after_compare:1", "cold.before_note:1", "cold.after_note:1"),
    *("cold.mid_free:1", "cold.after_free:1", "cold.mid_fill:1", "cold.before_hot:1"),
    *("cold.after_hot:1", "cold.after_remove:1"),
)  # in test_cold_killed.py
TRIED = {
    *COLD,
    *GATEWAY,
    *WRITER,
    *POISON,
    *ENGINE,
    *AGENT,
    *TAKEOVER,
    *GOODBYE,
    *LOSS,
    *LINES,
    *RULES,
}

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def gateway(house: House) -> Service:
    return house.start_gateway()


@pytest.fixture(scope="module")
def writer(house: House) -> Iterator[Service]:
    started = house.start_writer()
    yield started
    started.kill()


@pytest.fixture
def trainer() -> Iterator[subprocess.Popen[bytes]]:
    """A process in whose name a job logs."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def nothing() -> None:
    pass


def log_until_dead(
    job: Job, process: subprocess.Popen, point: str, nudge: Callable[[], object] = nothing
) -> None:
    """Let the job go on until the process has died at its point, and not of anything else."""

    def dead() -> bool:
        if process.poll() is None:
            job.log()
            nudge()
        return process.poll() is not None

    wait_until(dead, f"{point} is reached")
    assert process.returncode == KILLED, point


def test_a_writer_killed_at_every_point_loses_and_doubles_nothing(
    house: House, gateway: Service, root: Path
) -> None:
    """F10, F11: before the insert, between its tables, after it, and while repeating it."""
    job = Job(root, house.address, "writers")
    with Agent(root):
        for point in WRITER:
            log_until_dead(job, house.start_writer(point).process, point)
        job.finish()
        last = house.start_writer()
        wait_forgotten(job)
    assert_stored_once(house, job)
    last.kill()


def test_a_writer_killed_while_it_looks_for_poison_sets_aside_only_the_poison(
    house: House, gateway: Service, root: Path
) -> None:
    """F24: a block that the store refuses is halved; dying between the halves loses neither."""
    house.command("ALTER TABLE raw.points ADD CONSTRAINT no_poison CHECK step != 17")
    job = Job(root, house.address, "poison")
    with Agent(root):
        for point in POISON:
            with house.redis.client() as redis:
                job.log(4)  # several frames are there when the writer begins
                wait_until(lambda: redis.xlen("weir:{0}:log") >= 4, "frames wait")
            assert house.start_writer(point).ended() == KILLED
        job.finish()
        last = house.start_writer()
        wait_forgotten(job)
    house.command("ALTER TABLE raw.points DROP CONSTRAINT no_poison")
    for rank in job.ranks:
        rank.forget_steps(range(15, 20))  # the frame with step 17
    assert_stored_once(house, job, dead=len(job.ranks))
    last.kill()


def test_a_gateway_killed_at_every_point_loses_and_doubles_nothing(
    house: House, writer: Service, root: Path
) -> None:
    """F5: before and after everything that it tells Redis or the client."""
    job = Job(root, house.address, "gateways")
    with house.redis.client() as redis:
        nudges = {
            "gateway.after_reseed:1": redis.flushall,
            "stream.before_repeat:1": redis.script_flush,
        }
        for point in GATEWAY:
            gateway = house.start_gateway(point)
            with Agent(root):  # a new one each time: an old one would rest longer and longer
                log_until_dead(job, gateway.process, point, nudges.get(point, nothing))
    job.finish()
    house.start_gateway()
    with Agent(root):
        wait_forgotten(job)
    assert_stored_once(house, job)


def test_a_gateway_killed_while_it_notes_a_loss_notes_it_once(
    house: House, writer: Service, root: Path
) -> None:
    """F17: the frames that are gone for ever are one event, also when the gateway dies over it."""
    job = Job(root, house.address, "losses", ranks=1, segment_bytes=1)
    job.log(6)
    for segment in job.ranks[0].spool.list_segments()[:3]:
        segment.unlink()
    for point in LOSS:
        gateway = house.start_gateway(point)
        with Agent(root):
            assert gateway.ended() == KILLED
    house.start_gateway()
    job.finish()
    with Agent(root):
        wait_forgotten(job)
    job.ranks[0].forget_steps(range(15))
    assert_stored_once(house, job, lost=1)


def test_an_agent_killed_at_every_point_loses_and_doubles_nothing(
    house: House, gateway: Service, writer: Service, root: Path
) -> None:
    """F2: between hearing, noting and forgetting."""
    house.gateway_door.lead_to(("127.0.0.1", gateway.port))
    job = Job(root, house.address, "agents", segment_bytes=500)
    for point in AGENT:
        log_until_dead(job, Agent(root, point).process, point)
    job.finish()
    with Agent(root):
        wait_forgotten(job)
    assert_stored_once(house, job)


def test_an_agent_killed_while_it_buries_a_trainer_leaves_one_last_word(
    house: House, gateway: Service, writer: Service, root: Path, trainer: subprocess.Popen[bytes]
) -> None:
    """F1, F2: the log of a dead trainer is closed once, and its half frame is told."""
    house.gateway_door.lead_to(("127.0.0.1", gateway.port))
    job = Job(root, house.address, "orphans", process=psutil.Process(trainer.pid))
    job.log(5)
    for rank in job.ranks:
        with rank.spool.list_segments()[-1].open("ab") as segment:
            segment.write(b"half a frame")
    trainer.kill()
    trainer.wait()
    for point in (*TAKEOVER, *GOODBYE):
        assert Agent(root, point).ended() == KILLED
    with Agent(root) as last:
        last.ended()
    for rank in job.ranks:
        rank.seq += 1  # the agent's last word
    assert not list(list_spools(root))
    assert_stored_once(house, job, lost=1)
    states = house.rows("SELECT rank, state FROM raw.sessions FINAL WHERE run_id = 'orphans'")
    assert sorted(states) == [(0, "crashed"), (1, "crashed")]


def test_an_engine_killed_at_every_point_loses_and_doubles_nothing(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F14, F16: before the insert, in the middle, committed but not answered, half answered."""

    def start(point: str) -> EngineProcess:
        monkeypatch.setenv("WEIR_FAULT", point)
        started = start_engine(tmp_path / "clickhouse")
        monkeypatch.delenv("WEIR_FAULT")
        return started

    engine = start("")
    with a_redis(tmp_path) as redis, a_house(redis, engine, tmp_path) as house:
        house.start_gateway()
        house.start_writer()
        job = Job(root, house.address, "engines")
        with Agent(root):
            engine.stop()
            for point in ENGINE:
                engine = start(point)
                house.move_store(engine)
                log_until_dead(job, engine.process, point)
                engine.stop()
            job.finish()
            engine = start("")
            house.move_store(engine)
            wait_forgotten(job)
        assert_stored_once(house, job)
    engine.stop()


# ── the list ───────────────────────────────────────────────────────────────


def points_in_code() -> set[str]:
    """Return every point that some process can be told to die at."""
    found = set()
    for folder in ("client/weir", "services"):
        for file in (ROOT / folder).rglob("*.py"):
            found |= set(re.findall(r'(?:faults?\.|self\._)hit\(f?"([^"]+)"\)', file.read_text()))
    found.discard("writer.after_table.{table}")
    return found | {f"writer.after_table.{table}" for table in tables.OF_FRAMES}


def points_on_page() -> set[str]:
    page = (ROOT / "docs/faults.md").read_text()
    named = set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.M))
    template = re.search(r"^\| `writer\.after_table\.<table>` \|", page, re.M)
    return named | ({f"writer.after_table.{t}" for t in tables.OF_FRAMES} if template else set())


def test_every_fault_point_is_on_its_page_and_the_page_names_no_other() -> None:
    assert points_on_page() == points_in_code()


def test_some_process_dies_at_every_fault_point() -> None:
    tried = {point.partition(":")[0] for point in TRIED}
    # All tables: tests/integration/test_writer.py; here the first, a middle one and the last.
    elsewhere = {point for point in points_in_code() if point.startswith("writer.after_table.")}
    assert tried | elsewhere == points_in_code()
