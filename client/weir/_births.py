"""When producers are born: lives of one rank are a second apart, so that newer rows win (ADR 4)."""

from pathlib import Path
from typing import Final

from weir._spool import newest_birth_us

_VERSION_US: Final = 1_000_000  # rows are versioned by the second of their producer's birth
_births_us: dict[tuple[str, str, int], int] = {}  # newest producer of each line made here


def next_birth_us(root: Path, project: str, run_id: str, rank: int, *, now_us: int) -> int:
    """Return a moment by which what a new producer writes is newer than all that was written here.

    Args:
        root: The spool root.
        project: Of the run.
        run_id: The run.
        rank: Whose life begins.
        now_us: Unix µs.
    """
    line = (project, run_id, rank)
    before_us = max(
        _births_us.get(line, 0),
        # a process that was started again at once
        newest_birth_us(root, *line, since_us=now_us - _VERSION_US),
    )
    birth_us = max(now_us, before_us + _VERSION_US)
    _births_us[line] = birth_us
    return birth_us
