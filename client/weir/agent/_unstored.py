"""How much was sent that the store does not have yet. Pure."""

from collections import deque
from typing import Final

# Frames are counted together up to this much, so that hours of tiny ones take little memory.
_PIECE_BYTES: Final = 64 << 10


class Unstored:
    """Body bytes of one producer between its committed and its next frame.

    Exact to a piece of 64 KiB, which counts until its last frame is stored.

    Attributes:
        bytes: How many there are.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._pieces: deque[tuple[int, int]] = deque()  # (last seq, bytes), by seq

    def sent(self, seq: int, body_bytes: int) -> None:
        """Count a frame that follows all counted before."""
        self.bytes += body_bytes
        if self._pieces and self._pieces[-1][1] < _PIECE_BYTES:
            body_bytes += self._pieces.pop()[1]
        self._pieces.append((seq, body_bytes))

    def stored(self, seq: int) -> None:
        """Forget the frames up to `seq`: the store has them."""
        while self._pieces and self._pieces[0][0] <= seq:
            self.bytes -= self._pieces.popleft()[1]

    def sent_again_from(self, seq: int) -> None:
        """Forget the frames from `seq` on: they will be sent, and counted, once more."""
        while self._pieces and self._pieces[-1][0] >= seq:
            self.bytes -= self._pieces.pop()[1]
