"""A disk as slow as a bad NFS: log() does not wait for it, memory is bounded, finish() returns."""

from __future__ import annotations

from tests.fault.fixtures_client import Trainer, trainer

__all__ = ["trainer"]  # fixtures

# Writes to a segment begin with what a test says; `calls` counts log() calls that came back.
START = """
import itertools, os, sys, threading, time, weir
from weir._spool import writer
calls = 0
def slow(write):
    def patched(descriptor, content, real=os.write):
        write()
        return real(descriptor, content)
    writer.os = type('os', (), {**vars(os), 'write': staticmethod(patched)})
def log(times):
    global calls
    for _ in range(times):
        run.log({'n': float(calls), 'again': 1.0})
        calls += 1
run = weir.init('p', id='r', settings={'queue_max_bytes': 1_000_000, 'flush_interval_s': 0.01})
run.flush()
"""


def test_log_goes_on_while_a_write_takes_half_a_second(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
passed = []
def sleep():
    before = calls
    time.sleep(0.5)
    passed.append(calls - before)
slow(sleep)
while len(passed) < 3: log(1)
run.finish()
assert run.stats.dropped == run.stats.logged - run.stats.spooled
print(max(passed), run.stats.dropped)
"""
    )
    assert done.returncode == 0, done.stderr
    calls_during_a_write, dropped = map(int, done.stdout.split())
    assert calls_during_a_write > 1_000
    values = trainer.values("n")
    assert values == sorted(values)
    assert sum(trainer.lost().values()) == dropped


def test_while_a_write_hangs_memory_is_bounded_and_every_call_comes_back(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
gate, waiting = threading.Event(), threading.Event()
def hang():
    waiting.set()
    gate.wait()
slow(hang)
log(1)
assert waiting.wait(20)
log(100_000)
assert run._queue.waiting_bytes <= 1_000_000 + 1_000
assert run.stats.dropped > 100_000
gate.set()
assert run.flush(timeout=20)
log(10)
run.finish()
s = run.stats
assert s.logged == s.spooled + s.dropped == 200_022
print(s.dropped)
"""
    )
    assert done.returncode == 0, done.stderr
    assert sum(trainer.lost().values()) == int(done.stdout)
    assert trainer.values("n")[-10:] == [float(n) for n in range(100_001, 100_011)]


def test_a_disk_that_hangs_for_ever_holds_up_neither_finish_nor_exit(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
slow(lambda: threading.Event().wait())
log(10)
began = time.monotonic()
run.finish(timeout=0.5)
print(time.monotonic() - began < 20)
other = weir.init('p', id='s', settings={'exit_timeout_s': 0.5})
other.log({'a': 1.0})
""",
        within_s=30,
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    assert done.stderr.count("could not be written to disk whole") == 2
