"""Who speaks next on a stream that many producers share. Pure: no I/O and no clock.

What is logged now goes first; what was logged while the server was away follows, in order, and
never fills the pipe. Frames queue up between gateway and store, so whatever a backlog has put
there is what a live frame has to wait for: a backlog therefore sends no further frame before the
store has kept its earlier ones, up to its share of the window.

    ready, near the end of its spool   every one, each cycle
    ready, far behind                  one each cycle, while all of them together have less than
                                       their share of the window sent and not stored
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

# Who has more than this still to send is behind; a producer that keeps pace has a turn's worth.
BEHIND_BYTES: Final = 1 << 20
LIVE_TURN_BYTES: Final = 64 << 10
BACKLOG_TURN_BYTES: Final = 256 << 10
# The share of the window that all backlogs together may have sent and not stored.
SHARE_BESIDE_LIVE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand with one producer.

    Attributes:
        producer: Its id.
        ready: It may say something now.
        greets: … and that is a Hello.
        running: Its process may still be writing.
        lag_bytes: What lies in its spool and was not sent.
        unstored_bytes: What was sent and is not in the store.
    """

    producer: bytes
    ready: bool
    greets: bool = False
    running: bool = False
    lag_bytes: int = 0
    unstored_bytes: int = 0

    @property
    def behind(self) -> bool:
        """Whether it sends what happened a while ago."""
        return self.lag_bytes > BEHIND_BYTES


@dataclass(frozen=True, slots=True)
class Turn:
    """A producer may speak, for about so many bytes."""

    producer: bytes
    limit_bytes: int


class Turns:
    """Gives out turns, cycle after cycle; remembers only whose turn among backlogs is next."""

    def __init__(self) -> None:
        self._cycle = 0
        self._served: dict[bytes, int] = {}  # producers with a backlog → the cycle of their turn

    def plan(self, standings: Sequence[Standing], *, window_bytes: int) -> list[Turn]:
        """Return the turns of one cycle.

        Args:
            standings: Every producer of the stream.
            window_bytes: What the server lets one producer have under way.
        """
        self._cycle += 1
        turns = [
            Turn(one.producer, LIVE_TURN_BYTES)
            for one in standings
            if one.ready and (one.greets or not one.behind)
        ]
        backlogs = [one for one in standings if one.behind]
        room_bytes = _room_bytes(standings, window_bytes)
        chosen = self._choose(one for one in backlogs if one.ready and not one.greets)
        if chosen is not None and room_bytes > 0:
            self._served[chosen.producer] = self._cycle
            turns.append(Turn(chosen.producer, min(BACKLOG_TURN_BYTES, room_bytes)))
        self._forget_others(backlogs)
        return turns

    def _choose(self, waiting: Iterable[Standing]) -> Standing | None:
        """Return who waits longest; every other time, of those whose process still runs."""
        waiting = list(waiting)
        running = [one for one in waiting if one.running]
        candidates = running if running and self._cycle % 2 else waiting
        return min(candidates, key=lambda one: self._served.get(one.producer, 0), default=None)

    def _forget_others(self, backlogs: Sequence[Standing]) -> None:
        if len(self._served) > len(backlogs):
            known = {one.producer for one in backlogs}
            self._served = {who: when for who, when in self._served.items() if who in known}


def _room_bytes(standings: Sequence[Standing], window_bytes: int) -> int:
    """Return what backlogs may still send before the store has to keep some of it."""
    live = any(one.running and not one.behind for one in standings)
    share_bytes = int(window_bytes * SHARE_BESIDE_LIVE) if live else window_bytes
    return share_bytes - sum(one.unstored_bytes for one in standings if one.behind)
