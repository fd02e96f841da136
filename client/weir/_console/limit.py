"""How much of what is printed is recorded: so many lines a second, averaged over a minute. Pure."""

from typing import Final

_BURST_S: Final = 60.0
_LINE_BYTES: Final = 1024  # a longer line counts as several


class LineLimit:
    """Lets lines pass, at most so many a second over a minute, and counts the others.

    Attributes:
        left_out: Lines that did not pass since they were last told.
    """

    def __init__(self, lines_per_s: float) -> None:
        self.lines_per_s = lines_per_s
        self.left_out = 0
        self._room = lines_per_s * _BURST_S
        self._looked_s = 0.0

    @property
    def spent(self) -> bool:
        """Whether the next line will not pass, unless time does."""
        return self._room < 1.0

    def refill(self, now_s: float) -> None:
        """Make room for the time that went by since the last call; call before `admit`."""
        if self._looked_s:
            gained = max(0.0, now_s - self._looked_s) * self.lines_per_s
            self._room = min(self.lines_per_s * _BURST_S, self._room + gained)
        self._looked_s = now_s

    def admit(self, size_bytes: int) -> bool:
        """Return whether a line may be recorded; counts it when not."""
        if self._room < 1.0:
            self.left_out += 1
            return False
        self._room -= 1 + size_bytes // _LINE_BYTES
        return True

    def tell(self) -> int:
        """Return how many lines were left out since the last call."""
        told, self.left_out = self.left_out, 0
        return told
