import fcntl
import os
import sys
from collections import deque
from pathlib import Path

import psutil
import pytest

from weir._agent_start import AgentKeeper, agent_environment, is_held, may_start, package_folders
from weir._clock import ManualClock
from weir._process import new_producer, process_started_s
from weir._speak import Speaker
from weir._spool import agent_lock_path


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    started: list[Path] = []
    monkeypatch.setattr("weir._agent_start.start_agent", lambda root, node: started.append(root))
    return started


def test_an_agent_that_dies_at_once_is_started_at_most_three_times_in_ten_minutes(
    tmp_path: Path, starts: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    keeper = AgentKeeper(tmp_path, "n", clock, Speaker())
    for _ in range(10):
        keeper.ensure()
        clock.advance(3)
    assert len(starts) == 3
    assert f"weir sync {tmp_path}" in caplog.text
    clock.advance(600)
    keeper.ensure()
    assert len(starts) == 4


def test_an_agent_that_did_its_work_is_started_again_however_often_it_is_killed(
    tmp_path: Path, starts: list[Path]
) -> None:
    clock = ManualClock()
    keeper = AgentKeeper(tmp_path, "n", clock, Speaker())
    for kills in range(1, 10):
        keeper.ensure()
        assert len(starts) == kills
        with agent_lock_path(tmp_path, "n").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for _ in range(6):
                clock.advance(2)
                keeper.ensure()


def test_no_agent_is_started_while_one_holds_the_lock(tmp_path: Path, starts: list[Path]) -> None:
    keeper = AgentKeeper(tmp_path, "n", ManualClock(), Speaker())
    with agent_lock_path(tmp_path, "n").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert is_held(agent_lock_path(tmp_path, "n"))
        keeper.ensure()
        assert starts == []
    assert not is_held(agent_lock_path(tmp_path, "n"))
    keeper.ensure()
    assert starts == [tmp_path]


def test_other_ranks_of_a_node_leave_the_first_start_to_its_first(
    tmp_path: Path, starts: list[Path]
) -> None:
    clock = ManualClock()
    keeper = AgentKeeper(tmp_path, "n", clock, Speaker(), patience_s=3)
    keeper.ensure()
    assert starts == []
    clock.advance(3)
    keeper.ensure()
    assert starts == [tmp_path]


@pytest.mark.parametrize("executable", [None, "", "/no/such/python"])
def test_without_a_python_to_start_points_stay_in_the_spool(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    executable: str | None,
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    AgentKeeper(tmp_path, "n", ManualClock(), Speaker()).ensure()
    assert "cannot start the agent" in caplog.text
    assert f"weir sync {tmp_path}" in caplog.text


def test_an_interpreter_that_ends_starts_no_agent_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't fork at interpreter shutdown")

    monkeypatch.setattr("weir._agent_start.start_agent", refuse)
    AgentKeeper(tmp_path, "n", ManualClock(), Speaker()).ensure()
    assert "cannot start the agent: can't fork" in caplog.text


def test_three_starts_are_forgotten_after_ten_minutes() -> None:
    assert may_start(deque([0.0, 1.0], maxlen=3), 2.0)
    assert not may_start(deque([0.0, 1.0, 2.0], maxlen=3), 599.0)
    assert may_start(deque([0.0, 1.0, 2.0], maxlen=3), 601.0)


def test_the_agent_gets_no_rank_and_can_import_this_weir() -> None:
    environ = {
        "RANK": "1",
        "TORCHELASTIC_RUN_ID": "x",
        "LD_PRELOAD": "x.so",
        "OMPI_COMM_WORLD_RANK": "1",
        "PATH": "/bin",
        "WEIR_TOKEN": "t",
        "PYTHONPATH": "/mine",
    }
    kept = agent_environment(environ)
    assert {"PATH", "WEIR_TOKEN"} <= kept.keys() <= {"PATH", "WEIR_TOKEN", "PYTHONPATH"}
    folders = kept["PYTHONPATH"].split(os.pathsep)
    source = [folder for folder in package_folders() if not folder.endswith("-packages")]
    assert folders == [*source, "/mine"]


def test_the_birth_of_a_process_is_what_psutil_says() -> None:
    for pid in (os.getpid(), os.getppid()):
        assert abs(process_started_s(pid) - psutil.Process(pid).create_time()) < 1e-3


def test_a_producer_is_a_uuid_of_version_7_that_holds_its_birth() -> None:
    import uuid

    made = uuid.UUID(bytes=new_producer(1_700_000_000_123_456))
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == 1_700_000_000_123
    assert new_producer(0) != new_producer(0)
