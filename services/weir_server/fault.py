"""Named places where a test may let the process die, as if by SIGKILL.

`WEIR_FAULT=writer.before_commit:3` ends the process the third time it gets
there, `writer.before_commit:3:stop` freezes it there as SIGSTOP does, until a
SIGCONT. Without the variable a `hit` costs one comparison. Every point is
listed in docs/faults.md.
"""

from __future__ import annotations

import os
import signal
import threading

from weir_server.settings import read_fault

_KILLED = 137  # what a shell reports of a process ended by SIGKILL
_lock = threading.Lock()  # guards _left
_point, _, _rest = read_fault().partition(":")
_count, _, _how = _rest.partition(":")
_left = int(_count or 1)


def hit(point: str) -> None:
    """Die or freeze here when told to: no flush, no goodbye, like a power cut."""
    if point != _point:
        return
    global _left
    with _lock:
        _left -= 1
        if _left > 0 or (_how == "stop" and _left < 0):
            return
    if _how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        os._exit(_KILLED)
