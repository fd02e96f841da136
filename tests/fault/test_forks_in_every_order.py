"""Processes that fork before, during and after a run, from threads, in pools, to any depth: each point once."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fault.fixtures_client import Trainer, trainer
from weir._spool import list_spools
from weir.agent._node_log import AGENT_ROLE

__all__ = ["trainer"]  # fixtures

# `child(life)` forks; the child lives as told and the parent waits. Every log() has a name of its
# own: who logs, then a letter for when.
START = """
import os, signal, sys, threading, weir
SETTINGS = {'flush_interval_s': 0.02}
def begin(): return weir.init('p', id='r', settings=SETTINGS)
def child(life, *arguments):
    pid = os.fork()
    if pid == 0:
        try: life(*arguments)
        finally: os._exit(9)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, -signal.SIGKILL), (life.__name__, status)
def finishes(name): run.log({name: 1.0}); run.finish(); os._exit(0)
def exits(name): run.log({name: 1.0}); leave(0)
def flushes(name): run.log({name: 1.0}); run.flush(); os._exit(0)
def is_killed(name): run.log({name: 1.0}); run.flush(); os.kill(os.getpid(), signal.SIGKILL)
def logs_nothing(name):
    assert threading.active_count() == 1
    assert run.stats.logged == 0
    os._exit(0)
def finishes_unused(name): run.finish(); leave(0)
def forks_again(name):
    run.log({name: 1.0})
    for life in (finishes, is_killed, logs_nothing): child(life, f'{name}.{life.__name__}')
    run.log({name: 2.0}); run.finish(); os._exit(0)
def leave(code):
    import atexit
    atexit._run_exitfuncs()  # as sys.exit() does, without unwinding into the parent's script
    os._exit(code)
LIVES = (finishes, exits, flushes, is_killed, logs_nothing, finishes_unused, forks_again)
def fork_all(when):
    for life in LIVES: child(life, f'{when}.{life.__name__}')
"""
LOGGING = ("finishes", "exits", "flushes", "is_killed", "forks_again")
WELL_ENDED = ("finishes", "exits", "forks_again")
GRANDCHILDREN = ("forks_again.finishes", "forks_again.is_killed")


def names(trainer: Trainer) -> Counter[str]:
    """Return how often each name was spooled."""
    counted: Counter[str] = Counter()
    for _, body in trainer.bodies():
        for block in body.points:
            columns = memoryview(block.metric).cast("I").tolist()
            rows = len(block.step) // 8 if block.width else 1
            for index in columns:
                counted[body.names[index]] += rows
    return counted


def children_of(when: str) -> Counter[str]:
    """Return what `fork_all(when)` leaves behind."""
    children = Counter({f"{when}.{life}": 1 for life in (*LOGGING, *GRANDCHILDREN)})
    children[f"{when}.forks_again"] = 2
    return children


@pytest.mark.parametrize(
    ("script", "times"),
    [
        ("run = begin()\nfork_all('a')\nrun.log({'parent': 1.0})", "a"),
        ("run = begin()\nrun.log({'parent': 1.0})\nfork_all('a')", "a"),
        ("run = begin()\nrun.log({'parent': 1.0})\nrun.flush()\nfork_all('a')", "a"),
        ("run = begin()\nfork_all('a')\nrun.log({'parent': 1.0})\nfork_all('b')", "ab"),
        (
            "run = begin()\nrun.log({'parent': 1.0})\n"
            "thread = threading.Thread(target=fork_all, args=('a',))\nthread.start(); thread.join()",
            "a",
        ),
        (
            "run = begin()\nwhole = threading.Event()\n"
            "def work():\n  for _ in range(10_000): run.log({'parent': 0.0001})\n  whole.set()\n"
            "thread = threading.Thread(target=work); thread.start()\nfork_all('a')\nthread.join()",
            "a",
        ),
    ],
    ids=[
        "after init",
        "after log",
        "after flush",
        "before and after log",
        "in a thread",
        "while a thread logs",
    ],
)
def test_every_child_that_logs_has_a_producer_and_every_point_is_there_once(
    trainer: Trainer, script: str, times: str
) -> None:
    done = trainer.run(START + script)
    assert (done.returncode, done.stderr) == (0, "")
    found = names(trainer)
    assert found.pop("parent") in (1, 10_000)
    expected: Counter[str] = Counter()
    for when in times:
        expected += children_of(when)
    assert found == expected
    producers = len(LOGGING) + len(GRANDCHILDREN)
    assert trainer.roles() == ["", *["trainer/fork"] * producers * len(times)]
    well_ended = 1 + (len(WELL_ENDED) + 1) * len(times)
    assert trainer.endings() == [("FINISHED", 0, "")] * well_ended


def test_a_fork_before_init_and_after_finish_is_nothing_special(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
def own_run(name):
    global run
    run = begin(); run.log({name: 1.0}); run.finish(); os._exit(0)
def refused(name):
    try: run.log({name: 1.0})
    except weir.errors.RunFinished: os._exit(0)
child(own_run, 'before')
run = begin(); run.log({'parent': 1.0}); run.finish()
child(refused, 'never')
child(own_run, 'after')
"""
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert names(trainer) == {"before": 1, "parent": 1, "after": 1}
    assert trainer.roles() == ["", "", ""]


