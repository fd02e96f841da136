"""The training process's own streams, led through a pipe or a terminal, and put back afterwards."""

import fcntl
import os
import select
from contextlib import suppress
from typing import Final

from weir._console.pipes import LEAST_DESCRIPTOR, open_pipe
from weir._console.terminal import open_terminal

# More room lets a burst pass without waiting for the scribe. Not the megabyte that the kernel
# allows: all pipes of a user together may hold 64 MiB before new ones are cut to a page.
_PIPE_BYTES: Final = 256 << 10


class FdTap:
    """One of the process's streams: file descriptor 1 or 2.

    Life: `open`, `lead_in` (from then on what is written goes to `source`), `give_back`, `close`.

    Attributes:
        stream: 1 or 2: the stream, and its file descriptor.
        source: Where what was written can be read. Kept open, so that the program meets no broken
            pipe should the scribe die.
        target: Where it went before, and will go again.
        terminal: Whether that is one.
    """

    def __init__(self, stream: int, source: int, sink: int, target: int, *, terminal: bool) -> None:
        self.stream = stream
        self.source = source
        self.target = target
        self.terminal = terminal
        self._sink = sink
        self._own = os.fstat(sink)

    @classmethod
    def open(cls, stream: int) -> "FdTap":
        """Make the way, but do not lead the stream into it yet.

        Raises:
            OSError: The process has no such stream, or no more descriptors.
        """
        terminal = os.isatty(stream)
        target = fcntl.fcntl(stream, fcntl.F_DUPFD_CLOEXEC, LEAST_DESCRIPTOR)
        try:
            source, sink = open_terminal(stream) if terminal else open_pipe(_PIPE_BYTES)
        except OSError:
            os.close(target)
            raise
        return cls(stream, source, sink, target, terminal=terminal)

    def lead_in(self) -> None:
        """Let the stream go here from now on."""
        os.dup2(self._sink, self.stream)
        self._close_sink()

    @property
    def ours(self) -> bool:
        """Whether the stream comes here; somebody may have led it elsewhere since."""
        try:
            return os.path.samestat(os.fstat(self.stream), self._own)
        except OSError:  # closed
            return False

    @property
    def stands_still(self) -> bool:
        """Whether the program waits for the scribe, and the scribe not for who reads the target."""
        return self.ours and not _is_writable(self.stream) and _is_writable(self.target)

    def give_back(self) -> None:
        """Let the stream go where it went before, if it still comes here."""
        with suppress(OSError):
            if self.ours:
                os.dup2(self.target, self.stream)

    def close_source(self) -> None:
        """Stop reading: whoever writes here afterwards meets a broken pipe."""
        if self.source >= 0:
            os.close(self.source)
            self.source = -1

    def close(self) -> None:
        """Let go of all but the stream itself."""
        self._close_sink()
        self.close_source()
        if self.target >= 0:
            os.close(self.target)
            self.target = -1

    def _close_sink(self) -> None:
        if self._sink >= 0:
            os.close(self._sink)
            self._sink = -1


def _is_writable(descriptor: int) -> bool:
    looking = select.poll()
    looking.register(descriptor, select.POLLOUT)
    return bool(looking.poll(0))
