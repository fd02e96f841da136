"""How processes end: by themselves, by force, as children; each in a fresh interpreter."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from weir._reading import Point, read_points
from weir.testing import read_root
from weir_proto.v1 import ingest_pb2 as pb

START = "import sys, os, weir\nrun = weir.init('p', id='r')\nrun.log({'a': 1.0})\n"


def states(tmp_path: Path) -> list[tuple[str, int, str]]:
    return [
        (pb.SessionUpdate.State.Name(b.session.state), b.session.exit_code, b.session.reason)
        for _, b in read_root(tmp_path / "spool")
        if b.HasField("session") and b.session.state != pb.SessionUpdate.RUNNING
    ]


def points(tmp_path: Path) -> list[Point]:
    return [
        point
        for meta, body in read_root(tmp_path / "spool")
        for point in read_points(body, run_id=meta.run_id, rank=meta.rank)
    ]


@pytest.mark.parametrize(
    ("ending", "state", "code"),
    [
        ("", ("FINISHED", 0, ""), 0),
        ("run.finish()", ("FINISHED", 0, ""), 0),
        ("raise ValueError('bad\\nluck')", ("FAILED", 1, "ValueError: bad"), 1),
        ("raise KeyboardInterrupt", ("INTERRUPTED", 130, "KeyboardInterrupt"), 130),
        ("sys.exit(3)", ("FAILED", 3, "exit code 3"), 3),
        ("sys.exit()", ("FINISHED", 0, ""), 0),
        ("sys.exit('no data')", ("FAILED", 1, "no data"), 1),
        (
            "try:\n  sys.exit(3)\nexcept SystemExit: run.log({'a': 2.0})",
            ("FINISHED", 0, ""),
            0,
        ),
        ("sys.exit(not 'ok')", ("FINISHED", 0, ""), 0),
        ("sys.exit(not '')", ("FAILED", 1, "exit code 1"), 1),
        ("sys.exit(1 << 40)", ("FAILED", -1, f"exit code {1 << 40}"), 0),  # the system keeps 8 bits
        ("raise ValueError('\\udcff')", ("FAILED", 1, "ValueError: ?"), 1),
        (
            "class Mute(Exception):\n  def __str__(self): raise TypeError\nraise Mute",
            ("FAILED", 1, "Mute"),
            1,
        ),
        ("import signal; signal.raise_signal(signal.SIGINT)", ("INTERRUPTED",), 130),
        (
            "os.environ['DB_PASSWORD'] = 'battery9staple'\n"
            "raise ValueError('token=hf_' + 'a1' * 17 + ' and battery9staple')",
            ("FAILED", 1, "ValueError: token=*** and ***"),
            1,
        ),
    ],
)
def test_a_process_that_ends_tells_why(
    run_script: Any, tmp_path: Path, ending: str, state: tuple[Any, ...], code: int
) -> None:
    done = run_script(START + ending)
    expected = -signal.SIGINT if code == 130 else code
    assert done.returncode == expected
    (found,) = states(tmp_path)
    assert found[: len(state)] == state
    assert points(tmp_path)[0].value == 1.0


def test_every_open_run_is_ended_at_exit(run_script: Any, tmp_path: Path) -> None:
    run_script("import weir\nfor i in 'abc': weir.init(id=i).log({'x': 1})")
    assert states(tmp_path) == [("FINISHED", 0, "")] * 3


def test_nothing_is_started_at_exit(run_script: Any) -> None:
    script = (
        START
        + """
import atexit, subprocess, threading, time
run.flush()
def refuse(*args, **kwargs): raise AssertionError("started at exit")
def last(): threading.Thread.start = refuse; subprocess.Popen.__init__ = refuse; os.fork = refuse
atexit.register(last)
"""
    )
    done = run_script(script)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_killed_process_leaves_what_it_spooled(run_script: Any, tmp_path: Path) -> None:
    run_script(START + "run.flush()\nos.kill(os.getpid(), 9)")
    assert [p.value for p in points(tmp_path)] == [1.0]
    assert states(tmp_path) == []


def test_exit_is_bounded_when_the_server_is_away(run_script: Any, tmp_path: Path) -> None:
    done = run_script(
        "import weir._agent_start as a\na.start_agent = lambda *_: None\n" + START,
        WEIR_MODE="online",
        WEIR_EXIT_TIMEOUT_S="0.2",
    )
    assert done.returncode == 0
    assert f"weir sync {tmp_path / 'spool' / 'p' / 'r'}" in done.stderr


def test_the_training_process_never_imports_grpc_nor_other_heavy_things(run_script: Any) -> None:
    heavy = {"grpc", "git", "rich", "click", "numpy", "psutil", "hashlib", "asyncio", "pynvml"}
    done = run_script(START + f"print(sorted({heavy!r} & set(sys.modules)))")
    assert done.stdout.strip() == "[]"


def test_import_and_init_stay_small(run_script: Any) -> None:
    done = run_script(
        """
