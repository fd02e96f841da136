"""Signal handlers that others put over ours; the signals themselves: tests/fault/test_preemption.py."""

import signal
from pathlib import Path
from typing import Any

import pytest

from weir.testing import read_root

LISTEN_OVER_EACH_OTHER = """
import os, signal, weir
number = getattr(signal, 'SIG' + os.environ['WEIR_PREEMPT_SIGNAL'])
weir.init('p', id='first')
ours = signal.getsignal(number)
def theirs(number, frame):
    print('theirs', flush=True)
    ours(number, frame)
signal.signal(number, theirs)
weir.init('p', id='second')
signal.raise_signal(number)
print('goes on')
"""


@pytest.mark.parametrize(
    ("name", "printed", "code"),
    [("USR1", "theirs\ngoes on\n", 0), ("TERM", "theirs\n", -signal.SIGTERM)],
)
def test_a_handler_that_calls_ours_in_turn_is_called_once_and_so_are_we(
    run_script: Any, tmp_path: Path, name: str, printed: str, code: int
) -> None:
    done = run_script(LISTEN_OVER_EACH_OTHER, WEIR_PREEMPT_SIGNAL=name)
    assert (done.returncode, done.stdout) == (code, printed), done.stderr
    told = [(m.run_id, e.title) for m, body in read_root(tmp_path / "spool") for e in body.events]
    assert sorted(told) == [(run, f"preempting: SIG{name}") for run in ("first", "second")]
