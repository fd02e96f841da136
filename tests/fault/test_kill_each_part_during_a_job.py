"""kill -9 each part of `weir up` while a job logs: training ends well, every point is there once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.fixtures_up import EXAMPLES, EmbeddedWeir, running_weir, wait_until
from tests.e2e.recorded import read_recorded, read_stored
from weir_server.up.probes import http_answers
from weir_store.records import RunRef, RunState

RANKS = 2
PARTS = ("redis", "engine", "writer", "gateway")


@pytest.fixture(scope="module")
def weir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedWeir]:
    with running_weir(tmp_path_factory.mktemp("weir") / "data", "--no-dashboard") as running:
        yield running


def start_job(weir: EmbeddedWeir, run_id: str, folder: Path) -> subprocess.Popen[bytes]:
    arguments = f"--run-id {run_id} --ranks {RANKS} --seconds 6 --hidden 64 --record {folder}"
    with (folder / "job.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, str(EXAMPLES / "02_digits_ddp.py"), *arguments.split()],
            env={**weir.environment(folder / "spool"), "WEIR_FINISH_TIMEOUT_S": "90"},
            stdout=log,
            stderr=log,
            cwd=folder,
        )


def points_stored(weir: EmbeddedWeir, run_id: str) -> int:
    store = weir.store()
    try:
        sql = "SELECT count() FROM weir_raw.points WHERE run_id = {run:String}"
        return int(store.query_rows(sql, {"run": run_id})[0][0])
    finally:
        store.close()


def kill_and_await_successor(weir: EmbeddedWeir, part: str) -> None:
    victim = weir.parts()[part]
    os.kill(victim.pid, signal.SIGKILL)
    wait_until(
        lambda: weir.parts()[part].restarts > victim.restarts,
        f"{part} is started again",
    )
    wait_until(
        lambda: f"{part} was ended by SIGKILL" in weir.said and f"{part} is back" in weir.said,
        f"weir up says so of {part}",
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_and_every_point_is_read_once(
    weir: EmbeddedWeir, part: str, tmp_path: Path
) -> None:
    run_id = f"kill-{part}"
    job = start_job(weir, run_id, tmp_path)
    wait_until(lambda: points_stored(weir, run_id) > 0, "points arrive")
    kill_and_await_successor(weir, part)
    assert job.wait(150) == 0, (tmp_path / "job.log").read_text()
    recorded = read_recorded(tmp_path, RANKS)
    with weir.reader() as reader:
        ref = RunRef("digits", run_id)
        assert read_stored(reader, ref) == recorded
        run = reader.get_run(ref)
    assert run.state is RunState.FINISHED
    assert run.summary["steps"] == len(recorded["train/loss", 0])


def test_a_killed_dashboard_comes_back_on_its_port(tmp_path: Path) -> None:
    with running_weir(tmp_path / "data") as weir:
        kill_and_await_successor(weir, "dashboard")
        assert http_answers(weir.dashboard)
