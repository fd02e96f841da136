"""What a killed `weir up` left behind: processes that are still ours, and only those."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final

import psutil

from weir_server.up.state import PartState

_STOP_WITHIN_S: Final = (
    5.0  # nothing that is acknowledged needs a gentle end; recovery waits for this
)
_SAME_BIRTH_S: Final = 1.0  # psutil derives the birth from the boot time, which may be adjusted


def find_orphans(parts: Mapping[str, PartState]) -> dict[str, psutil.Process]:
    """Return the noted processes that still live: same pid, same birth, same user."""
    found = {}
    for name, part in parts.items():
        try:
            process = psutil.Process(part.pid)
            same = abs(process.create_time() - part.started_unix_s) < _SAME_BIRTH_S
            alive = process.status() != psutil.STATUS_ZOMBIE
            if same and alive and process.uids().real == os.getuid():
                found[name] = process
        except psutil.Error:
            continue
    return found


def end_orphans(parts: Mapping[str, PartState], say: Callable[[str], None]) -> None:
    """End them, gently first."""
    orphans = find_orphans(parts)
    for name, process in orphans.items():
        say(f"ending {name} (pid {process.pid}), left by an earlier weir up")
        _signal(process.terminate)
    _, stubborn = psutil.wait_procs(list(orphans.values()), timeout=_STOP_WITHIN_S)
    for process in stubborn:
        _signal(process.kill)
    psutil.wait_procs(stubborn, timeout=_STOP_WITHIN_S)


def _signal(send: Callable[[], None]) -> None:
    try:
        send()
    except psutil.NoSuchProcess:
        return
