"""One producer: its spool on one side, its conversation with the server on the other."""

import errno
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from weir import _fault as fault
from weir._spool import Control, Frame, Gap, Meta, SpoolDir, SpoolReader, Watermark, Welcome
from weir.agent._conversation import Conversation
from weir.agent._extent import Extent, read_extent
from weir.agent._log import log
from weir.agent._messages import FramePacker, hello
from weir.agent._turns import BACKLOG_TURN_BYTES, Standing, Turn, Turns
from weir_proto.v1 import ingest_pb2 as pb

# A spool that was silent for t seconds is looked at again after t / 10.
_SHORTEST_POLL_S: Final = 0.05
_LONGEST_POLL_S: Final = 1.0
# After the disk failed us, leave it alone for a while.
_DISK_TROUBLE_S: Final = 5.0
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(slots=True)
class Tally:
    """What was said about a producer's points since this process began with it."""

    frames_sent: int = 0
    bytes_sent: int = 0
    points_accepted: int = 0
    points_rejected: int = 0


class Producer:
    """Reads one spool, speaks for it, and writes down what the server said.

    Used from the event loop, except `settle`, which waits for the disk and runs in its thread.

    Attributes:
        live: Whether the trainer may still be writing.
        refusal: Why the server will not serve this producer now; "" when it does.
        trouble: Why the server asked this producer to come back; "" once it is served.
        welcomed: Whether the server has ever told us where it stands.
        tally: Counts for `weir sync`.
        lag_bytes: What lay in the spool and was not sent when it was last looked at.
    """

    def __init__(
        self,
        spool: SpoolDir,
        meta: Meta,
        *,
        live: bool,
        packer: FramePacker,
        keep: bool = False,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spool = spool
        self.meta = meta
        self.live = live
        self.id = bytes.fromhex(meta.producer)
        self.refusal = ""
        self.trouble = ""
        self.welcomed = False
        self.tally = Tally()
        self.conversation = Conversation()
        self._keep = keep
        self._packer = packer
        self._monotonic_s = monotonic_s
        self._reader = SpoolReader(spool)
        self._held: Frame | None = None  # read, but larger than the window's rest
        self._final_seq = 0  # 0 while no FINAL frame was seen
        self._settled = spool.read_watermark()
        self._unlinked_seq = 0
        self._quiet_since_s = monotonic_s()
        self._polled_s = -math.inf
        self._disk_trouble_until_s = 0.0
        self.lag_bytes = spool.size_bytes()
        self._patience = ""
        self.conversation.remember(self._settled.accepted_seq, self._settled.committed_seq)
        self.learn(read_extent(self.spool, live=live))

    # ── what is known ──────────────────────────────────────────────────────

    @property
    def finished(self) -> bool:
        """Whether the producer's last word is committed: its spool has done its work."""
        return 0 < self._final_seq <= self.conversation.committed_seq

    @property
    def drained(self) -> bool:
        """Whether everything in the spool, as far as it was read, is committed."""
        return self.conversation.drained and self._held is None

    @property
    def has_final(self) -> bool:
        """Whether the FINAL frame is in the spool."""
        return self._final_seq > 0

    @property
    def watermark(self) -> Watermark:
        """How far the server has come, as last told."""
        accepted_seq = min(self.conversation.accepted_seq, self.conversation.last_spooled)
        return Watermark(accepted_seq, self.conversation.committed_seq)

    @property
    def unsettled(self) -> bool:
        """Whether the disk has yet to hear of the watermark."""
        return self.watermark != self._settled

    @property
    def urgent(self) -> bool:
        """Whether `finish()` may be waiting for the watermark."""
        return self.unsettled and self.finished

    def wait_s(self) -> float:
        """Seconds until a turn may be worth while; an answer from the server may come earlier."""
        now_s = self._monotonic_s()
        held_s = max(self.conversation.hold_s(now_s), self._disk_trouble_until_s - now_s)
        if held_s > 0:
            return held_s
        if self.conversation.wants_greeting(now_s):
            return 0.0
        return self._poll_wait_s(now_s) if self.conversation.may_send(now_s) else _LONGEST_POLL_S

    def standing(self) -> Standing:
        """Return what decides when it is this producer's turn."""
        return Standing(
            self.id,
            ready=self.wait_s() == 0,
            greets=self.wants_greeting(),
            running=self.live and not self.has_final,
            lag_bytes=self.lag_bytes,
            unstored_bytes=self.conversation.unstored_bytes,
        )

    def _poll_wait_s(self, now_s: float) -> float:
        silence_s = now_s - self._quiet_since_s
        pause_s = min(max(silence_s / 10, _SHORTEST_POLL_S), _LONGEST_POLL_S)
        wait_s = self._polled_s + pause_s - now_s
        # Nearly due is due: the spools of a node are then looked at together.
        return wait_s if wait_s > pause_s / 4 else 0.0

    # ── to the server ──────────────────────────────────────────────────────

    def start_stream(self) -> None:
        """Begin on a fresh stream, which knows nothing of this producer."""
        self.conversation.start_stream()

    def greet(self) -> pb.Hello:
        """Return a Hello that opens the conversation; a Welcome is owed."""
        self.learn(read_extent(self.spool, live=self.live))
        return hello(self.meta, self.conversation.greet(self._monotonic_s()))

    def hello(self) -> pb.Hello:
        """Return a Hello as things stand, for a request that carries frames too."""
        return hello(self.meta, self.conversation.greeting())

    def wants_greeting(self) -> bool:
        """Whether a Hello is due."""
        now_s = self._monotonic_s()
        return now_s >= self._disk_trouble_until_s and self.conversation.wants_greeting(now_s)

    def stalled(self, *, after_s: float) -> bool:
        """Whether the server has owed us an answer for longer than `after_s`."""
        return self.conversation.stalled(self._monotonic_s(), after_s=after_s)

    def frames(self, *, limit_bytes: int = BACKLOG_TURN_BYTES) -> Iterator[pb.Frame]:
        """Iterate over the frames to send in this turn; each taken one counts as sent.

        Ends when the window is full, the spool has nothing more, or `limit_bytes` were taken.
        """
        taken_bytes = 0
        for frame in self._readable():
            if frame.seq != self.conversation.next_seq:
                return  # an answer came between two frames and moved us
            packed = self._packer.pack(self.id, frame)
            if not self.conversation.fits(len(packed.body)):
                self._held = frame
                self.lag_bytes = self._reader.unread_bytes()
                return
            self._count_sent(frame, packed)
            yield packed
            taken_bytes += len(packed.body)
            if taken_bytes >= limit_bytes or not self._may_send():
                self.lag_bytes = self._reader.unread_bytes()
                return

    def _readable(self) -> Iterator[Frame]:
        """Iterate over frames from `conversation.next_seq`, up to a gap."""
        if self.wait_s() > 0:
            return
        held, self._held = self._held, None
        if held is not None and held.seq == self.conversation.next_seq:
            yield held
            if not self._may_send():
                return
        if self._reader.next_seq != self.conversation.next_seq:
            self._reader.seek(self.conversation.next_seq)
        for found in self._reader.read(writer_alive=self.live):
            if isinstance(found, Gap):
                self._tell_gap(found)
                return
            yield found
        self._polled_s = self._monotonic_s()
        self.lag_bytes = 0

    def _may_send(self) -> bool:
        return self.conversation.may_send(self._monotonic_s())

    def _count_sent(self, frame: Frame, packed: pb.Frame) -> None:
        now_s = self._monotonic_s()
        self.conversation.sent(frame.seq, len(packed.body), now_s)
        self._quiet_since_s = now_s
        self.tally.frames_sent += 1
        self.tally.bytes_sent += len(packed.body)
        if frame.final:
            self._final_seq = frame.seq

    def _tell_gap(self, gap: Gap) -> None:
        self._reader.seek(gap.first_seq)  # stopping at a gap, the reader has passed a frame
        self.conversation.gap_found(gap.first_seq, gap.last_seq)
        log.warning(
            "frames in the spool cannot be read, the server will record the loss",
            first_seq=gap.first_seq,
            last_seq=gap.last_seq,
            path=gap.path,
        )

    def learn(self, extent: Extent) -> None:
        """Learn what lies in the spool now."""
        self.conversation.spool_holds(extent.first_seq, extent.last_seq)
        if extent.final:
            self._final_seq = extent.last_seq

    # ── from the server ────────────────────────────────────────────────────

    def welcome(self, message: pb.Welcome, *, unix_us: int) -> None:
        """Take a Welcome and leave it for the SDK to read."""
        self.refusal = self.trouble = ""
        self.welcomed = True
        self._polled_s = -math.inf  # there may be frames to send at once
        self.conversation.welcomed(
            accepted_seq=message.accepted_seq,
            committed_seq=message.committed_seq,
            window_frames=message.window_frames,
            window_bytes=message.window_bytes,
        )
        welcome = Welcome(
            run_existed=message.run_existed,
            last_step=message.last_step if message.has_last_step else None,
            server_version=message.server_version,
            at_unix_us=unix_us,
        )
        self.spool.write_welcome(welcome)

    def ack(self, message: pb.Ack) -> None:
        """Take an Ack."""
        self.conversation.acked(
            accepted_seq=message.accepted_seq,
            committed_seq=message.committed_seq,
            expect_seq=message.expect_seq,
            retry_after_s=message.retry_after_ms / 1000,
            now_s=self._monotonic_s(),
        )
        self._tell_patience(message.retry_reason)
        self.tally.points_accepted += message.points_accepted
        self.tally.points_rejected += message.points_rejected
        for reject in message.rejects:
            log.warning(
                "the server rejected a part of a frame",
                run_id=self.meta.run_id,
                code=reject.code,
                field=reject.field,
                count=reject.count,
                message=reject.message,
            )

    def _tell_patience(self, reason: str) -> None:
        """Say once why the server asks for patience, and once that it does not any more."""
        if reason == self._patience:
            return
        if reason:
            log.info("the server asks for patience", reason=reason, path=self.spool.path)
        self._patience = reason

    def refuse(self, message: pb.Refusal) -> None:
        """Take a Refusal: keep the spool, and say so once.

        One that asks to come back is not passed on to the SDK, which would give up resuming.
        """
        self.conversation.refused(retry=message.retry, now_s=self._monotonic_s())
        if not message.retry:
            self.turned_away(message.code, message.message)
            return
        self.trouble = f"{message.code}: {message.message}"
        log.warning(
            "the server cannot serve a producer now, will ask again",
            path=self.spool.path,
            code=message.code,
            message=message.message,
        )

    def turned_away(self, code: str, message: str) -> None:
        """Note that the server will not serve us, and leave word for the SDK."""
        told = f"{code}: {message}"
        if told == self.refusal:
            return
        self.refusal = told
        log.warning(
            "the server refuses a producer, its spool is kept",
            path=self.spool.path,
            code=code,
            message=message,
        )
        self.spool.write_welcome(Welcome(refused_code=code, refused_message=message))

    def control(self, message: pb.Control) -> None:
        """Pass on what the server asks of the run."""
        self.spool.write_control(Control(message.stop, message.reason, message.by))

    # ── the disk ───────────────────────────────────────────────────────────

    def settle(self) -> bool:
        """Write the watermark, then forget what is committed. Runs in the disk thread.

        Returns:
            Whether nothing is left to do: the last word is committed, and the disk knows.

        Raises:
            OSError: The disk does not take it. Try again later.
        """
        # Answers may arrive meanwhile: what was looked at first is what is true of all of it.
        finished, watermark = self.finished, self.watermark
        if watermark != self._settled:
            fault.hit("agent.before_watermark")
            self._write_watermark(watermark)
            self._settled = watermark
            fault.hit("agent.after_watermark")
        if finished and self.spool.left_behind():  # lines, inputs or files are still on their way
            self._unlink(watermark.committed_seq)
            return False
        if finished and not self._keep:
            self.spool.remove()
        else:
            self._unlink(watermark.committed_seq)
        return finished

    def _write_watermark(self, watermark: Watermark) -> None:
        try:
            self.spool.write_watermark(watermark)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            # A full disk is freed only by forgetting. The server has these frames for good, and
            # after a crash its Welcome says what this file does not.
            self._unlink(watermark.committed_seq)
            self.spool.write_watermark(watermark)

    def _unlink(self, committed_seq: int) -> None:
        if not self._keep and committed_seq > self._unlinked_seq:
            self.spool.unlink_committed(committed_seq)
            fault.hit("agent.after_unlink")
            self._unlinked_seq = committed_seq

    def disk_failed(self, error: Exception) -> None:
        """Note that the spool cannot be read or written now; it is left alone for a while."""
        self._disk_trouble_until_s = self._monotonic_s() + _DISK_TROUBLE_S
        self._reader.close()
        log.warning("the spool gives trouble, will try again", path=self.spool.path, error=error)

    def gone(self) -> bool:
        """Whether somebody removed the spool."""
        return not (self.spool.path / "meta.json").exists()

    def taken_over(self, extent: Extent) -> None:
        """Note that the trainer is dead and its log, as it lies there now, was closed."""
        self.live = False
        self.learn(extent)

    def close(self) -> None:
        """Let go of the open segment."""
        self._reader.close()


def plan_turns(turns: Turns, producers: Mapping[bytes, Producer]) -> list[Turn]:
    """Return who of these may speak now, in order."""
    standings = [producer.standing() for producer in producers.values()]
    windows = (producer.conversation.window_bytes for producer in producers.values())
    return turns.plan(standings, window_bytes=max(windows, default=0))
