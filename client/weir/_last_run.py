"""Which run a spool root's last process worked on, for `resume="auto"`: one small file."""

import contextlib
from pathlib import Path

from weir._spool import last_run_path


def read_last_run(root: Path, project: str) -> str:
    """Return the id of the last run that did not finish well; "" when there is none."""
    try:
        return last_run_path(root, project).read_text().strip()
    except OSError:
        return ""


def note_last_run(root: Path, project: str, run_id: str) -> None:
    """Remember a run until it finishes well. A disk that refuses costs only the resuming."""
    with contextlib.suppress(OSError):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        last_run_path(root, project).write_text(run_id)


def forget_last_run(root: Path, project: str, run_id: str) -> None:
    """The run finished well: the next process begins a new one."""
    if read_last_run(root, project) == run_id:
        with contextlib.suppress(OSError):
            last_run_path(root, project).unlink()
