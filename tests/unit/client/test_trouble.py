"""Disks that fill, fail and come back; queues that overflow; folders that vanish."""

import contextlib
import errno
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import weir
from weir._clock import ManualClock
from weir._opening import Opening
from weir._rank import Placement
from weir._reading import read_points
from weir._run import Run
from weir._settings import Settings
from weir._spool import (
    FLAG_FINAL,
    Frame,
    Gap,
    SegmentWriter,
    SpoolDir,
    SpoolReader,
    list_spools,
)
from weir.testing import read_root
from weir_proto.v1 import ingest_pb2 as pb


def bodies(root: Path) -> list[pb.Body]:
    return [body for _, body in read_root(root)]


def spooled(root: Path) -> int:
    return sum(1 for meta, body in read_root(root) for _ in read_points(body, run_id="", rank=0))


def losses(root: Path) -> dict[str, int]:
    lost: dict[str, int] = {}
    for body in bodies(root):
        for loss in body.losses:
            lost[loss.reason] = lost.get(loss.reason, 0) + loss.points
    return lost


LIMITED = """
import resource, weir
run = weir.init('p', id='r', settings={'queue_max_bytes': 40_000, 'flush_interval_s': 0.01})
run.log({'a': 0.0})
assert run.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, resource.RLIM_INFINITY))
for i in range(5_000): run.log({'a': float(i)})
assert not run.flush(timeout=0.3)
for i in range(5_000): run.log({'a': float(i)})
assert run.stats.dropped > 0
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert run.flush(timeout=20)
run.log({'late': 1.0})
run.finish()
s = run.stats
assert s.logged == s.spooled + s.dropped == 10_002, s
print(s.dropped)
"""


def test_a_full_disk_loses_only_what_is_counted_and_warns_once(
    run_script: Any, tmp_path: Path
) -> None:
    done = run_script(LIMITED)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cannot write") == 1
    lost = losses(tmp_path / "spool")
    assert lost["disk_full"] >= 5_000
    assert sum(lost.values()) == int(done.stdout)
    assert spooled(tmp_path / "spool") == 10_002 - int(done.stdout)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a tmpfs")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_disk_that_is_freed_takes_points_again(tiny_disk: Path) -> None:
    filler = tiny_disk / "filler"
    run = weir.init(
        mode="offline",
        dir=tiny_disk,
        settings={"queue_max_bytes": 40_000, "flush_interval_s": 0.01, "spool_free_share": 1.0},
    )
    run.flush()
    fill(filler)
    for i in range(20_000):
        run.log({"a": float(i), "b": 1})
    while not run._queue.obstacle:  # on a busy machine the queue is full before the disk is asked
        time.sleep(0.01)
    filler.unlink()
    assert run.flush(timeout=20)
    run.finish()
    assert run.stats.dropped > 0
    assert run.stats.logged == run.stats.spooled + run.stats.dropped == 40_000
    lost = losses(tiny_disk)
    assert "disk_full" in lost
    assert sum(lost.values()) == run.stats.dropped


def test_what_the_disk_never_took_is_counted_as_dropped(run_script: Any) -> None:
    done = run_script(
        """
import resource, weir
run = weir.init('p')
run.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
for i in range(100): run.log({'a': float(i), 't': 'text'})
run.finish()
assert run.stats == weir.Stats(200, 0, 200, 0), run.stats
"""
    )
    assert done.returncode == 0, done.stderr
    assert "could not be written to disk whole" in done.stderr


def test_a_spool_at_its_cap_drops_the_newest_and_says_why(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = weir.init(
        mode="offline",
        dir=tmp_path,
        settings={"spool_max_bytes": 65_536, "queue_max_bytes": 20_000, "flush_interval_s": 0.01},
    )
    at_cap = False
    while not at_cap:
        run.log({"text": "x" * 1000})
        at_cap = not run.flush(timeout=1)
    for _ in range(200):
        run.log({"text": "x" * 1000})
    run.finish(timeout=0)
    assert run.stats.dropped > 0
    assert run.stats.logged == run.stats.spooled + run.stats.dropped
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.seg")) <= 65_536
    assert "spool_max_bytes" in caplog.text


def test_a_queue_that_overflows_is_told_as_a_loss(run_script: Any, tmp_path: Path) -> None:
    done = run_script(
        """
import weir
run = weir.init('p', settings={'queue_max_bytes': 1024, 'flush_interval_s': 60})
run.flush()
for i in range(1000): run.log({'a': 1.0})
run.finish()
assert run.stats.dropped > 900
print(run.stats.dropped)
"""
    )
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path / "spool") == {"queue_full": int(done.stdout)}


