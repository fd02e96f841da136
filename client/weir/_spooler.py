"""The spool thread of a run: every 100 ms it turns what waits in the queue into frames on disk."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from weir._agent_start import AgentKeeper
from weir._body import pack_body, session
from weir._clock import Clock
from weir._columns import StepMemory
from weir._queue import Batch, Queue
from weir._settings import Settings
from weir._speak import Speaker
from weir._spool import FLAG_FINAL, Control, Meta, SegmentWriter, SpoolDir, Welcome
from weir._summary import AutomaticSummary
from weir.errors import SpoolError, SpoolFull
from weir_proto.v1 import ingest_pb2 as pb

_HOUSEKEEPING_S: Final = 2.0
_POLL_S: Final = 0.05


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
        self._losses = _Losses(queue, rejected)
        self._next_seq = 1
        self._disk_bytes = 0
        self._unwritten: tuple[bytes, Batch] | None = None  # a frame the disk did not take yet
        self._session: pb.SessionUpdate | None = self._running()
        self._last_frame_s = clock.monotonic_s()
        self._last_housekeeping_s = float("-inf")
        self._final: pb.SessionUpdate | None = None
        self._final_written = False
        self._wake = threading.Event()
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
            self._wake.set()
            while self._flush_done < ticket:
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or not self._thread.is_alive():
                    return False
                self._flushed.wait(left_s)
        return True

    def close(self, final: pb.SessionUpdate, timeout_s: float) -> bool:
        """Write the rest and the final frame, and end the thread.

        Returns:
            Whether everything that was queued is on disk.
        """
        self._final = final
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        else:  # the interpreter ended it, or it never began: we are alone, so do its work
            self._finish()
        return self._final_written

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
                f"When that is put right, send them with: weir sync {self.spool.run_path}",
            )
        return bool(refusal)

    def _refusal(self) -> str:
        welcome = self.spool.read_welcome()
        if welcome is None or not welcome.refused_code:
            return ""
        return f"{welcome.refused_message} ({welcome.refused_code})"

    def await_welcome(self, timeout_s: float) -> Welcome | None:
        """Wait for the server's answer to this producer; None when there was none in time."""
        deadline_s = time.monotonic() + timeout_s
        while (welcome := self.spool.read_welcome()) is None and time.monotonic() < deadline_s:
            time.sleep(_POLL_S)
        return welcome

    def _reached(self, level: str, seq: int) -> bool:
        if self._final_written and not self.spool.path.exists():
            return True  # the agent removes a folder once its final frame is committed
        watermark = self.spool.read_watermark()
        return seq <= (watermark.accepted_seq if level == "accepted" else watermark.committed_seq)

    # ── below: the spool thread only ──────────────────────────────────────

    def _run(self) -> None:
        while self._final is None:
            self._guard(self._tick)
            self._wake.wait(self._settings.flush_interval_s)
            self._wake.clear()
        self._guard(self._finish)

    def _guard(self, work: Callable[[], None]) -> None:
        """Keep the thread alive whatever happens: the training is not to notice."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the recording
            self._speaker.warn("spooler", f"the spool thread met {error!r} and goes on")

    def _tick(self) -> None:
        asked = self._flush_asked
        if self._write_all():
            self._tell_flushed(asked)
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
        if self._write_all() and self._write(self._final_frame(), FLAG_FINAL):
            self._final_written = True
            self._tell_flushed(asked)
        else:
            self._queue.abandon(self._unwritten[1] if self._unwritten else None)
        self._writer.close()

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
        self._automatic.fold(batch.rows)
        body = pack_body(batch, self._memory, session=self._session, losses=losses)
        self._session = None
        return body, batch

    def _final_frame(self) -> tuple[bytes, Batch]:
        losses = self._losses.take()
        return pack_body(Batch(), self._memory, session=self._final, losses=losses), Batch()

    def _write(self, frame: tuple[bytes, Batch], flags: int) -> bool:
        body, batch = frame
        try:
            self._check_cap(len(body))
            self._disk_bytes += self._writer.append(self._next_seq, flags, body)
        except SpoolError as error:
            self._unwritten = frame if flags == 0 else None
            self._losses.reason = _loss_reason(error)
            self._speaker.warn("disk", f"{error}; points wait in memory, then the newest are lost")
            return False
        self._unwritten = None
        self._next_seq += 1
        self._last_frame_s = self._clock.monotonic_s()
        self.spooled += batch.points
        self._queue.release(batch)
        return True

    def _check_cap(self, body_bytes: int) -> None:
        cap_bytes = self._settings.spool_max_bytes
        if self._disk_bytes + body_bytes <= cap_bytes:
            return
        self._disk_bytes = self.spool.size_bytes()  # the agent has freed some since
        if self._disk_bytes + body_bytes > cap_bytes:
            raise _CapReached(
                f"the spool {self.spool.path} has reached spool_max_bytes = {cap_bytes}",
                hint="is the server away? look with `weir status`",
            )

    def _running(self) -> pb.SessionUpdate:
        return session(pb.SessionUpdate.RUNNING, time_unix_us=self._clock.unix_us())

    def _keep_house(self) -> None:
        if self._agent:
            self._agent.ensure()
        if not self.spool.path.exists():
            self._restore_folder()
        self.control = self.spool.read_control()
        if not self.warn_if_refused() and (welcome := self.spool.read_welcome()):
            self.url = welcome.url

    def _restore_folder(self) -> None:
        """Somebody removed the folder: go on in a new one; the reader will report the gap."""
        self._writer.close()
        SpoolDir.create(self._root, self.meta, token=self._settings.token)
        self._speaker.warn("removed", f"the spool {self.spool.path} was removed while in use")

    @property
    def _root(self) -> Path:
        return self.spool.path.parents[2]


class _CapReached(SpoolFull):
    """The spool has reached the size its settings allow."""


def _loss_reason(error: SpoolError) -> str:
    if isinstance(error, _CapReached):
        return "spool_cap"
    return "disk_full" if isinstance(error, SpoolFull) else "disk_error"


class _Losses:
    """Points that were never spooled, told once each in the next frame that is written."""

    def __init__(self, queue: Queue, rejected: Callable[[], int]) -> None:
        self._queue = queue
        self._rejected = rejected
        self._told_dropped = 0
        self._told_rejected = 0
        self.reason = "queue_full"  # until a write fails and gives a better one

    def take(self) -> list[pb.Loss]:
        dropped, rejected = self._queue.dropped, self._rejected()
        losses = [
            _loss(self.reason, dropped - self._told_dropped, "not spooled: the queue was full"),
            _loss(
                "bad_value",
                rejected - self._told_rejected,
                "refused by log(), see the events `rejected`",
            ),
        ]
        self._told_dropped, self._told_rejected = dropped, rejected
        self.reason = "queue_full"
        return [loss for loss in losses if loss]


def _loss(reason: str, points: int, message: str) -> pb.Loss | None:
    return pb.Loss(reason=reason, points=points, message=message) if points > 0 else None
