"""Signals that announce the end: recorded and flushed before it comes, and never in training's way."""

from __future__ import annotations

import signal
import sys

import pytest

from tests.e2e.fixtures_up import wait_until
from tests.fault.fixtures_client import INTERRUPTED, Trainer, trainer
from tests.integration.fixtures_model_gateway import ModelGateway, gateway
from weir_proto.v1 import ingest_pb2 as pb

__all__ = ["gateway", "trainer"]  # fixtures

START = """
import os, signal, sys, threading, weir
SLOW = {'flush_interval_s': 30}
def kill(name): os.kill(os.getpid(), getattr(signal, 'SIG' + name))
"""
INIT = "run = weir.init('p', id='r', settings=SLOW)\nrun.flush()\nrun.log({'a': 1.0})\n"
ALL_SAFE = "assert run.stats.spooled == run.stats.logged == 1, run.stats\n"


def test_no_signal_is_listened_to_unless_one_is_named(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + "before = {n: signal.getsignal(n) for n in signal.valid_signals()}\n"
        + INIT
        + "assert before == {n: signal.getsignal(n) for n in signal.valid_signals()}\nkill('TERM')"
    )
    assert done.returncode == -signal.SIGTERM
    assert trainer.events("preempting") == []


@pytest.mark.parametrize("name", ["USR1", "USR2"])
def test_a_warning_is_recorded_and_flushed_and_training_goes_on(
    trainer: Trainer, name: str
) -> None:
    done = trainer.run(
        START
        + INIT
        + f"kill({name!r})\n"
        + ALL_SAFE
        + "assert run.preempting\nrun.log({'a': 2.0})\nrun.finish()",
        WEIR_PREEMPT_SIGNAL=name,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert trainer.values("a") == [1.0, 2.0]
    assert trainer.events("preempting") == [f"preempting: SIG{name}"]
    assert trainer.endings() == [("FINISHED", 0, "")]


def test_the_users_handler_is_called_after_everything_is_on_disk(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + f"def save(number, frame):\n  {ALL_SAFE}  print('saved', number == signal.SIGUSR1)\n"
        + "signal.signal(signal.SIGUSR1, save)\n"
        + INIT
        + "kill('USR1')\nos._exit(0)",
        WEIR_PREEMPT_SIGNAL="USR1",
    )
    assert (done.returncode, done.stdout) == (0, "saved True\n"), done.stderr
    assert trainer.values("a") == [1.0]


@pytest.mark.parametrize(
    ("ending", "code", "state"),
    [
        ("", 0, ("FINISHED", 0, "")),
        ("sys.exit(0)", 0, ("FINISHED", 0, "")),
        ("sys.exit(1)", 1, ("INTERRUPTED", 1, "exit code 1")),
        ("raise RuntimeError('NCCL')", 1, ("INTERRUPTED", 1, "RuntimeError: NCCL")),
        ("run.finish(exit_code=1)", 0, ("INTERRUPTED", 1, "")),
    ],
)
def test_a_preempted_run_that_ends_badly_was_interrupted_not_failed(
    trainer: Trainer, ending: str, code: int, state: tuple[str, int, str]
) -> None:
    done = trainer.run(START + INIT + "run.mark_preempting('the queue said so')\n" + ending)
    assert done.returncode == code, done.stderr
    assert trainer.endings() == [state]
    assert trainer.events("preempting") == ["preempting: the queue said so"]


@pytest.mark.parametrize("name", ["TERM", "HUP"])
def test_a_signal_that_kills_still_kills_after_the_run_was_flushed(
    trainer: Trainer, name: str
) -> None:
    done = trainer.run(START + INIT + f"kill({name!r})\nprint('alive')", WEIR_PREEMPT_SIGNAL=name)
    assert (done.returncode, done.stdout) == (-getattr(signal, f"SIG{name}"), "")
    assert trainer.values("a") == [1.0]
    assert trainer.events("preempting") == [f"preempting: SIG{name}"]


def test_a_signal_that_is_ignored_as_nohup_does_is_told_and_still_ignored(trainer: Trainer) -> None:
    ignored = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
    script = ignored + START + INIT + "kill('HUP')\nprint('alive')\nrun.finish()"
    done = trainer.run(script, WEIR_PREEMPT_SIGNAL="HUP")
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
    assert trainer.events("preempting") == ["preempting: SIGHUP"]


def test_ctrl_c_still_interrupts(trainer: Trainer) -> None:
    done = trainer.run(
        START + INIT + "try: kill('INT')\nexcept KeyboardInterrupt:\n  " + ALL_SAFE + "  raise",
        WEIR_PREEMPT_SIGNAL="INT",
    )
    assert done.returncode == -signal.SIGINT
    assert trainer.endings() == [("INTERRUPTED", 130, "KeyboardInterrupt")]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (143, ("INTERRUPTED", 143, "exit code 143 (SIGTERM)")),
        (138, ("INTERRUPTED", 138, "exit code 138 (SIGUSR1)")),
        (1, ("FAILED", 1, "exit code 1")),
    ],
)
def test_a_handler_that_exits_with_a_signals_code_says_interrupted(
    trainer: Trainer, code: int, state: tuple[str, int, str]
) -> None:
    done = trainer.run(
        START
        + f"signal.signal(signal.SIGTERM, lambda *_: sys.exit({code}))\n"
        + INIT
        + "kill('TERM')\nsignal.pause()"
    )
    assert done.returncode == code
    assert trainer.endings() == [state]
    assert trainer.values("a") == [1.0]


