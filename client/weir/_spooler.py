"""The spool thread of a run: every 100 ms it turns what waits in the queue into frames on disk."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from weir._agent_start import AgentKeeper, sync_command
from weir._body import pack_body, session
from weir._clock import Clock
from weir._columns import StepMemory
from weir._doorbell import Doorbell
from weir._ledger import Ledger
from weir._losses import Losses, loss_reason
from weir._queue import Batch, Queue
from weir._settings import Settings
from weir._speak import Speaker
from weir._spool import (
    FLAG_FINAL,
    Control,
    Meta,
    SegmentWriter,
    SpoolDir,
    SpoolRoom,
    Welcome,
)
from weir._summary import AutomaticSummary
from weir.errors import SpoolError
from weir_proto.v1 import ingest_pb2 as pb

_HOUSEKEEPING_S: Final = 2.0
_POLL_S: Final = 0.05
_LAST_FRAME_BYTES: Final = 1 << 10  # kept free: headers, and the last frame, which always passes
_LOOK_AGAIN_S: Final = 0.1
_WHEN_FULL: Final = {
    "drop_newest": "points wait in memory, then the newest are lost",
    "block": "points wait in memory, then log() waits too (on_full = block)",
    "raise": "points wait in memory, then log() raises (on_full = raise)",
}


class Spooler:
    """One producer's thread and files.

    Life: `start`, then any number of `flush`, then `close` once. The thread is a daemon; it
    never raises, and whatever the disk does is its own trouble: what cannot be written waits in
    the queue, which drops the newest when it is full; a `Loss` tells of it afterwards.

    Attributes:
        spool: The producer's folder.
        spooled: Points on disk.
        control: What the server asks of the run, at most two seconds old.
        url: The run's page, when the server has told; "" otherwise.
    """

    def __init__(
        self,
        spool: SpoolDir,
        meta: Meta,
        settings: Settings,
        queue: Queue,
        *,
        clock: Clock,
        speaker: Speaker,
        automatic: AutomaticSummary,
        agent: AgentKeeper | None,
        rejected: Callable[[], int],
        branch: pb.Branch | None = None,
    ) -> None:
        self.spool = spool
        self.meta = meta
        self.spooled = 0
        self.control = Control()
        self.url = ""
        self._settings = settings
        self._queue = queue
        self._clock = clock
        self._speaker = speaker
        self._automatic = automatic
        self._agent = agent
        self._writer = SegmentWriter(spool)
        self._memory = StepMemory()
        self._ledger = Ledger()
        self._losses = Losses(queue, rejected)
        self._next_seq = 1
        self._room = SpoolRoom(
            spool,
            max_bytes=settings.spool_max_bytes,
            free_share=settings.spool_free_share,
            clock=clock,
        )
        self._preempting = ""  # to be noted beside the segments
        self._unwritten: tuple[bytes, Batch] | None = None  # a frame the disk did not take yet
        self._session: pb.SessionUpdate | None = self._running()
        self._branch = branch  # until the first frame is on disk
        self._last_frame_s = clock.monotonic_s()
        self._last_housekeeping_s = float("-inf")
        self._final: pb.SessionUpdate | None = None
        self._final_written = False
        self._ended = False
        self._whole = False
        self._wake = Doorbell()
        self._flushed = threading.Condition()
        self._flush_asked = 0
        self._flush_done = 0
        self._thread = threading.Thread(target=self._run, name="weir-spool", daemon=True)

    def start(self) -> None:
        """Start the thread; its first act is the producer's first frame."""
        self._thread.start()

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was queued before this call is on disk; False when time ran out."""
        deadline_s = time.monotonic() + timeout_s
        with self._flushed:
            self._flush_asked += 1
            ticket = self._flush_asked
            self._wake.ring()
            while self._flush_done < ticket:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or not self._thread.is_alive():
                    return False
                # A signal handler that flushes too may have taken the news in our place.
                self._flushed.wait(min(left_s, _LOOK_AGAIN_S))
        return True

    def close(self, final: pb.SessionUpdate, timeout_s: float) -> bool:
        """Write the rest and the final frame, and end the thread.

        Returns:
            Whether everything that was queued is on disk, and the final frame behind it.
        """
        self._final = final
        self._wake.ring()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        elif not self._ended:  # the interpreter ended it, or it never began: do its work
            self._finish()
        return self._whole

    def note_preempting(self, reason: str) -> None:
        """Leave word beside the segments, before the next flush is done, for who buries us."""
        self._preempting = reason

    def let_go(self) -> None:
        """Close the open segment. Called in a forked child: it is the parent's to write."""
        self._writer.close()

    def wait_for(self, level: str, timeout_s: float) -> bool:
        """Wait until the server has `accepted` or `committed` all frames written so far.

        False when time ran out, and at once when the server refuses this producer.
        """
        seq = self._next_seq - 1
        deadline_s = time.monotonic() + timeout_s
        while not self._reached(level, seq):
            if time.monotonic() >= deadline_s or self._refusal():
                return False
            time.sleep(_POLL_S)
        return True

    def warn_if_refused(self) -> bool:
        """Tell the user, once, that the server refuses this producer; returns whether it does."""
        refusal = self._refusal()
        if refusal:
            self._speaker.warn(
                "refused",
                f"the server refuses this run: {refusal}; its points are safe in the spool. "
                f"When that is put right, send them with: {sync_command(self.spool.run_path)}",
            )
        return bool(refusal)

    def _refusal(self) -> str:
        welcome = self._read_welcome()
        if welcome is None or not welcome.refused_code:
            return ""
        return f"{welcome.refused_message} ({welcome.refused_code})"

    def await_welcome(self, timeout_s: float) -> Welcome | None:
        """Wait for the server's answer to this producer; None when there was none in time."""
        deadline_s = time.monotonic() + timeout_s
        while (welcome := self._read_welcome()) is None and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        return welcome

    def _read_welcome(self) -> Welcome | None:
        with suppress(OSError, ValueError):  # a disk that cannot be read has told nothing yet
            return self.spool.read_welcome()
        return None

    def _reached(self, level: str, seq: int) -> bool:
        try:
            if self._final_written and not self.spool.path.exists():
                return True  # the agent removes a folder once its final frame is committed
            watermark = self.spool.read_watermark()
        except OSError:  # the disk does not tell now
            return False
        return seq <= (watermark.accepted_seq if level == "accepted" else watermark.committed_seq)

    # ── below: the spool thread only ──────────────────────────────────────

    def _run(self) -> None:
        while self._final is None:
            self._guard(self._tick)
            self._guard(self._rest)
        self._guard(self._finish)

    def _guard(self, work: Callable[[], None]) -> None:
        """Keep the thread alive whatever happens: the training is not to notice."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the recording
            with suppress(Exception):  # where memory ran out, speaking may fail too
                self._speaker.warn("spooler", f"the spool thread met {error!r} and goes on")

    def _rest(self) -> None:
        self._wake.wait(self._settings.flush_interval_s)

    def _tick(self) -> None:
        asked = self._flush_asked
        if self._preempting:
            self._note_preempting()
        if self._write_all():
            self._tell_flushed(asked)
        self._losses.warn(self._speaker)
        now_s = self._clock.monotonic_s()
        if now_s - self._last_frame_s >= self._settings.heartbeat_s:
            self._session = self._running()
            self._write_all()
        if now_s - self._last_housekeeping_s >= _HOUSEKEEPING_S:
            self._last_housekeeping_s = now_s
            self._keep_house()

    def _finish(self) -> None:
        asked = self._flush_asked
        if self._last_housekeeping_s == float("-inf") and self._agent:
            self._agent.ensure()  # a life shorter than one tick
        self._restore_folder()
        all_written = self._write_all()
        self._losses.warn(self._speaker)
        if not all_written:
            self._queue.abandon(self._unwritten[1] if self._unwritten else None)
            self._unwritten = None
        self._final_written = self._write(self._final_frame(), FLAG_FINAL)
        with suppress(OSError):  # then the end of this process says so
            self.spool.write_ended()
        self._whole = all_written and self._final_written
        if self._whole:
            self._tell_flushed(asked)
        self._writer.close()
        self._ended = True

    def _note_preempting(self) -> None:
        reason, self._preempting = self._preempting, ""
        with suppress(OSError):  # a full disk; the event waits with the points
            self.spool.write_preempting(reason)

    def _tell_flushed(self, ticket: int) -> None:
        with self._flushed:
            self._flush_done = ticket
            self._flushed.notify_all()

    def _write_all(self) -> bool:
        """Write frames until nothing waits; False when the disk does not take them."""
        while frame := self._unwritten or self._next_frame():
            if not self._write(frame, 0):
                return False
        return True

    def _next_frame(self) -> tuple[bytes, Batch] | None:
        batch = self._queue.take()
        losses = self._losses.take()
        if not (batch or losses or self._session):
            return None
        try:
            self._automatic.fold(batch.rows)
            body = pack_body(
                batch,
                self._memory,
                session=self._session,
                losses=losses,
                branch=self._branch,
                ledger=self._ledger,
            )
        except BaseException:  # no memory: say so, but never lose count
            self._queue.give_up(batch)
            raise
        self._session = None
        return body, batch

    def _final_frame(self) -> tuple[bytes, Batch]:
        losses = self._losses.take()
        body = pack_body(
            Batch(),
            self._memory,
            session=self._final,
            losses=losses,
            branch=self._branch,
            ledger=self._ledger,
        )
        return body, Batch()

    def _write(self, frame: tuple[bytes, Batch], flags: int) -> bool:
        body, batch = frame
        self._unwritten = None if flags else frame  # to be tried again, whatever happens below
        try:
            if not flags:  # the last word is small, and worth passing the cap
                self._room.admit(len(body) + _LAST_FRAME_BYTES)
                self._writer.segment_bytes = self._room.segment_bytes
            self._room.took(self._writer.append(self._next_seq, flags, body))
        except SpoolError as error:
            self._queue.obstacle = str(error)
            self._losses.reason = loss_reason(error)
            self._speaker.warn("disk", f"{error}; {_WHEN_FULL[self._settings.on_full]}")
            return False
        self._unwritten = None
        if self._queue.obstacle and not flags:
            self._losses.recovered(self._speaker)
        self._ledger.settle()
        self._branch = None
        self._losses.settle()
        self._next_seq += 1
        self._last_frame_s = self._clock.monotonic_s()
        self.spooled += batch.points
        self._queue.release(batch)
        return True

    def _running(self) -> pb.SessionUpdate:
        return session(pb.SessionUpdate.RUNNING, time_unix_us=self._clock.unix_us())

    def _keep_house(self) -> None:
        if self._agent:
            self._agent.ensure()
        self._restore_folder()
        self.control = self.spool.read_control()
        if not self.warn_if_refused() and (welcome := self._read_welcome()):
            self.url = welcome.url

    def _restore_folder(self) -> None:
        """Somebody removed the folder: go on in a new one; the reader will report the gap.

        Or it could not be made at the start, and perhaps can now. Without meta.json, which comes
        last, nobody takes it for a spool.
        """
        try:
            if (self.spool.path / "meta.json").exists():
                return
            self._writer.close()
            SpoolDir.create(self._root, self.meta, token=self._settings.token)
        except OSError as error:
            self._speaker.warn("disk", f"cannot make {self.spool.path}: {error.strerror or error}")
            return
        if self._next_seq > 1:
            self._speaker.warn("removed", f"the spool {self.spool.path} was removed while in use")

    @property
    def _root(self) -> Path:
        return self.spool.path.parents[2]