import os
def resident_mb(): return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
before = resident_mb()
import weir
weir.init().flush()
print(resident_mb() - before)
"""
    )
    assert float(done.stdout) < 20


# ── children ────────────────────────────────────────────────────────────────

FORKED = """
for i in range(50): run.log({'a': 1.0})
pid = os.fork()
if pid == 0:
    run.log({'child': 1.0})
    run.config['child'] = True
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
for i in range(50): run.log({'a': 2.0})
"""


def test_a_forked_child_that_logs_gets_a_producer_of_its_own(
    run_script: Any, tmp_path: Path
) -> None:
    done = run_script(START + FORKED)
    assert done.returncode == 0, done.stderr
    found = points(tmp_path)
    assert [p.metric for p in found].count("child") == 1
    assert [p.value for p in found if p.metric == "a"] == [1.0] * 51 + [2.0] * 50
    metas = {meta for meta, _ in read_root(tmp_path / "spool")}
    assert sorted(meta.role for meta in metas) == ["", "trainer/fork"]
    assert {meta.run_id for meta in metas} == {"r"}
    assert states(tmp_path) == [("FINISHED", 0, "")] * 2


def test_a_forked_child_that_never_logs_costs_nothing(run_script: Any, tmp_path: Path) -> None:
    script = (
        START
        + """
import threading
pid = os.fork()
if pid == 0:
    os._exit(threading.active_count() - 1)
assert os.waitpid(pid, 0)[1] == 0
pid = os.fork()
if pid == 0:
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
"""
    )
    done = run_script(script)
    assert done.returncode == 0, done.stderr
    assert len({meta for meta, _ in read_root(tmp_path / "spool")}) == 1
    assert states(tmp_path) == [("FINISHED", 0, "")]


def test_forking_while_other_threads_log_deadlocks_nobody(run_script: Any, tmp_path: Path) -> None:
    script = (
        START
        + """
import threading
stop = threading.Event()
def work():
    while not stop.is_set(): run.log({'a': 1.0, 't': 'x', 'new': object()})
threads = [threading.Thread(target=work) for _ in range(3)]
for t in threads: t.start()
for i in range(20):
    pid = os.fork()
    if pid == 0:
        run.log({'child': float(i)})
        run.finish()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for t in threads: t.join()
"""
    )
    done = run_script(script)
    assert done.returncode == 0, done.stderr
    assert sorted(p.value for p in points(tmp_path) if p.metric == "child") == list(range(20))


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_children_of_multiprocessing_lose_nothing(
    run_script: Any, tmp_path: Path, method: str
) -> None:
    script = f"""
import multiprocessing, sys, weir
def child(rank):
    run = weir.run or weir.init('p', id='r', rank=rank)
    for i in range(100): run.log({{'child': float(i)}})
    if rank == 2: raise ValueError("bad child")
if __name__ == "__main__":
    run = weir.init('p', id='r')
    run.log({{'a': 1.0}})
    context = multiprocessing.get_context({method!r})
    children = [context.Process(target=child, args=(rank,)) for rank in (1, 2)]
    for c in children: c.start()
    for c in children: c.join()
"""
    done = run_script(script)
    assert done.returncode == 0, done.stderr
    assert [p.metric for p in points(tmp_path)].count("child") == 200
    assert sorted(states(tmp_path)) == [
        ("FAILED", 1, "ValueError: bad child"),
        ("FINISHED", 0, ""),
        ("FINISHED", 0, ""),
    ]


def test_spawned_children_join_by_the_environment(run_script: Any, tmp_path: Path) -> None:
    script = """
import multiprocessing, os, weir
def child(rank):
    os.environ['WEIR_RANK'] = str(rank)
    run = weir.init()
    run.log({'child': 1.0})
if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=child, args=(rank,)) for rank in (1, 2)]
    for c in children: c.start()
    for c in children: c.join()
"""
    run_script(script, WEIR_RUN_ID="shared", WEIR_PROJECT="q")
    found = points(tmp_path)
    assert sorted((p.run_id, p.rank, p.metric) for p in found) == [
        ("shared", 1, "child"),
        ("shared", 2, "child"),
    ]


def test_the_interpreter_has_no_thread_of_ours_after_finish(run_script: Any) -> None:
    done = run_script(START + "run.finish()\nimport threading; print(threading.active_count())")
    assert done.stdout.strip() == "1"
    assert sys.version_info >= (3, 11)
