"""Is the trainer that writes a spool still there?"""

import time
from enum import Enum
from pathlib import Path
from typing import Final

import psutil

from weir._process import process_birth
from weir._spool import Meta, SpoolDir

# btime moves when the clock is set, and with it what psutil calculates.
_CREATION_TOLERANCE_S: Final = 2.0
# The SDK writes at least a heartbeat every 15 s.
_SILENT_S: Final = 60.0
_FOREIGN_SILENT_S: Final = 600.0


class Life(Enum):
    """What we know about a trainer."""

    LIVE = "live"
    DEAD = "dead"
    UNKNOWN = "unknown"  # it ran on another node and may be there still


def trainer_life(spool: SpoolDir, meta: Meta, *, node: str) -> Life:
    """Tell whether the process in `meta` still runs.

    A process that is gone, or a zombie, is dead at once, and so is one whose pid was given to
    another since this machine was started. Where only the time of day can tell, a process that
    began at another time is most likely somebody else; but a clock that was set looks the same, so
    the spool must have been silent for a minute too. Of other nodes we know only that their spool
    was silent for ten minutes.
    """
    if meta.node != node:
        return Life.DEAD if _silent_for_s(spool) > _FOREIGN_SILENT_S else Life.UNKNOWN
    started_s = _process_started_s(meta.pid)
    if started_s is None:
        return Life.DEAD
    same = same_birth(meta.process_birth, process_birth(meta.pid))
    if same is not None:
        return Life.LIVE if same else Life.DEAD
    if abs(started_s - meta.process_started_s) <= _CREATION_TOLERANCE_S:
        return Life.LIVE
    return Life.DEAD if _silent_for_s(spool) > _SILENT_S else Life.LIVE


def same_birth(noted: str, found: str) -> bool | None:
    """Return whether two births are one; None when they cannot be compared: of different boots.

    Another boot may be another machine with our name, whose processes we cannot look at. Pure.
    """
    boot, _, ticks = noted.rpartition("/")
    found_boot, _, found_ticks = found.rpartition("/")
    return None if not boot or boot != found_boot else ticks == found_ticks


def _process_started_s(pid: int) -> float | None:
    """Creation time of a process, Unix seconds; None when there is none, or only a zombie."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except (psutil.NoSuchProcess, ValueError):  # ValueError: not a pid at all
        return None
    except psutil.AccessDenied:  # somebody's, and there
        return 0.0


def _silent_for_s(spool: SpoolDir) -> float:
    """Seconds since the spool was last written to."""
    newest_s = max((_modified_s(path) for path in spool.list_segments()), default=0.0)
    newest_s = max(newest_s, _modified_s(spool.path / "meta.json"))
    return time.time() - newest_s


def _modified_s(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
