"""What log() does when disk and memory are at their bound: drop, wait or raise; never guess."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import weir
from weir._clock import SystemClock
from weir._intake import Intake
from weir._queue import Queue
from weir._spool import CapReached, SpoolDir, SpoolRoom, Watermark, list_spools
from weir._spool.room import cap_bytes
from weir.errors import QueueFull, RunFinished
from weir.testing import capture, read_root

SMALL = {"queue_max_bytes": 2_000, "flush_interval_s": 0.01}


class Gate:
    """Holds every write to a segment until it is opened, as a hung NFS does."""

    def __init__(self) -> None:
        self.waiting = threading.Event()
        self.open = threading.Event()
        self.open.set()

    def write(self, descriptor: int, content: bytes, real: Any = os.write) -> int:
        if not self.open.is_set():
            self.waiting.set()
            assert self.open.wait(30)
        return int(real(descriptor, content))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr("weir._spool.writer.os.write", gate.write)
    yield gate
    gate.open.set()


def hold(gate: Gate, run: weir.Run) -> None:
    """Shut the gate and wait until the spool thread stands before it."""
    run.flush()
    gate.waiting.clear()
    gate.open.clear()
    run.log({"first": 0.0})
    assert gate.waiting.wait(20)


def log_until_the_disk_takes_no_more(run: weir.Run) -> None:
    while run.flush(timeout=0.5):
        run.log({"text": os.urandom(200).hex(), "a": 1.0})


def log_until_dropped(run: weir.Run) -> None:
    while not run.stats.dropped:
        run.log({"text": "x" * 500, "a": 1.0})


def test_the_newest_are_dropped_whole_and_counted(gate: Gate) -> None:
    with capture(**SMALL) as captured:
        run = weir.init()
        hold(gate, run)
        kept = 0
        while not run.stats.dropped:
            run.log({"a": float(kept), "b": "text", "c": 2})
            kept += 1
        run.log({"a": -1.0, "b": "text"})
        assert run.stats.dropped == 3 + 2
        gate.open.set()
        run.finish()
        assert captured.values("a") == [float(step) for step in range(kept - 1)]
        assert captured.losses() == {"queue_full": 5}
        assert run.stats.logged == run.stats.spooled + run.stats.dropped


def test_block_waits_for_room_and_loses_nothing(gate: Gate, until: Callable[..., None]) -> None:
    with capture(**SMALL, on_full="block") as captured:
        run = weir.init()
        hold(gate, run)
        logged: list[int] = []

        def train() -> None:
            for step in range(500):
                run.log({"a": float(step)})
                logged.append(step)

        thread = threading.Thread(target=train)
        thread.start()
        until(lambda: run._queue.waiting_bytes > SMALL["queue_max_bytes"])
        assert len(logged) < 400
        gate.open.set()
        thread.join(30)
        run.finish()
        assert captured.values("a") == [float(step) for step in range(500)]
        assert run.stats.dropped == 0


def test_a_call_that_waits_for_room_lets_go_when_the_run_is_finished_elsewhere(
    gate: Gate, until: Callable[..., None]
) -> None:
    with capture(**SMALL, on_full="block"):
        run = weir.init()
        hold(gate, run)
        ended: list[BaseException] = []

        def train() -> None:
            try:
                while True:
                    run.log({"a": 1.0})
            except RunFinished as error:
                ended.append(error)

        thread = threading.Thread(target=train)
        thread.start()
        until(lambda: run._queue.waiting_bytes > SMALL["queue_max_bytes"])
        threading.Timer(0.1, gate.open.set).start()
        run.finish(timeout=5)
        thread.join(20)
        assert len(ended) == 1
        assert run.stats.logged == run.stats.spooled + run.stats.dropped


@pytest.mark.parametrize("on_full", ["drop_newest", "block", "raise"])
def test_a_call_is_refused_when_the_run_ends_after_it_was_let_in(on_full: str) -> None:
    queue = Queue(1_000, on_full)
    admitted: list[bool] = []

    def gate() -> bool:
        if admitted:
            raise RunFinished("finished")
        admitted.append(True)
        intake.close()  # by another thread, just then
        return True

    intake = Intake(queue, strict=False, gate=gate)
    with pytest.raises(RunFinished):
        intake.log({"a": 1.0, "b": "text"}, None, None, True)
    assert not queue.take()
    assert intake.logged == 0


def test_room_that_comes_with_the_end_of_the_run_is_none(until: Callable[..., None]) -> None:
    queue = Queue(1_000, "block")
    with queue.lock:
        queue.put_text("a", 0, 0, "x" * 1_000)
    rooms: list[bool] = []

    def wait_for_room() -> None:
        with queue.lock:
            rooms.append(queue.room_for(1))

    thread = threading.Thread(target=wait_for_room)
    thread.start()
    until(lambda: bool(queue._room._waiters))  # type: ignore[attr-defined]
    with queue.lock:
        queue.close()
        queue.release(queue.take())
    thread.join(20)
    assert rooms == [False]


def test_ctrl_c_ends_a_call_that_waits_for_room(run_script: Any) -> None:
    done = run_script(
        """
import os, resource, signal, threading, weir
run = weir.init(settings={'queue_max_bytes': 2_000, 'flush_interval_s': 0.01, 'on_full': 'block'})
run.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
def interrupt():
    while run._queue.waiting_bytes <= 2_000: pass
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    while True: run.log({'a': 1.0})
except KeyboardInterrupt:
    print("free")
