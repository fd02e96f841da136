"""A child's environment, and its bond to this process."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Final

from weir_server.catalog import PREFIX

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return our environment with every server setting replaced by `variables`."""
    kept = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - handed on, not read
        if not (name.startswith(PREFIX) and "__" in name)
    }
    return {**kept, "PYTHONUNBUFFERED": "1", **variables}


def die_with_this_process() -> Callable[[], None] | None:
    """Return what a child does before exec so that it ends when we do, even by SIGKILL.

    SIGTERM rather than SIGKILL: Redis flushes its file and the engine closes its tables. Linux
    only; elsewhere the next `weir up` on the directory finds what was left (orphans.py). The bond
    is to the thread that starts the child: always the main thread, which lives as long as we do.
    """
    if _LIBC is None:
        return None
    parent = os.getpid()

    def bind() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # we died before the bond was made
            os._exit(1)

    return bind
