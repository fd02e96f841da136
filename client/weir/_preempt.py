"""Being taken away: a signal that announces the end of the job is recorded before it comes.

Nothing is listened to unless the setting `preempt_signal` names a signal.
"""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from weir._exit import open_runs
from weir._speak import log
from weir.errors import RunFinished

if TYPE_CHECKING:
    from weir._run import Run

_WARNINGS: Final = ("SIGUSR1", "SIGUSR2")  # sent to say something; the others end the process
# Signal number → the handlers that were there before; several when others listened over us since.
_installed: Final[dict[int, list[Any]]] = {}
_handling: Final[set[int]] = set()
_passing: Final[list[tuple[int, FrameType | None]]] = []  # signals that handlers before us look at


def watch_for_preemption(name: str) -> None:
    """Listen to a signal from now on; does nothing for "". Called by init().

    Args:
        name: `USR1`, `TERM` and so on, as the setting says it.
    """
    number = getattr(signal, f"SIG{name}", None) if name else None
    if number is None or signal.getsignal(number) is _on_signal:
        return
    if threading.current_thread() is not threading.main_thread():
        log.warning(
            "weir: only the main thread can listen to SIG%s; call run.mark_preempting() in a "
            "handler of your own",
            name,
        )
        return
    _installed.setdefault(number, []).append(signal.signal(number, _on_signal))


def _on_signal(number: int, frame: FrameType | None) -> None:
    name = signal.Signals(number).name
    runs = open_runs()
    turn = _passing.count((number, frame))  # over 0: a handler before us calls us in turn
    if number not in _handling and not turn:  # the same again, while we wait for the disk
        _handling.add(number)
        try:
            _mark(runs, name)
        finally:
            _handling.discard(number)
    before = _installed[number][-1 - turn] if turn < len(_installed[number]) else None
    if callable(before):
        _pass_on(before, number, frame)
    elif before is signal.SIG_DFL and not (runs and name in _WARNINGS):
        _die_of(number)


def _pass_on(handler: Callable[..., Any], number: int, frame: FrameType | None) -> None:
    _passing.append((number, frame))
    try:
        handler(number, frame)
    finally:
        _passing.remove((number, frame))


def _mark(runs: "list[Run]", name: str) -> None:
    for run in runs:
        if run.detached:  # a forked child that never logged has nothing to say
            continue
        with suppress(RunFinished):  # the signal came in the middle of finish()
            run.mark_preempting(name)


def _die_of(number: int) -> None:
    """Let the signal do what it would have done without us."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
