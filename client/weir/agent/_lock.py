"""One agent per node and root: the lock file, and who holds it."""

import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import psutil

from weir._spool import agent_lock_path

_TRIES: Final = 10
_BETWEEN_TRIES_S: Final = 0.03


class AgentLock:
    """The flock on `agent-<node>.lock`. The kernel lets go of it when the process dies."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, root: Path, node: str, *, version: str) -> Self | None:
        """Take the lock; None when another agent holds it.

        Raises:
            OSError: The root cannot be written to, or its file system knows no flock.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(agent_lock_path(root, node), flags, 0o600)
        if not _lock_patiently(descriptor):
            os.close(descriptor)
            return None
        pid = os.getpid()
        holder = {"pid": pid, "version": version, "started_s": psutil.Process(pid).create_time()}
        os.ftruncate(descriptor, 0)
        with suppress(OSError):  # a full disk: nobody can say who we are, but only we can empty it
            os.pwrite(descriptor, json.dumps(holder).encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let another agent have it."""
        os.close(self._descriptor)


def _lock_patiently(descriptor: int) -> bool:
    """Try for a third of a second: trainers that look for an agent hold the lock for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN_TRIES_S)
        else:
            return True
    return False


def agent_pid(root: Path, node: str) -> int | None:
    """Return the pid of the agent that serves `root` on this node; None when there is none.

    Reads the lock file without touching the lock, so asking never keeps an agent from starting.
    """
    try:
        holder = json.loads(agent_lock_path(root, node).read_bytes())
        process = psutil.Process(int(holder["pid"]))
        same = abs(process.create_time() - float(holder["started_s"])) < 2.0
        return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
