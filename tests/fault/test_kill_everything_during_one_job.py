"""kill -9 the agent, the gateway, the writer, the engine, Redis and a trainer in one sitting, then count the points."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import EmbeddedWeir, running_weir, wait_until
from tests.e2e.recorded import read_recorded, read_stored
from tests.fault.test_kill_each_part_during_a_job import (
    kill_and_await_successor,
    points_stored,
    start_job,
)
from weir_store.base import Reader
from weir_store.errors import UnknownRun
from weir_store.records import RunRef, RunState, SeriesQuery

RANKS = 2
LONELY = textwrap.dedent(
    """
    import pathlib, sys, weir
    safe = pathlib.Path(sys.argv[1])
    run = weir.init("digits", id="lonely", rank=0)
    step = 0
    while True:
        run.log({"loss": 1.0 / (step + 1), "step_again": step}, step=step)
        step += 1
        if step % 50 == 0 and run.flush(level="spooled"):
            safe.write_text(str(step))
    """
)


@pytest.fixture(scope="module")
def weir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWeir]:
    with running_weir(tmp_path_factory.mktemp("weir") / "data", "--no-dashboard") as running:
        yield running


def agent_pid(root: Path) -> int | None:
    """Return who holds the lock of a spool root."""
    try:
        return int(json.loads(next(root.glob("agent-*.lock")).read_text())["pid"])
    except (StopIteration, OSError, ValueError, KeyError):
        return None


def metric(weir: EmbeddedWeir, part: str, name: str) -> float:
    """Return the sum of one of Weir's own metrics over its labels."""
    with urllib.request.urlopen(weir.state["metrics"][part], timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def state_of(reader: Reader, ref: RunRef) -> RunState | None:
    """Return where a run stands; None while the store does not know it yet."""
    try:
        return reader.get_run(ref).state
    except UnknownRun:
        return None


def test_after_all_parts_were_killed_once_every_point_is_stored_once_and_nothing_is_left_over(
    weir: EmbeddedWeir, tmp_path: Path
) -> None:
    job = start_job(weir, "all", tmp_path)
    wait_until(lambda: points_stored(weir, "all") > 0, "points arrive")
    killed = wait_until(lambda: agent_pid(tmp_path / "spool"), "an agent runs")
    os.kill(killed, signal.SIGKILL)
    for part in ("gateway", "writer", "engine", "redis"):
        kill_and_await_successor(weir, part)
    assert job.wait(150) == 0, (tmp_path / "job.log").read_text()
    assert agent_pid(tmp_path / "spool") != killed
    recorded = read_recorded(tmp_path, RANKS)
    with weir.reader() as reader:
        assert read_stored(reader, RunRef("digits", "all")) == recorded
        assert reader.get_run(RunRef("digits", "all")).state is RunState.FINISHED
    # acked = stored + dead-lettered + pending, with nothing dead and nothing pending
    store = weir.store()
    assert store.query_rows("SELECT count() FROM weir_raw.dead_letters")[0][0] == 0
    store.close()
    wait_until(lambda: metric(weir, "writer", "weir_stream_entries{") == 0, "the stream is empty")


def test_a_killed_trainer_loses_nothing_that_reached_its_spool_and_shows_as_crashed(
    weir: EmbeddedWeir, tmp_path: Path
) -> None:
    safe = tmp_path / "safe"
    trainer = subprocess.Popen(
        [sys.executable, "-c", LONELY, str(safe)],
        env=weir.environment(tmp_path / "spool"),
        cwd=tmp_path,
    )
    try:
        wait_until(lambda: safe.exists() and int(safe.read_text() or 0) >= 500, "it logs")
    finally:
        trainer.kill()
        trainer.wait()
    spooled = int(safe.read_text())
    ref = RunRef("digits", "lonely")
    with weir.reader() as reader:
        wait_until(lambda: state_of(reader, ref) is RunState.CRASHED, "the run shows as crashed")
        table = reader.read_series(SeriesQuery((ref,), ("step_again",)))
    steps = table["step"].to_pylist()
    assert steps == list(range(len(steps)))
    assert table["value"].to_pylist() == [float(step) for step in steps]
    assert len(steps) >= spooled
