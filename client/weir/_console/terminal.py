"""A terminal that looks to the program like the one it had: the same size, settings and colours."""

import fcntl
import os
import struct
import termios
from contextlib import suppress
from typing import Final

_SIZE: Final = struct.Struct("HHHH")
_OUTPUT_FLAGS: Final = 1
_LOCAL_FLAGS: Final = 3


def open_terminal(like: int) -> tuple[int, int]:
    """Open a pty with the size and settings of a terminal; returns where to read and to write.

    It changes no byte of the output: the real terminal will do that.

    Raises:
        OSError: There is none to be had.
    """
    source, sink = os.openpty()
    try:
        settings = termios.tcgetattr(like)
        settings[_OUTPUT_FLAGS] &= ~termios.OPOST
        settings[_LOCAL_FLAGS] &= ~termios.ECHO  # nobody types here
        termios.tcsetattr(sink, termios.TCSANOW, settings)
        copy_size(like, source)
    except (OSError, termios.error) as error:
        os.close(source)
        os.close(sink)
        raise OSError(f"no terminal: {error}") from error
    return source, sink


def copy_size(like: int, to: int) -> None:
    """Give one terminal the size of another, if they differ."""
    with suppress(OSError):  # the real one is gone
        size = fcntl.ioctl(like, termios.TIOCGWINSZ, bytes(_SIZE.size))
        if size != fcntl.ioctl(to, termios.TIOCGWINSZ, bytes(_SIZE.size)):
            fcntl.ioctl(to, termios.TIOCSWINSZ, size)
