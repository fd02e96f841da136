"""Files that are saved whenever they change, or at the end of their run: `run.save(glob, policy)`."""

import os
import re
from collections.abc import Iterator
from glob import iglob
from pathlib import Path
from typing import Any, Final

from weir._artifacts.paths import path_fault, portable
from weir._spool import Outbox

_MOST_FILES: Final = 10_000  # below one glob
_PER_ORDER: Final = 1_000
_NEVER: Final = re.compile(r"(^|/)\.weir(/|$)")  # our own spool, wherever it lies


class Watch:
    """One order of kind `watch`: leaves orders of kind `files` for what has changed.

    A file counts as changed once it has not been written to between two looks.
    """

    def __init__(self, outbox: Outbox, order: dict[str, Any]) -> None:
        self._outbox = outbox
        self._glob = str(order["glob"])
        self._base = str(order["base"])
        self._live = order.get("policy") == "live"
        self._saved: dict[str, tuple[int, int]] = {}  # path → size and mtime when it was ordered
        self._seen: dict[str, tuple[int, int]] = {}  # likewise, at the last look

    def look(self, *, last: bool) -> None:
        """Order what has changed; with `last`, all that differs from what was ordered before."""
        if not (self._live or last):
            return
        now = {path: (size, mtime) for path, size, mtime in self._files()}
        changed = [
            path
            for path, stamp in now.items()
            if stamp != self._saved.get(path) and (last or stamp == self._seen.get(path))
        ]
        self._seen = now
        for first in range(0, len(changed), _PER_ORDER):
            self._order(changed[first : first + _PER_ORDER], now)

    def _order(self, paths: list[str], now: dict[str, tuple[int, int]]) -> None:
        files = []
        for path in paths:
            try:
                source, found = self._outbox.hold_now(path)
            except FileNotFoundError:
                continue
            name = portable(os.path.relpath(path, self._base))
            files.append(
                {
                    "path": name,
                    "source": source,
                    "size": found.st_size,
                    "mtime_ns": found.st_mtime_ns,
                }
            )
            self._saved[path] = now[path]
        if files:
            self._outbox.put({"order": "files", "files": files, "watched": self._live})

    def _files(self) -> Iterator[tuple[str, int, int]]:
        count = 0
        for path in iglob(self._glob, recursive=True):
            name = portable(os.path.relpath(path, self._base))
            if _NEVER.search(Path(path).as_posix()) or path_fault(name):
                continue
            try:
                found = os.stat(path)
            except OSError:
                continue
            if os.path.isfile(path) and count < _MOST_FILES:
                count += 1
                yield path, found.st_size, found.st_mtime_ns
