"""Progress bars on stderr, where somebody looks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from weir._artifacts.waiting import is_watched


@contextmanager
def download_bar(
    title: str, total_bytes: int, *, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; gives what is told how many bytes have passed."""
    if quiet or not is_watched():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    lock = threading.Lock()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total_bytes)

        def passed(size_bytes: int) -> None:
            with lock:
                progress.advance(task, size_bytes)

        yield passed
