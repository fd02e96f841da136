"""After a fork the child's runs let go of the parent's threads, files and locks."""

import os

from weir._exit import open_runs


def _detach_runs() -> None:
    for run in open_runs():
        run.detach_in_child()


def watch_forks() -> None:
    """Detach runs in every child from now on. Called once, when the package is imported."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_detach_runs)