def test_points_dropped_just_before_the_end_are_told_to_the_user(run_script: Any) -> None:
    done = run_script(
        """
import weir
run = weir.init('p', settings={'queue_max_bytes': 1024, 'flush_interval_s': 60})
run.flush()
for i in range(1000): run.log({'a': 1.0})
run.finish()
print(run.stats.dropped)
"""
    )
    assert f"{done.stdout.strip()} points are lost" in done.stderr


def test_a_folder_that_cannot_be_listed_for_a_while_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = iter([True] * 3)

    def size_bytes(spool: SpoolDir, real: Any = SpoolDir.size_bytes) -> int:
        if next(stale, False):
            raise OSError(errno.ESTALE, "Stale file handle")
        return int(real(spool))

    monkeypatch.setattr(SpoolDir, "size_bytes", size_bytes)
    clock = ManualClock()
    run = make_run(tmp_path, clock)
    for _ in range(10):
        clock.advance(3)  # so that the disk is looked at again
        run.log({"a": 1.0})
        run.flush(timeout=5)
    run.finish(timeout=0)
    assert run.stats.spooled == spooled(tmp_path) == 10
    assert next(stale, None) is None


def test_a_frame_that_was_not_written_for_any_reason_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([MemoryError(), RuntimeError("a fault of ours")])

    def append(writer: SegmentWriter, *frame: Any, real: Any = SegmentWriter.append) -> int:
        if frame[0] > 1 and (failure := next(failures, None)):
            raise failure
        return int(real(writer, *frame))

    monkeypatch.setattr(SegmentWriter, "append", append)
    run = make_run(tmp_path, ManualClock())
    assert run.flush()
    run.log({"a": 1.0})
    assert run.flush(timeout=20)
    run.finish(timeout=0)
    assert run.stats.spooled == spooled(tmp_path) == 1
    assert not run._queue.waiting_bytes


def make_run(root: Path, clock: ManualClock, **settings: Any) -> Run:
    quiet = {"mode": "offline", "agent": False, "console": "off", "record_seeds": False}
    chosen = Settings(**quiet, dir=str(root), flush_interval_s=0.01, **settings)
    run = Run(Opening(chosen, Placement(), "r", "node", clock))
    run.begin()
    return run


def test_silence_is_broken_by_a_heartbeat(tmp_path: Path, until: Any) -> None:
    clock = ManualClock()
    run = make_run(tmp_path, clock)
    run.flush()
    for beats in range(1, 4):
        clock.advance(15)
        until(lambda beats=beats: len(bodies(tmp_path)) == 1 + beats)
    run.finish()
    sessions = [body.session for body in bodies(tmp_path)]
    assert [session.state for session in sessions] == [pb.SessionUpdate.RUNNING] * 4 + [
        pb.SessionUpdate.FINISHED
    ]
    assert [s.time_unix_us - sessions[0].time_unix_us for s in sessions[:4]] == [
        0,
        15_000_000,
        30_000_000,
        45_000_000,
    ]


def test_a_run_that_logs_needs_no_heartbeat(tmp_path: Path) -> None:
    clock = ManualClock()
    run = make_run(tmp_path, clock)
    for _ in range(5):
        run.log({"a": 1})
        run.flush()
        clock.advance(14)
    run.finish()
    running = [b for b in bodies(tmp_path) if b.session.state == pb.SessionUpdate.RUNNING]
    assert len(running) == 1


def test_a_folder_removed_under_a_run_is_made_again_and_the_loss_shows(
    tmp_path: Path, until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    run = make_run(tmp_path, clock)
    run.log({"a": 1})
    run.flush()
    (spool,) = list_spools(tmp_path)
    meta = spool.read_meta()
    shutil.rmtree(spool.path)
    clock.advance(3)
    until(lambda: (spool.path / "meta.json").exists())
    run.log({"a": 2})
    run.finish()
    found = list(SpoolReader(spool).read(writer_alive=False))
    assert spool.read_meta() == meta
    assert isinstance(found[0], Gap)
    last = found[-1]
    assert isinstance(last, Frame)
    assert last.flags == FLAG_FINAL
    assert "was removed" in caplog.text


def test_a_spool_thread_that_is_quicker_than_its_joining_writes_one_last_frame(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the bell and the look whether the thread lives, a busy machine may take any time."""
    run = weir.init("p", id="r", mode="offline", dir=tmp_path)
    run.log({"a": 1.0})
    spooler = run._spooler
    ring = spooler._wake.ring

    def ring_and_be_slow() -> None:
        ring()
        if spooler._final is not None:
            spooler._thread.join(20)

    monkeypatch.setattr(spooler._wake, "ring", ring_and_be_slow)
    run.finish()
    sessions = [body.session for body in bodies(tmp_path) if body.HasField("session")]
    ended = [each for each in sessions if each.state != pb.SessionUpdate.RUNNING]
    assert len(ended) == 1
