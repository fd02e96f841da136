"""Interpreters that end without finish(), whatever their threads are doing: bounded, quiet and complete."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.fault.fixtures_client import Trainer, trainer

__all__ = ["trainer"]  # fixtures

START = """
import itertools, os, sys, threading, weir
run = weir.init('p', id='r')
run.log({'a': 1.0})
def forever(metric, daemon=True):
    began = threading.Event()
    def work():
        for n in itertools.count():
            run.log({metric: float(n), 'text': 'x'})
            began.set()
    threading.Thread(target=work, daemon=daemon).start()
    began.wait()
"""


@pytest.mark.parametrize(
    ("ending", "code", "state"),
    [
        ("", 0, ("FINISHED", 0, "")),
        ("sys.exit(3)", 3, ("FAILED", 3, "exit code 3")),
        ("raise ValueError('no')", 1, ("FAILED", 1, "ValueError: no")),
        ("run.finish()", 0, ("FINISHED", 0, "")),
    ],
)
def test_threads_that_log_until_the_very_end_hold_up_nothing(
    trainer: Trainer, ending: str, code: int, state: tuple[str, int, str]
) -> None:
    script = START + "for metric in 'bcd': forever(metric)\n"
    expected = 1 if ending.startswith("raise") else 0
    if ending == "run.finish()":  # from here on log() is refused, which ends those threads
        script += "threading.excepthook = lambda _: None\n"
    done = trainer.run(script + ending)
    assert done.returncode == code
    assert done.stderr.count("Traceback") == expected, done.stderr
    assert trainer.endings() == [state]
    for metric in "bcd":
        values = trainer.values(metric)
        assert values == [float(n) for n in range(len(values))]
        assert values


def test_a_thread_that_waits_for_room_does_not_keep_the_process(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
import resource
run.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (10, resource.RLIM_INFINITY))
forever('b')
while run._queue.waiting_bytes <= 10_000: pass
""",
        WEIR_ON_FULL="block",
        WEIR_QUEUE_MAX_BYTES="10000",
        WEIR_EXIT_TIMEOUT_S="1",
    )
    assert done.returncode == 0, done.stderr
    assert "could not be written to disk whole" in done.stderr


def test_a_thread_that_outlives_main_is_recorded_to_its_end(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
def work():
    main.join()
    for n in range(1_000): run.log({'b': float(n)})
main = threading.main_thread()
threading.Thread(target=work).start()
"""
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert trainer.values("b") == [float(n) for n in range(1_000)]
    assert trainer.endings() == [("FINISHED", 0, "")]


def test_sys_exit_in_a_thread_ends_only_the_thread(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + "thread = threading.Thread(target=lambda: sys.exit(3)); thread.start(); thread.join()"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert trainer.endings() == [("FINISHED", 0, "")]


def test_os_exit_loses_nothing_that_was_flushed(trainer: Trainer) -> None:
    done = trainer.run(
        START + "for n in range(500): run.log({'b': float(n)})\nassert run.flush()\nos._exit(0)"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert trainer.values("b") == [float(n) for n in range(500)]
    assert trainer.endings() == []


def test_os_exit_loses_at_most_the_tail_that_was_not_yet_spooled(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + """
for n in itertools.count():
    run.log({'b': float(n)})
    if run.stats.spooled > 200:
        print(run.stats.spooled, flush=True)
        os._exit(0)
""",
        WEIR_FLUSH_INTERVAL_S="0.01",
    )
    values = trainer.values("b")
    assert values == [float(n) for n in range(len(values))]
    assert len(values) + 1 >= int(done.stdout)


def test_log_in_an_exit_handler_is_recorded_or_quietly_too_late(trainer: Trainer) -> None:
    done = trainer.run(
        "import atexit\natexit.register(lambda: run.log({'late': 1.0}))\n"
        + START
        + "atexit.register(lambda: run.log({'in time': 1.0}))"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert trainer.values("in time") == [1.0]
    assert trainer.values("late") == []


# ── at a prompt ────────────────────────────────────────────────────────────

CELL = "run = weir.init('p'); run.log({'a': 1.0})\n"
COUNT = "print(sum(t.name == 'weir-spool' for t in threading.enumerate()), len(weir._exit.open_runs()))\n"


def at_prompt(trainer: Trainer, typed: str) -> subprocess.CompletedProcess[str]:
    """Type lines into `python -i`."""
    return subprocess.run(
        [sys.executable, "-i", "-q"],
        input="import os, sys, threading, weir, weir._exit\n" + typed,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=trainer.folder,
        env=trainer._environment(),
        check=False,
    )


def test_an_init_cell_that_is_run_again_and_again_leaves_one_run_open(trainer: Trainer) -> None:
    done = at_prompt(trainer, 5 * CELL + COUNT)
    assert done.stdout == "1 1\n", done.stderr
    assert trainer.endings() == [("FINISHED", 0, "")] * 5
    assert len(list(trainer.root.glob("p/*"))) == 5


def test_at_a_prompt_several_runs_stay_open_when_asked_for(trainer: Trainer) -> None:
    cell = CELL.replace("'p'", "'p', reinit='create_new'")
    assert at_prompt(trainer, 3 * cell + COUNT).stdout == "3 3\n"


def test_an_error_in_a_cell_does_not_fail_the_run(trainer: Trainer) -> None:
    done = at_prompt(
        trainer, CELL + "1 / 0\nraise KeyboardInterrupt\nrun.log({'a': 2.0})\n" + COUNT
    )
    assert done.stdout == "1 1\n", done.stderr
    assert trainer.values("a") == [1.0, 2.0]
    assert trainer.endings() == [("FINISHED", 0, "")]