run.finish(timeout=1)
"""
    )
    assert (done.returncode, done.stdout) == (0, "free\n"), done.stderr
    assert "on_full = block" in done.stderr


def test_raise_names_the_cause_and_the_next_command_and_records_nothing_of_the_call(
    tmp_path: Path,
) -> None:
    settings = {**SMALL, "on_full": "raise", "spool_max_bytes": 65_536}
    run = weir.init(mode="offline", dir=tmp_path, settings=settings)
    log_until_the_disk_takes_no_more(run)
    with pytest.raises(QueueFull, match=r"spool_max_bytes = 65536.*weir status"):
        log_until_dropped(run)
    before = run.stats
    assert before.dropped == 0
    with pytest.raises(QueueFull):
        run.log({"t": "x", "a": 1.0})
    assert run.stats == before


def test_while_a_call_waits_for_room_other_threads_record_what_needs_none(
    gate: Gate, until: Callable[..., None]
) -> None:
    with capture(**SMALL, on_full="block") as captured:
        run = weir.init()
        hold(gate, run)
        fill_up = threading.Thread(target=lambda: [run.log({"a": 1.0}) for _ in range(100)])
        fill_up.start()
        until(lambda: run._queue.waiting_bytes > SMALL["queue_max_bytes"])
        run.config["while"] = "it waits"
        gate.open.set()
        fill_up.join(20)
        run.finish()
        assert run.stats.dropped == 0
        assert captured.config() == {"while": "it waits"}


# ── the bound of the disk ──────────────────────────────────────────────────


@given(
    free_bytes=st.integers(0, 1 << 50),
    processes=st.integers(1, 2_000),
    free_share=st.floats(0.001, 0.99),
)
def test_processes_that_each_take_their_share_never_fill_the_disk(
    free_bytes: int, processes: int, free_share: float
) -> None:
    left_bytes, taken = free_bytes, [0] * processes
    for _ in range(3):
        for index, own_bytes in enumerate(taken):
            cap = cap_bytes(
                taken_bytes=own_bytes,
                free_bytes=left_bytes,
                max_bytes=1 << 60,
                free_share=free_share,
            )
            grown_bytes = max(own_bytes, cap)
            left_bytes -= grown_bytes - own_bytes
            taken[index] = grown_bytes
        assert left_bytes >= 0
    assert cap_bytes(taken_bytes=0, free_bytes=1 << 50, max_bytes=5, free_share=free_share) == 5


def test_a_spool_takes_a_tenth_of_the_free_disk_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = os.statvfs

    def nearly_full(path: Any) -> os.statvfs_result:
        told = list(real(path))
        told[1], told[4] = 1, 2_000_000  # f_frsize, f_bavail
        return os.statvfs_result(told)

    monkeypatch.setattr("weir._spool.room.os.statvfs", nearly_full)
    run = weir.init(mode="offline", dir=tmp_path, settings=SMALL)
    log_until_the_disk_takes_no_more(run)
    log_until_dropped(run)
    run.finish()
    assert "spool_free_share = 0.1" in caplog.text
    taken_bytes = sum(path.stat().st_size for path in tmp_path.rglob("*.seg"))
    assert 100_000 < taken_bytes < 260_000
    assert [loss.reason for _, b in read_root(tmp_path) for loss in b.losses] == ["spool_cap"]


def test_a_disk_that_does_not_tell_is_bounded_by_bytes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Any) -> os.statvfs_result:
        raise OSError("not implemented")

    monkeypatch.setattr("weir._spool.room.os.statvfs", refuse)
    room = SpoolRoom(SpoolDir(tmp_path), max_bytes=1_000, free_share=0.1, clock=SystemClock())
    room.admit(1_000)
    with pytest.raises(CapReached, match="spool_max_bytes"):
        room.admit(1_001)


def test_a_spool_whose_frames_are_committed_never_reaches_even_a_small_cap(tmp_path: Path) -> None:
    settings = {"spool_max_bytes": 65_536, "queue_max_bytes": 20_000, "flush_interval_s": 0.01}
    run = weir.init(mode="offline", dir=tmp_path, settings=settings)
    run.flush()
    (spool,) = list_spools(tmp_path)
    for _ in range(100):
        run.log({"text": os.urandom(1_000).hex()})
        assert run.flush(timeout=20)
        seq = run._spooler._next_seq - 1  # type: ignore[union-attr]
        spool.write_watermark(Watermark(seq, seq))  # as an agent does whose server commits
        spool.unlink_committed(seq)
    run.finish()
    assert run.stats.dropped == 0


def test_at_the_cap_the_last_word_is_written_all_the_same_and_tells_the_loss(
    tmp_path: Path,
) -> None:
    settings = {"spool_max_bytes": 65_536, "queue_max_bytes": 20_000, "flush_interval_s": 0.01}
    run = weir.init(mode="offline", dir=tmp_path, settings=settings)
    while run.flush(timeout=0.5):  # frames as small as the last word, so that it would not fit
        run.log({"a": 1.0})
    log_until_dropped(run)
    run.finish()
    bodies = [body for _, body in read_root(tmp_path)]
    assert bodies[-1].session.state == weir._exit.FINISHED.state
    assert sum(loss.points for body in bodies for loss in body.losses) == run.stats.dropped
    assert {loss.reason for body in bodies for loss in body.losses} == {"spool_cap"}
