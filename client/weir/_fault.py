"""Named places where a test may let the process die, as if by SIGKILL: docs/faults.md.

The client's twin of the server's `fault.py`, which it may not import.
`WEIR_FAULT=agent.after_frame:3` ends the process the third time it gets there.
"""

import os

from weir._settings import read_fault

_KILLED = 137  # what a shell reports of a process ended by SIGKILL
_point, _, _count = read_fault().partition(":")
_left = int(_count) if _count.isdecimal() else 1


def hit(point: str) -> None:
    """Die here when told to: no flush, no goodbye, like a power cut."""
    if point != _point:
        return
    global _left
    _left -= 1
    if _left <= 0:
        os._exit(_KILLED)
