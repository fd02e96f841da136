"""What a library writes to stderr on its own, caught so that it can be said in our words."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def caught() -> Iterator[list[str]]:
    """Keep file descriptor 2 quiet; the list holds the lines written to it, once the block ends.

    Only for the start of a process: whatever other threads write meanwhile is caught as well.
    """
    lines: list[str] = []
    sys.stderr.flush()
    before = os.dup(_STDERR)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), _STDERR)
        try:
            yield lines
        finally:
            os.dup2(before, _STDERR)
            os.close(before)
            held.seek(0)
            lines += held.read().decode(errors="replace").splitlines()
