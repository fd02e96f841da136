"""Waiting at the end of a run until its outbox is empty, with a progress bar where somebody looks."""

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from weir._spool import Outbox

if TYPE_CHECKING:
    pass

_LOOK_EVERY_S: Final = 0.05
_SILENT_S: Final = 1.0  # a shorter wait is not worth a line


def wait_for_uploads(outbox: Outbox, timeout_s: float) -> str:
    """Wait until the agent has seen to every order; returns what is left, in words, "" = nothing.

    No thread is started: this runs at interpreter exit too.
    """
    began_s = time.monotonic()
    bar: _Bar | None = None
    try:
        while pending := outbox.pending():
            waited_s = time.monotonic() - began_s
            if waited_s >= timeout_s:
                return _words(len(pending), outbox.progress())
            if waited_s >= _SILENT_S and is_watched():
                bar = bar or _Bar()
                bar.show(outbox.progress())
            time.sleep(_LOOK_EVERY_S)
    finally:
        if bar is not None:
            bar.close()
    return ""


def is_watched() -> bool:
    """Whether somebody looks at stderr, which may be anything a program has put there."""
    try:
        return bool(sys.stderr.isatty())
    except (AttributeError, ValueError):  # None, closed, or an object that only writes
        return False


def _words(orders: int, progress: dict[str, Any]) -> str:
    said = f"{orders} uploads" if orders != 1 else "one upload"
    if total_bytes := progress.get("total_bytes"):
        percent = 100 * progress.get("sent_bytes", 0) // total_bytes
        said += f" ({progress.get('doing')}: {percent} %)"
    if trouble := progress.get("trouble"):
        said += f"; in the way: {trouble}"
    return said


class _Bar:
    """One line of progress on stderr, drawn only when told to."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

        self._progress: Progress = Progress(
            TextColumn("weir: {task.description}"),
            BarColumn(),
            DownloadColumn(binary_units=True),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("uploading", total=None)
        self._progress.start()

    def show(self, progress: dict[str, Any]) -> None:
        """Draw how far it is."""
        self._progress.update(
            self._task,
            description=progress.get("trouble") or progress.get("doing") or "uploading",
            completed=progress.get("sent_bytes", 0),
            total=progress.get("total_bytes") or None,
            refresh=True,
        )

    def close(self) -> None:
        """Take the line away."""
        with suppress(Exception):  # a terminal that has gone
            self._progress.stop()