def test_a_fork_in_a_signal_handler_that_interrupts_log_is_nothing_special(
    trainer: Trainer,
) -> None:
    done = trainer.run(
        START
        + """
run = begin()
forked = []
def handler(*_):
    child(finishes, 'in the handler')
    forked.append(True)
signal.signal(signal.SIGALRM, handler)
for _ in range(10):
    before = len(forked)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    while len(forked) == before: run.log({'parent': 1.0})
"""
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert names(trainer)["in the handler"] == 10


def test_an_idle_child_keeps_no_segment_of_its_parent_open(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
run = begin(); run.log({'parent': 1.0}); run.flush()
def looks(name):
    links = (f'/proc/self/fd/{fd}' for fd in os.listdir('/proc/self/fd'))
    kept = [os.readlink(link) for link in links if os.path.exists(link)]
    os._exit(any(path.endswith('.seg') for path in kept))
child(looks, '')
"""
    )
    assert (done.returncode, done.stderr) == (0, "")


# ── multiprocessing, DataLoader, actors ────────────────────────────────────

POOL = """
import multiprocessing, os, sys, weir
def square(x): return x * x
def square_and_log(x):
    run = weir.run or weir.init('p', id='r', role='worker')
    run.log({'square': float(x * x)}, step=x)
    return x * x
if __name__ == "__main__":
    run = weir.init('p', id='r')
    run.log({'parent': 1.0})
    with multiprocessing.get_context(METHOD).Pool(3) as pool:
        assert pool.map(WORK, range(30), chunksize=1) == [x * x for x in range(30)]
        pool.close(); pool.join()
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_whose_workers_log_lose_nothing(trainer: Trainer, method: str) -> None:
    done = trainer.run(POOL.replace("METHOD", repr(method)).replace("WORK", "square_and_log"))
    assert done.returncode == 0, done.stderr
    assert sorted(trainer.values("square")) == [float(x * x) for x in range(30)]
    roles = Counter(trainer.roles())
    worker = "trainer/fork" if method == "fork" else "worker"
    assert roles[""] == 1
    assert 1 <= roles[worker] <= 3
    assert set(trainer.endings()) == {("FINISHED", 0, "")}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_whose_workers_never_log_cost_nothing(trainer: Trainer, method: str) -> None:
    done = trainer.run(POOL.replace("METHOD", repr(method)).replace("WORK", "square"))
    assert done.returncode == 0, done.stderr
    assert trainer.roles() == [""]
    assert sum(spool.read_meta().role != AGENT_ROLE for spool in list_spools(trainer.root)) == 1


LOADER = """
import multiprocessing as mp, os, signal, weir
# A torch DataLoader in small: daemonic forked workers that live for an epoch, are fed through
# queues, die with their parent, and are told to go or terminated.
def worker(index, tasks, results):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for item in iter(tasks.get, None):
        if 'LOG' in os.environ and item % 10 == 0:
            weir.run.log({'loaded': float(item)}, step=item)
            weir.run.flush()
        results.put(item)
context = mp.get_context('fork')
run = weir.init('p', id='r')
for epoch in range(3):
    tasks, results = context.SimpleQueue(), context.SimpleQueue()
    workers = [context.Process(target=worker, args=(i, tasks, results), daemon=True) for i in range(2)]
    for w in workers: w.start()
    for item in range(40): tasks.put(epoch * 40 + item)
    for _ in range(40): run.log({'loss': float(results.get())})
    if epoch == 2: [w.terminate() for w in workers]
    else: [tasks.put(None) for _ in workers]
    for w in workers: w.join()
"""


def test_workers_of_a_data_loader_that_never_log_cost_nothing(trainer: Trainer) -> None:
    done = trainer.run(LOADER)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(trainer.values("loss")) == 120
    assert len(list(trainer.root.glob("p/r/*"))) == 1


def test_workers_of_a_data_loader_that_log_are_recorded_even_when_terminated(
    trainer: Trainer,
) -> None:
    done = trainer.run(LOADER, LOG="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(trainer.values("loaded")) == [float(item) for item in range(0, 120, 10)]
    assert len(trainer.values("loss")) == 120


ACTOR = """
import multiprocessing as mp, os, signal
# A Ray actor in small: a long-lived worker that is sent a class by value, calls its methods as
# asked, and ends without any farewell.
SOURCE = '''
class Trainer:
    def __init__(self, rank):
        import weir
        self.run = weir.init('p', id='r', rank=rank, settings={'flush_interval_s': 0.02})
    def step(self, n): self.run.log({'loss': float(n)}, step=n)
    def save(self): return self.run.flush()
'''
def actor(pipe):
    names = {}
    exec(pipe.recv(), names)
    held = names['Trainer'](pipe.recv())
    for method, arguments in iter(pipe.recv, None):
        if method == 'die': os.kill(os.getpid(), signal.SIGKILL)
        if method == 'leave': os._exit(0)
        pipe.send(getattr(held, method)(*arguments))
if __name__ == "__main__":
    actors = []
    for rank in range(3):
        here, there = mp.Pipe()
        process = mp.get_context('spawn').Process(target=actor, args=(there,))
        process.start(); here.send(SOURCE); here.send(rank)
        actors.append((process, here))
    for n in range(50):
        for _, pipe in actors: pipe.send(('step', (n,)))
        for _, pipe in actors: pipe.recv()
    for process, pipe in actors:
        pipe.send(('save', ())); assert pipe.recv()
    for (process, pipe), end in zip(actors, ('die', 'leave', 'leave')): pipe.send((end, ()))
    for process, _ in actors: process.join()
"""


def test_actors_that_end_without_a_farewell_leave_what_they_flushed(trainer: Trainer) -> None:
    done = trainer.run(ACTOR)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(trainer.values("loss")) == sorted([float(n) for n in range(50)] * 3)
    assert sorted({meta.rank for meta, _ in trainer.bodies()}) == [0, 1, 2]
    assert trainer.endings() == []
