"""Starting the scribe: what it is told, and by which ways."""

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from weir._console.orders import TOLD
from weir._console.pipes import open_pipe
from weir._console.records import LOCK_NAME
from weir._secrets import secret_values

_CONTROL_BYTES: Final = 256 << 10
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # what Python itself may need


def take_lock(folder: Path) -> int:
    """Make the record's folder and the lock in it, which says that lines may come.

    The scribe inherits it: there is no moment in which nobody holds it.

    Raises:
        OSError: The disk does not let us.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


class ScribeProcess:
    """A scribe and the pipes to it.

    Attributes:
        process: The child.
        ack: Read end of the pipe it answers by.
    """

    def __init__(self, told: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        """Start it; it opens its eyes a few hundredths of a second later.

        Args:
            told: What to do, as `Scribe` reads it, but for `ack`.
            descriptors: What it inherits.

        Raises:
            OSError: It cannot be started.
        """
        if not sys.executable:
            raise OSError("sys.executable is not known in this process")
        self._control_end, self._control = open_pipe(_CONTROL_BYTES)
        self.ack, ack_end = open_pipe()
        try:
            os.set_blocking(self._control, False)
            os.set_blocking(ack_end, False)
            os.set_blocking(self.ack, False)
            words = json.dumps({**told, "ack": ack_end, "secrets": _secrets(told)}).encode()
            self._tell(TOLD.pack(len(words)) + words)
            self.process = subprocess.Popen(
                _command(self._control_end),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(self._control_end, ack_end, *descriptors),
                start_new_session=True,  # Ctrl-C and a closed terminal are for the trainer
                cwd="/",
                env=_environment(),
            )
        except BaseException:
            self.close()
            raise
        finally:
            os.close(ack_end)

    def end(self, word: bytes) -> None:
        """Say that nothing more is to be recorded."""
        with suppress(OSError):
            self._tell(word)

    def kill(self) -> None:
        """End it as it stands."""
        with suppress(OSError):
            self.process.kill()

    def let_go(self, timeout_s: float) -> None:
        """Wait a little for its end; where children still print it lives on with them."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.returncode = 0  # no "still running" warning when this handle is dropped

    def close(self) -> None:
        """Close our ends of the pipes. We kept both of the control's: no broken pipe for us."""
        descriptors = self._control_end, self._control, self.ack
        self._control_end = self._control = self.ack = -1
        for descriptor in descriptors:
            if descriptor >= 0:
                os.close(descriptor)

    def _tell(self, words: bytes) -> None:
        if os.write(self._control, words) < len(words):
            raise OSError("too much to tell the scribe")


def _command(control: int) -> list[str]:
    return [sys.executable, "-I", "-S", str(Path(__file__).with_name("__main__.py")), str(control)]


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}


def _secrets(told: Mapping[str, Any]) -> list[str]:
    """What must not get into the record. It goes through the pipe: not by argv, environ or disk."""
    return [*told["secrets"], *secret_values(os.environ)]
