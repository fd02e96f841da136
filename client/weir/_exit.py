"""The end of the process: runs left open are ended with what is known about why.

No clock is asked: it may be set between the last point and the end.

At interpreter exit no thread and no process is started: the spool threads, which still live, are
asked for their last frame and joined.
"""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from weir_proto.v1 import ingest_pb2 as pb

if TYPE_CHECKING:
    from weir._run import Run

_open_runs: "dict[int, Run]" = {}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process life ended.

    Attributes:
        state: FINISHED, FAILED or INTERRUPTED.
        reason: One line; "" when there is nothing to say.
    """

    state: pb.SessionUpdate.State
    exit_code: int = 0
    reason: str = ""


FINISHED: Final = Ending(pb.SessionUpdate.FINISHED)


def ending_of(error: BaseException | None) -> Ending:
    """Return the ending that an exception (or none) means."""
    if error is None:
        return FINISHED
    if isinstance(error, SystemExit):
        return ending_of_code(error.code)
    if isinstance(error, KeyboardInterrupt):
        return Ending(pb.SessionUpdate.INTERRUPTED, 130, "KeyboardInterrupt")
    return Ending(pb.SessionUpdate.FAILED, 1, _words_of(error))


def _words_of(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}".rstrip(": ")
    except Exception:  # noqa: BLE001 - an exception that cannot be printed, as Python says too
        return type(error).__name__


def masked_reason(ending: Ending) -> str:
    """Return the reason without what looks like a secret: exceptions quote what they were given."""
    if not ending.reason:
        return ""
    from weir._redact import Redactor  # most runs end well and do without
    from weir._secrets import secret_values

    return Redactor(secret_values(os.environ)).text(ending.reason)  # noqa: TID251 - to mask them


def ending_when_preempted(ending: Ending) -> Ending:
    """Return what an ending means in a process that was told it would be taken away."""
    if ending.state != pb.SessionUpdate.FAILED:
        return ending
    return Ending(pb.SessionUpdate.INTERRUPTED, ending.exit_code, ending.reason)


def ending_of_code(code: Any) -> Ending:
    """Return the ending that the argument of sys.exit() means, as Python reads it."""
    if code is None or (isinstance(code, int) and code == 0):
        return FINISHED
    code = int(code) if isinstance(code, bool) else code
    if isinstance(code, int) and (name := _signal_in(code)):
        return Ending(pb.SessionUpdate.INTERRUPTED, code, f"exit code {code} ({name})")
    if isinstance(code, int):
        return Ending(pb.SessionUpdate.FAILED, code, f"exit code {code}")
    return Ending(pb.SessionUpdate.FAILED, 1, str(code))


def _signal_in(code: int) -> str:
    """Name the signal that handlers mean who exit with 128 + its number; "" when none is meant."""
    names = ("SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGXCPU")
    return next((name for name in names if code == 128 + getattr(signal, name, 1000)), "")


class _ExitCode:
    """Remembers what sys.exit() was called with: Python tells nobody at exit.

    `raise SystemExit(3)` without sys.exit() goes unseen. A run that logs after the call, or begins
    after it, shows that somebody caught it; in another thread it ends only that.
    """

    def __init__(self) -> None:
        self._code: Any = None
        self._logged: dict[int, int] = {}  # points of each run when sys.exit() was called
        self._inner: Callable[[Any], None] | None = None

    def install(self) -> None:
        """Begin to listen; once is enough, whoever wraps sys.exit after us."""
        if self._inner is None:
            self._inner = sys.exit
            sys.exit = self._exit  # type: ignore[assignment]  # it returns no more than the inner

    def ending(self, run: "Run") -> Ending:
        """Return what the last call means for a run; FINISHED when it does not concern it."""
        concerned = self._logged.get(id(run)) == run.stats.logged
        return ending_of_code(self._code) if concerned else FINISHED

    def _exit(self, status: Any = None, /) -> None:
        if threading.current_thread() is threading.main_thread():
            self._code = status
            self._logged = {id(run): run.stats.logged for run in open_runs()}
        if self._inner is not None:
            self._inner(status)


_exit_code: Final = _ExitCode()


def end_with_interpreter(run: "Run") -> None:
    """Take care of a run until it is finished."""
    if not _open_runs:
        _exit_code.install()
    _open_runs[id(run)] = run
    end_with_child()


def end_with_child() -> None:
    """In a child made by multiprocessing, whose end skips atexit, hook into its own farewell."""
    process = sys.modules.get("multiprocessing.process")
    farewell = sys.modules.get("multiprocessing.util")
    if process is None or farewell is None or process.parent_process() is None:
        return
    farewell.Finalize(None, _end_open_runs, exitpriority=0)


def forget(run: "Run") -> None:
    """The run is finished; nothing is left to do for it at exit."""
    _open_runs.pop(id(run), None)


def open_runs() -> "list[Run]":
    """Return the runs not finished yet, oldest first."""
    return list(_open_runs.values())


def _end_open_runs() -> None:
    began_s = time.monotonic()
    for run in open_runs():
        ending = _process_ending(run)
        run.ended_by_interpreter(ending, spent_s=time.monotonic() - began_s)


def _process_ending(run: "Run") -> Ending:
    """What is known now about why the process ends."""
    error = sys.exc_info()[1] or _uncaught()
    return _exit_code.ending(run) if error is None else ending_of(error)


def at_prompt() -> bool:
    """Whether somebody types: at a prompt, or in a notebook (IPython sets the prompt there too)."""
    return hasattr(sys, "ps1")


def _uncaught() -> BaseException | None:
    """The exception that ended the program. In an interactive session it ended only a line."""
    if at_prompt() or sys.flags.interactive:
        return None
    return getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)


atexit.register(_end_open_runs)
