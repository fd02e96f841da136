"""A clock that is set, by hand or by NTP: order, heartbeats, waits and endings do not depend on it."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import weir
from weir._clock import ManualClock
from weir._opening import Opening
from weir._process import process_birth
from weir._rank import Placement
from weir._run import Run
from weir._settings import Settings
from weir._spool import Meta, SpoolDir
from weir.agent._liveness import Life, same_birth, trainer_life
from weir.testing import capture, read_root
from weir_proto.v1 import ingest_pb2 as pb

DAY_US = 86_400_000_000
CLIENT = Path(weir.__file__).parent


def test_points_keep_their_order_and_the_times_they_were_logged_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jumps_us = [0, 1, 30 * DAY_US, 2, -365 * DAY_US, 3, 10 * DAY_US]
    noon_us = 1_700_000_000_000_000
    told = iter([noon_us + jump for jump in jumps_us for _ in range(2)])
    with capture() as captured:
        run = weir.init()
        run.flush()
        for turn in range(2 * len(jumps_us)):
            at_us = next(told)
            monkeypatch.setattr("weir._intake.time.time_ns", lambda at_us=at_us: at_us * 1000)
            run.log({"n": float(turn)})
            run.flush()
        monkeypatch.undo()
        run.finish()
        points = captured.points
    assert [p.value for p in points] == [float(n) for n in range(14)]
    assert [p.step for p in points] == list(range(14))
    assert [p.time_unix_us - noon_us for p in points] == [j for j in jumps_us for _ in range(2)]


def test_heartbeats_come_by_the_clock_that_cannot_be_set(
    tmp_path: Path, until: Callable[..., None]
) -> None:
    clock = ManualClock()
    settings = Settings(
        mode="offline", dir=str(tmp_path), flush_interval_s=0.01, record_seeds=False, agent=False
    )
    run = Run(Opening(settings, Placement(), "r", "node", clock))
    run.begin()
    run.flush()
    frames = lambda: [body for _, body in read_root(tmp_path)]  # noqa: E731
    for day in (1, 400, -700):
        clock.set_wall(clock.unix_us() + day * DAY_US)
        run.log({"a": 1.0})
        assert run.flush()
    assert [f.session.state for f in frames()] == [pb.SessionUpdate.RUNNING, 0, 0, 0]
    clock.advance(15)
    until(lambda: len(frames()) == 5)
    assert frames()[-1].session.state == pb.SessionUpdate.RUNNING
    run.finish()


@pytest.mark.parametrize("jump_s", [-1e9, 1e9])
def test_waits_are_as_long_as_they_were_asked_to_be(
    monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    real = time.time
    with capture():
        run = weir.init()
        monkeypatch.setattr(time, "time", lambda: real() + jump_s)
        monkeypatch.setattr(time, "time_ns", lambda: int((real() + jump_s) * 1e9))
        run.log({"a": 1.0})
        assert run.flush(timeout=10)
        run.finish(timeout=10)
        assert run.stats.spooled == 1


@pytest.mark.parametrize(
    "before",
    [
        "import time; t = time.time_ns; time.time_ns = lambda: t() - 10**15",
        "run.log({'a': 1.0}, timestamp=4_000_000_000)",
    ],
    ids=["the clock went back", "points of the future"],
)
def test_the_exit_code_is_known_whatever_the_clock_says(
    run_script: Any, tmp_path: Path, before: str
) -> None:
    done = run_script(
        f"import sys, weir\nrun = weir.init('p')\nrun.log({{'a': 1.0}})\n{before}\nsys.exit(3)"
    )
    assert done.returncode == 3
    last = [body.session for _, body in read_root(tmp_path / "spool")][-1]
    assert (last.state, last.exit_code) == (pb.SessionUpdate.FAILED, 3)


# ── who is dead ────────────────────────────────────────────────────────────


def spool_of(tmp_path: Path, **changes: Any) -> tuple[SpoolDir, Meta]:
    told: dict[str, Any] = {
        "mode": "online",
        "server": "h:1",
        "producer": os.urandom(16).hex(),
        "project": "p",
        "run_id": "r",
        "rank": 0,
        "node": "here",
        "pid": os.getpid(),
        "process_started_s": psutil.Process().create_time(),
        "process_birth": process_birth(os.getpid()),
    }
    meta = Meta(**(told | changes))
    spool = SpoolDir.create(tmp_path, meta)
    os.utime(spool.path / "meta.json", (0, 0))  # silent since 1970, as the clock now says
    return spool, meta


@pytest.mark.skipif(not process_birth(os.getpid()), reason="only Linux tells")
def test_a_trainer_is_not_buried_because_the_clock_was_set(tmp_path: Path) -> None:
    spool, meta = spool_of(tmp_path, process_started_s=psutil.Process().create_time() - 3_600)
    assert trainer_life(spool, meta, node="here") is Life.LIVE


@pytest.mark.skipif(not process_birth(os.getpid()), reason="only Linux tells")
def test_a_recycled_pid_is_dead_at_once_even_where_the_times_agree(tmp_path: Path) -> None:
    boot, _, ticks = process_birth(os.getpid()).rpartition("/")
    spool, meta = spool_of(tmp_path, process_birth=f"{boot}/{int(ticks) - 5}")
    assert trainer_life(spool, meta, node="here") is Life.DEAD


def test_births_of_different_boots_are_not_compared() -> None:
    assert same_birth("a/1", "a/1") is True
    assert same_birth("a/1", "a/2") is False
    assert same_birth("a/1", "b/1") is None
    assert same_birth("", "") is None
    assert same_birth("", "a/1") is None


def test_no_wait_is_measured_by_the_clock_that_can_be_set() -> None:
    """Who asks for the time of day: to stamp things, and to compare it with times of files."""
    asks = re.compile(r"\btime\.time(?:_ns)?\(\)")
    found = {
        path.relative_to(CLIENT).as_posix()
        for path in CLIENT.rglob("*.py")
        if asks.search(path.read_text())
    }
    stamps = {"_clock.py", "_intake.py", "_console/scribe.py", "_console/recorder.py"}
    of_files = {
        *("_status_command.py", "agent/_liveness.py", "_artifacts/cache.py", "_spool/outbox.py"),
        "_data_fingerprint.py",
    }
    # An end that another process is to read, also after this machine was started again; the end of
    # a server's addresses, which a clock that was set only makes the client ask for again.
    ends = {
        "_inputs/_start.py",
        "_inputs/_collect.py",
        "agent/_inputs.py",
        "_artifacts/addresses.py",
    }
    assert found == stamps | of_files | ends