@pytest.mark.parametrize(
    ("announced", "state"),
    [(True, pb.SessionUpdate.INTERRUPTED), (False, pb.SessionUpdate.CRASHED)],
    ids=["announced", "out of the blue"],
)
def test_whether_a_vanished_process_crashed_or_was_interrupted_is_known_by_its_announcement(
    trainer: Trainer, gateway: ModelGateway, announced: bool, state: pb.SessionUpdate.State
) -> None:
    done = trainer.run(
        START + INIT + "run.flush()\nkill('TERM')",
        WEIR_MODE="online",
        WEIR_SERVER=gateway.address,
        **({"WEIR_PREEMPT_SIGNAL": "TERM"} if announced else {}),
    )
    assert done.returncode == -signal.SIGTERM, done.stderr
    wait_until(
        lambda: gateway.ledger.accounts and gateway.ledger.only().final_seq, "its log is closed"
    )
    account = gateway.ledger.only()
    session = pb.Body.FromString(account.frames[account.final_seq]).session
    assert session.state == state
    assert "vanished without finish()" in session.reason
    assert session.reason.startswith("preempting: SIGTERM") is announced


# Does `work` again and again, a signal interrupting it one line later each time, until it is
# through before its signal came.
AT_EVERY_LINE = (
    INTERRUPTED
    + """
def at_every_line(work):
    lines = 1
    while interrupted(lines, work): lines += 1
    assert lines > 50, lines
"""
)


def test_a_signal_at_any_line_of_log_config_and_flush_deadlocks_nobody(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + AT_EVERY_LINE
        + """
run = weir.init('p', id='r', settings=SLOW)
times = 0
def work():
    global times
    run.log({'a': float(times), 'again': 2})
    run.config['a'] = times
    assert run.flush(timeout=100)
    times += 1
at_every_line(work)
run.finish()
assert run.stats.spooled == run.stats.logged == 2 * times
print(times)
""",
        WEIR_PREEMPT_SIGNAL="USR1",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert trainer.values("a") == [float(n) for n in range(int(done.stdout))]
    assert len(trainer.events("preempting")) == int(done.stdout) - 1


def test_a_signal_at_any_line_of_finish_loses_nothing(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + AT_EVERY_LINE
        + """
signal.signal(signal.SIGUSR1, lambda *_: None)
lines = 1
while True:
    run = weir.init('p', settings=SLOW)
    run.log({'a': float(lines)})
    hit = interrupted(lines, lambda: run.finish(timeout=60))
    assert run.stats.spooled == 1
    if not hit: break
    lines += 1
print(lines)
""",
        WEIR_PREEMPT_SIGNAL="USR1",
        WEIR_CONSOLE="off",  # its end is tried in test_console_faults.py
        within_s=100,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 50
    assert sorted(map(float, trainer.values("a"))) == [n + 1.0 for n in range(int(done.stdout))]
    assert {state for state, *_ in trainer.endings()} == {"FINISHED"}


def test_a_signal_to_idle_children_neither_kills_them_nor_makes_them_record(
    trainer: Trainer,
) -> None:
    done = trainer.run(
        START
        + INIT
        + """
pid = os.fork()
if pid == 0:
    kill('USR1')
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
kill('USR1')
run.finish()
""",
        WEIR_PREEMPT_SIGNAL="USR1",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert trainer.roles() == [""]
    assert trainer.events("preempting") == ["preempting: SIGUSR1"]


def test_after_the_last_run_the_signal_does_what_it_did_before(trainer: Trainer) -> None:
    done = trainer.run(
        START + INIT + "run.finish()\nkill('USR1')\nprint('alive')", WEIR_PREEMPT_SIGNAL="USR1"
    )
    assert (done.returncode, done.stdout) == (-signal.SIGUSR1, "")


def test_a_run_begun_in_another_thread_says_that_it_cannot_listen(trainer: Trainer) -> None:
    done = trainer.run(
        START
        + "def work():\n  global run\n  run = weir.init('p', id='r')\n"
        + "thread = threading.Thread(target=work); thread.start(); thread.join()\nrun.finish()",
        WEIR_PREEMPT_SIGNAL="USR1",
    )
    assert done.returncode == 0
    assert "call run.mark_preempting()" in done.stderr
    assert sys.platform != "win32"
