"""Agents killed all the time, and nodes that never come back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_house import House
from tests.fault.fixtures_job import (
    PROJECT,
    Agent,
    Job,
    assert_stored_once,
    committed_in_store,
    stored_points,
    wait_forgotten,
)
from weir_store.reader import ClickHouseReader
from weir_store.records import RunRef, RunState

KILLS = 20
TRAINER = textwrap.dedent(
    """
    import pathlib, sys, time, weir
    end, logged = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    run = weir.init("p", id="unlucky", rank=0)
    step = 0
    while not end.exists():
        run.log({"loss": float(step)}, step=step)
        step += 1
        time.sleep(0.005)  # a step of training
    run.finish(timeout=1)
    logged.write_text(str(step))
    """
)


@pytest.fixture(scope="module", autouse=True)
def started(house: House) -> None:
    house.start_gateway()
    house.start_writer()


@pytest.fixture
def trainer() -> Iterator[psutil.Process]:
    """A process in whose name a job logs, and which dies with its node."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


def test_an_agent_killed_in_a_loop_during_one_job_loses_and_doubles_nothing(
    house: House, root: Path
) -> None:
    """F2: twenty times, each time as soon as it has brought something."""
    job = Job(root, house.address, "loop", segment_bytes=500)
    for _ in range(KILLS):
        seen = job.ranks[0].committed
        job.log(3)
        with Agent(root):  # leaving kills it
            wait_until(lambda seen=seen: job.ranks[0].committed > seen, "it brought something")
            job.log(2)
    job.finish()
    with Agent(root):
        wait_forgotten(job)
    assert_stored_once(house, job)


def test_what_is_left_when_the_sdk_starts_no_more_agents_is_brought_by_sync(
    house: House, root: Path, tmp_path: Path
) -> None:
    """F2: after three starts in ten minutes it gives up; training ends well, nothing is lost."""
    end, logged = tmp_path / "end", tmp_path / "logged"
    environment = {**os.environ, "WEIR_SERVER": house.address, "WEIR_DIR": str(root)}
    trainer = subprocess.Popen(
        [sys.executable, "-c", TRAINER, str(end), str(logged)],
        env={**environment, "WEIR_AGENT_IDLE_S": "2"},
        stdout=subprocess.DEVNULL,
        stderr=(tmp_path / "trainer.err").open("wb"),
        cwd=tmp_path,
    )
    killed: set[int] = set()
    try:
        while len(killed) < 3:
            pid = wait_until(lambda: _agent_pid(root, but=killed), "an agent runs")
            os.kill(pid, signal.SIGKILL)
            killed.add(pid)
        said = tmp_path / "trainer.err"
        wait_until(lambda: "weir sync" in said.read_text(), "the SDK says what to do")
    finally:
        end.touch()
    assert trainer.wait(60) == 0, "training ends well"
    synced = subprocess.run(
        [sys.executable, "-c", "from weir.cli import main; main()", "sync", str(root)],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert synced.returncode == 0, synced.stdout + synced.stderr
    steps = int(logged.read_text())
    assert stored_points(house, "unlucky") == [("loss", 0, s, float(s)) for s in range(steps)]


def test_of_a_node_that_never_comes_back_everything_accepted_is_stored_and_its_run_has_crashed(
    house: House, root: Path, trainer: psutil.Process
) -> None:
    """F4: its disk is gone; what it had not sent was never acknowledged."""
    job = Job(root, house.address, "gone", process=trainer)
    with Agent(root):
        job.log(10)
        wait_until(lambda: all(r.committed == r.seq for r in job.ranks), "that much is stored")
    acknowledged = {rank.meta.rank: rank.committed for rank in job.ranks}
    job.log(10)  # nobody sends these
    trainer.kill()
    shutil.rmtree(root)
    wait_until(house.stream_is_empty, "nothing is on its way")
    assert committed_in_store(house, job) == acknowledged == {0: 10, 1: 10}
    for rank in job.ranks:
        rank.forget_steps(range(50, 100))
    assert stored_points(house, "gone") == [(m, r, s, round(v, 6)) for m, r, s, v in job.points()]
    in_two_minutes = time.time_ns() // 1_000 + 120_000_000
    reader = ClickHouseReader(house.clickhouse, house.database, now_unix_us=lambda: in_two_minutes)
    ref = RunRef(PROJECT, "gone")
    assert reader.get_run(ref).state is RunState.CRASHED
    assert {session.state for session in reader.list_sessions(ref)} == {RunState.CRASHED}


def _agent_pid(root: Path, *, but: set[int]) -> int | None:
    """Return who holds the lock of the spool root, unless it is one of those."""
    try:
        pid = int(json.loads(next(root.glob("agent-*.lock")).read_text())["pid"])
        return pid if pid not in but and psutil.pid_exists(pid) else None
    except (StopIteration, OSError, ValueError, KeyError):
        return None
