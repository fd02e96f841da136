"""What may be sent next for one producer, and what the server's answers mean.

Pure: no I/O and no clock of its own. The caller passes monotonic seconds as `now_s`.

                      welcome                    gap reached, answer lost, first_available passed
    SILENT ── greet ─▶ GREETING ── welcome ─▶ OPEN ───────────────────────────────▶ SILENT
       ▲                  │ refusal                ack: window opens, rewind, hold
       └── after a while ─┴─▶ REFUSED

    seq    1 … committed │ … accepted │ … in flight │ next_seq … last_spooled
           may be forgotten  in Redis    sent          still only on our disk
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from weir.agent._unstored import Unstored

# A rewind drops what is in flight. The answers to it are still on their way and each may ask for
# the same rewind again; waiting a little lets them pass instead of answering each with a resend.
REWIND_PAUSE_S: Final = 0.05
LONGEST_REWIND_PAUSE_S: Final = 5.0
# Frames that were accepted and that nothing follows are asked about when they stay uncommitted:
# a stream that has lost its tail says so only when spoken to.
CONFIRM_AFTER_S: Final = 30.0
REFUSED_RETRY_S: Final = 1.0
LONGEST_REFUSED_RETRY_S: Final = 30.0
REFUSED_FOR_GOOD_RETRY_S: Final = 600.0


class Phase(Enum):
    """Where a conversation stands on the present stream."""

    SILENT = auto()  # the server does not know of us, or must hear of us again
    GREETING = auto()  # Hello sent, Welcome not here yet
    OPEN = auto()  # frames may be sent
    REFUSED = auto()  # the server will not serve this producer; ask again later


@dataclass(frozen=True, slots=True)
class Greeting:
    """The numbers of a Hello.

    Attributes:
        first_available: Lowest seq that can still be sent.
        last_spooled: Highest seq in the spool; 0 = none.
    """

    first_available: int
    last_spooled: int


@dataclass(slots=True)
class Conversation:
    """One producer's side of the sequence protocol (docs of ingest.proto).

    Attributes:
        first_available: Lowest seq in the spool.
        last_spooled: Highest seq known to be in the spool.
        accepted_seq: Highest seq in the server's stream, as last told.
        next_seq: The frame to send next.
        phase: Where the conversation stands on the present stream.
    """

    first_available: int = 1
    last_spooled: int = 0
    accepted_seq: int = 0
    next_seq: int = 1
    phase: Phase = Phase.SILENT
    _committed_seq: int = 0
    _window_frames: int = 1
    _window_bytes: int = 0
    _in_flight: deque[tuple[int, int]] = field(default_factory=deque)  # (seq, body bytes)
    _in_flight_bytes: int = 0
    _unstored: Unstored = field(default_factory=Unstored)
    _gap: tuple[int, int] | None = None  # unreadable frames that sending has come to
    _hold_until_s: float = 0.0
    _rewinds: int = 0  # in a row, without progress
    _refusals: int = 0  # in a row
    _furthest_accepted: int = 0
    _waiting_since_s: float | None = None
    _moved_s: float = 0.0  # when a watermark last moved, or we asked

    # ── what is known ──────────────────────────────────────────────────────

    @property
    def committed_seq(self) -> int:
        """Highest seq the spool may forget; never more than was spooled."""
        return min(self._committed_seq, self.last_spooled)

    @property
    def drained(self) -> bool:
        """Whether everything known to be in the spool is committed."""
        return self._committed_seq >= self.last_spooled

    @property
    def in_flight(self) -> int:
        """Frames sent and not accepted."""
        return len(self._in_flight)

    @property
    def unstored_bytes(self) -> int:
        """Body bytes sent that are not committed, to within 64 KiB."""
        return self._unstored.bytes

    @property
    def window_bytes(self) -> int:
        """Body bytes that may be in flight; 0 before the first Welcome."""
        return self._window_bytes

    def hold_s(self, now_s: float) -> float:
        """Seconds for which nothing may be sent: the server asked for patience, or refused."""
        return max(0.0, self._hold_until_s - now_s)

    def stalled(self, now_s: float, *, after_s: float) -> bool:
        """Whether the server has owed us an answer for longer than `after_s`."""
        return self._waiting_since_s is not None and now_s - self._waiting_since_s > after_s

    # ── the disk speaks ────────────────────────────────────────────────────

    def remember(self, accepted_seq: int, committed_seq: int) -> None:
        """Take what an earlier process wrote down; the next Welcome may know better."""
        self.accepted_seq = accepted_seq
        self._committed_seq = committed_seq

    def spool_holds(self, first_available: int, last_spooled: int) -> None:
        """Learn what lies in the spool."""
        self.first_available = first_available
        self.last_spooled = max(self.last_spooled, last_spooled)

    def gap_found(self, first_seq: int, last_seq: int) -> None:
        """Learn that these frames, next to be sent, cannot be read.

        Sending stops until everything before them is committed; a new Hello then tells the server
        that the spool begins behind them, and the server records the loss. Accepted would not do:
        what the stream forgets in between would be taken for lost too.
        """
        self._gap = (first_seq, last_seq)

    # ── we speak ───────────────────────────────────────────────────────────

    def start_stream(self) -> None:
        """Begin on a fresh stream, which knows nothing of us."""
        self.phase = Phase.SILENT
        self._forget_in_flight()
        self._gap = None
        self._hold_until_s = 0.0

    def wants_greeting(self, now_s: float) -> bool:
        """Whether a Hello should be sent now."""
        if now_s < self._hold_until_s:
            return False
        if self.phase in (Phase.SILENT, Phase.REFUSED):
            return True
        return self._gap_reached() or self._unconfirmed(now_s)

    def greet(self, now_s: float) -> Greeting:
        """Return the numbers for a Hello that is being sent; a Welcome is owed."""
        greeting = self.greeting()
        self.phase = Phase.GREETING
        self._waiting_since_s = self._moved_s = now_s
        return greeting

    def greeting(self) -> Greeting:
        """Return the numbers of a Hello as things stand."""
        first_available = self.first_available
        if self._gap is not None and self._gap_reached():
            first_available = self._gap[1] + 1
        return Greeting(first_available, max(self.last_spooled, first_available - 1))

    def may_send(self, now_s: float) -> bool:
        """Whether the window has room for another frame, if it is small enough."""
        return (
            self.phase is Phase.OPEN
            and self._gap is None
            and now_s >= self._hold_until_s
            and len(self._in_flight) < self._window_frames
        )

    def fits(self, body_bytes: int) -> bool:
        """Whether a frame of this size is within the window; a lone frame always is."""
        return not self._in_flight or self._in_flight_bytes + body_bytes <= self._window_bytes

    def sent(self, seq: int, body_bytes: int, now_s: float) -> None:
        """Note that the frame `next_seq` was sent."""
        if seq != self.next_seq:
            raise ValueError(f"frame {seq} sent out of order, {self.next_seq} is next")
        self._in_flight.append((seq, body_bytes))
        self._in_flight_bytes += body_bytes
        self._unstored.sent(seq, body_bytes)
        self.next_seq = seq + 1
        self.last_spooled = max(self.last_spooled, seq)
        if self._waiting_since_s is None:
            self._waiting_since_s = now_s

    # ── the server speaks ──────────────────────────────────────────────────

    def welcomed(
        self, *, accepted_seq: int, committed_seq: int, window_frames: int, window_bytes: int
    ) -> None:
        """Take the server's word for where it stands, also when that is behind what it said before.

        A server restored from a backup has gone back: what the spool still has is sent again, and
        what it has not was told by `first_available`.
        """
        self.phase = Phase.OPEN
        self._refusals = 0
        self.accepted_seq = max(accepted_seq, committed_seq)
        self._committed_seq = committed_seq
        self._unstored.stored(committed_seq)
        self._window_frames = max(1, window_frames)
        self._window_bytes = window_bytes
        self._resume_from(self.accepted_seq + 1)

    def acked(
        self,
        *,
        accepted_seq: int,
        committed_seq: int,
        expect_seq: int = 0,
        retry_after_s: float = 0.0,
        now_s: float,
    ) -> None:
        """Take an Ack: watermarks up, perhaps a rewind, perhaps patience."""
        if self.phase is not Phase.OPEN:
            return  # an answer to frames from before the Hello; the Welcome will say where we are
        if committed_seq > self._committed_seq or accepted_seq > self.accepted_seq:
            self._moved_s = now_s
        self._committed_seq = max(self._committed_seq, committed_seq)
        self._unstored.stored(self._committed_seq)
        if expect_seq > 0:
            self._rewind_to(expect_seq, now_s)
        else:
            self._accept_up_to(max(accepted_seq, committed_seq))
        if retry_after_s > 0:
            self._resume_from(self.accepted_seq + 1)
            self._hold_until(now_s + retry_after_s)
        self._waiting_since_s = now_s if self._in_flight else None

    def refused(self, *, retry: bool, now_s: float) -> None:
        """Take a Refusal: keep the spool and ask again, in seconds or in minutes."""
        self.phase = Phase.REFUSED
        self._forget_in_flight()
        patience_s = min(REFUSED_RETRY_S * 2**self._refusals, LONGEST_REFUSED_RETRY_S)
        self._refusals = min(self._refusals + 1, 16)
        self._hold_until_s = now_s + (patience_s if retry else REFUSED_FOR_GOOD_RETRY_S)

    # ── inside ─────────────────────────────────────────────────────────────

    def _gap_reached(self) -> bool:
        return (
            self.phase is Phase.OPEN
            and self._gap is not None
            and self._committed_seq + 1 >= self._gap[0]
        )

    def _unconfirmed(self, now_s: float) -> bool:
        return (
            self.phase is Phase.OPEN
            and not self._in_flight
            and self.accepted_seq > self._committed_seq
            and now_s - self._moved_s > CONFIRM_AFTER_S
        )

    def _accept_up_to(self, seq: int) -> None:
        while self._in_flight and self._in_flight[0][0] <= seq:
            self._in_flight_bytes -= self._in_flight.popleft()[1]
        self.accepted_seq = max(self.accepted_seq, seq)
        if self.accepted_seq >= self.next_seq:  # another sender of the same spool is ahead of us
            self._resume_from(self.accepted_seq + 1)
        if self.accepted_seq > self._furthest_accepted:
            self._furthest_accepted = self.accepted_seq
            self._rewinds = 0

    def _rewind_to(self, seq: int, now_s: float) -> None:
        if seq == self.next_seq and not self._in_flight:
            return  # already there: one more answer to what was in flight
        self.accepted_seq = seq - 1
        self._resume_from(seq)
        self._hold_until(now_s + min(REWIND_PAUSE_S * 2**self._rewinds, LONGEST_REWIND_PAUSE_S))
        self._rewinds = min(self._rewinds + 1, 16)
        if seq < self.first_available:
            self.phase = Phase.SILENT  # we cannot go back that far; a Hello says so

    def _resume_from(self, seq: int) -> None:
        self._forget_in_flight()
        self._gap = None
        self.next_seq = max(seq, self.first_available)
        self._unstored.sent_again_from(self.next_seq)

    def _forget_in_flight(self) -> None:
        self._in_flight.clear()
        self._in_flight_bytes = 0
        self._waiting_since_s = None

    def _hold_until(self, until_s: float) -> None:
        self._hold_until_s = max(self._hold_until_s, until_s)
