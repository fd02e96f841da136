"""A record of `logging` that a handler also prints is one line, not two. Pure.

The printed line and the record reach the scribe by different ways, either first. Lines wait a
moment; when both are there, the printed one stays, with the record's level.
"""

from collections import deque
from typing import Final

from weir._console.records import LOGGING, Line

_WAIT_US: Final = 150_000
_MOST_WAITING: Final = 1_000
_COMPARED: Final = 100  # a record and its print are close to each other


class Pairing:
    """Holds lines back for a moment."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, Line, str]] = deque()  # came when, line, text to be found

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def add(self, line: Line, now_us: int, *, message: str = "") -> None:
        """Take a line. `message` is what its print must contain: for a printed record only."""
        if message and self._give_level(line, message):
            return
        if line.stream != LOGGING:
            line = self._take_level(line)
        self._waiting.append((now_us, line, message))

    def take(self, now_us: int, *, all_of_them: bool = False) -> list[Line]:
        """Return the lines that have waited long enough, in order."""
        taken: list[Line] = []
        while self._waiting:
            came_us, line, _ = self._waiting[0]
            waits = now_us - came_us < _WAIT_US
            if waits and not all_of_them and len(self._waiting) <= _MOST_WAITING:
                break
            self._waiting.popleft()
            taken.append(line)
        return taken

    def _give_level(self, record: Line, message: str) -> bool:
        """The print came before its record: set its level."""
        for index in range(len(self._waiting) - 1, max(-1, len(self._waiting) - _COMPARED), -1):
            came_us, line, _ = self._waiting[index]
            if line.stream != LOGGING and not line.level and message in line.text:
                self._waiting[index] = came_us, line._replace(level=record.level), ""
                return True
        return False

    def _take_level(self, line: Line) -> Line:
        """The record came before its print: it gives its level and goes."""
        for index in range(len(self._waiting) - 1, max(-1, len(self._waiting) - _COMPARED), -1):
            _, record, message = self._waiting[index]
            if message and message in line.text:
                del self._waiting[index]
                return line._replace(level=record.level)
        return line
