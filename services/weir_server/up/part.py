"""One child process of `weir up`."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from weir_server.errors import StartupError
from weir_server.up import launch
from weir_server.up.log_file import last_line, open_log, roll
from weir_server.up.state import PartState


@dataclass(frozen=True, slots=True)
class PartSpec:
    """What to run, and what is expected of it.

    Attributes:
        name: redis, engine, migrate, writer, gateway, rules or dashboard.
        command: Its command line.
        variables: Server settings of its environment.
        log: Where it writes.
        ready: Whether it does its work by now; answers within about a second.
        ready_within_s: How long it may take to become so.
        alive: Whether it still does, once it was ready; answers within about a second.
        patience_s: How long it may answer nothing before it is killed and started again.
        stop_within_s: How long it may take to end after SIGTERM.
    """

    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str]
    log: Path
    ready: Callable[[], bool]
    ready_within_s: float
    stop_within_s: float
    alive: Callable[[], bool] = lambda: True
    patience_s: float = 30.0


class Part:
    """start, poll, terminate, kill; used by the main thread only."""

    def __init__(self, spec: PartSpec) -> None:
        self.spec = spec
        self._process: subprocess.Popen[bytes] | None = None
        self._started_unix_s = 0.0
        self._log_start = 0

    @property
    def name(self) -> str:
        """The part's name."""
        return self.spec.name

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only us.

        Raises:
            StartupError: There is nothing to run, or no room to log to.
        """
        try:
            roll(self.spec.log)
            log = open_log(self.spec.log)
        except OSError as error:
            raise StartupError(f"cannot write {self.spec.log}: {error.strerror}") from error
        try:
            self._log_start = os.fstat(log).st_size
            self._process = subprocess.Popen(
                self.spec.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=launch.child_environment(self.spec.variables),
                start_new_session=True,
                preexec_fn=launch.die_with_this_process(),  # safe: we have one thread
            )
        except OSError as error:
            raise StartupError(f"cannot start {self.name}: {error}") from error
        finally:
            os.close(log)
        self._started_unix_s = _born_unix_s(self._process.pid)

    def poll(self) -> int | None:
        """Return None while it runs, else its exit code (negative: the signal that ended it)."""
        return self._process.poll() if self._process else None

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process and self.running:
            self._process.terminate()

    def kill(self) -> None:
        """End it and whatever it has started; wait until it is gone."""
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self._process.kill()
        self._process.wait()

    def note(self, restarts: int) -> PartState:
        """Return what weir-up.json says of it."""
        pid = self._process.pid if self._process else 0
        return PartState(pid, self._started_unix_s, restarts)

    def last_words(self) -> str:
        """Return the last line that it has logged since it was started."""
        return last_line(self.spec.log, since=self._log_start)


def ending(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"ended with code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def _born_unix_s(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0
