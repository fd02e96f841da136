"""The thread that turns copies of media into bytes on disk, an order for the agent, and points."""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from weir._doorbell import Doorbell
from weir._media.base import MB, Blob, Encoded, Snapshot, Unfit
from weir._media.naming import point_text
from weir._queue import Queue
from weir._speak import Speaker
from weir._spool import Outbox, SpoolRoom
from weir.errors import QueueFull, SpoolError

_BATCH_S: Final = 0.1  # of encoding, then what is ready is put on disk
_BATCH_BYTES: Final = 64 * MB
_BATCH_BLOBS: Final = 500  # named in one order
_RECENT: Final = 8_192  # digests remembered: the same bytes are not ordered twice
_LOOK_AGAIN_S: Final = 0.02


@dataclass(slots=True, eq=False)
class _Job:
    """One point: what was logged at one key and step, copied."""

    metric: str
    step: int
    time_unix_us: int
    snapshots: Sequence[Snapshot]
    listed: bool
    size_bytes: int


@dataclass(slots=True, eq=False)
class _Ready:
    """The same, encoded."""

    job: _Job
    text: str
    blobs: list[Blob]


class Encoder:
    """Encodes media of one producer, in the order they were logged.

    Life: any number of `room_for`, `put` and `flush`, then `close` once. The thread begins with the
    first value. A point is queued only after its bytes are on disk and an order names them, so a
    point that is stored never names bytes that nobody was told to upload.

    Attributes:
        max_bytes: Most bytes one value may take.
    """

    def __init__(
        self,
        queue: Queue,
        outbox: Outbox,
        room: SpoolRoom,
        speaker: Speaker,
        *,
        max_bytes: int,
        queue_max_bytes: int,
        spool_max_bytes: int,
        on_full: str,
        tick_s: float,
        reject: Callable[[str, str, int], None],
    ) -> None:
        self.max_bytes = max_bytes
        self._queue = queue
        self._outbox = outbox
        self._room = room
        self._speaker = speaker
        self._queue_max_bytes = queue_max_bytes
        self._spool_max_bytes = spool_max_bytes
        self._on_full = on_full
        self._tick_s = tick_s
        self._reject = reject
        self._jobs: deque[_Job] = deque()
        self._ready: list[_Ready] = []  # on their way to the disk; ours, like all below
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._put_bytes = self._put_count = 0  # written by who logs, holding the queue's lock
        self._done_bytes = self._done_count = 0  # written by who works: the thread, or close()
        self._started = self._closing = self._abandoned = False
        self._turn = threading.Lock()  # held by who works: one at a time
        self._wake = Doorbell()
        self._thread: threading.Thread | None = None

    # ── the user's threads ────────────────────────────────────────────────

    def hold(self, source: Path) -> tuple[Path, str]:
        """Copy a user's file into the outbox; see `Taking.hold`."""
        name = self._outbox.hold(source, copy=True)
        return self._outbox.source_path(name), name

    def room_for(self, size_bytes: int, points: int) -> bool:
        """Whether copies of so many bytes may wait; else their points are counted as lost.

        One call's worth always may when nothing else waits. Waits with `on_full="block"`.

        Raises:
            QueueFull: There is no room, with `on_full="raise"`.
        """
        while not self._fits(size_bytes):
            if self._on_full == "raise":
                raise QueueFull(
                    "log() found no room: media come faster than they can be encoded and written",
                    hint="log fewer, or raise media_queue_mb",
                )
            if self._on_full != "block" or self._closing:
                self._lose(points)
                return False
            time.sleep(_LOOK_AGAIN_S)
        return True

    def put(
        self,
        metric: str,
        step: int,
        time_unix_us: int,
        snapshots: Sequence[Snapshot],
        *,
        listed: bool,
    ) -> None:
        """Queue one point. Called holding the queue's lock."""
        size_bytes = sum(each.size_bytes for each in snapshots)
        self._jobs.append(_Job(metric, step, time_unix_us, snapshots, listed, size_bytes))
        # Counted afterwards: a signal handler that flushes between the two must not wait for a job
        # that is not there yet.
        self._put_bytes += size_bytes
        self._put_count += 1
        if not self._started:
            self._started = True
            self._start()
        if self._put_bytes - self._done_bytes > self._queue_max_bytes // 8:
            self._wake.ring()

    def flush(self, timeout_s: float) -> bool:
        """Wait until what was put before this call is queued as points; False when time ran out."""
        wanted = self._put_count
        deadline_s = time.monotonic() + timeout_s
        self._wake.ring()
        while self._done_count < wanted:
            if self._thread is None or not self._thread.is_alive():
                self._work_here()
                return self._done_count >= wanted
            if time.monotonic() >= deadline_s:
                return False
            # Not a condition: a signal handler may flush while the main thread is anywhere.
            time.sleep(min(_LOOK_AGAIN_S, timeout_s))
        return True

    def close(self, timeout_s: float) -> bool:
        """Encode what waits, and end the thread; what does not get ready in time is counted as lost."""
        self._closing = True
        self._wake.ring()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout_s)
        else:  # the interpreter ended it, or it never began: we are alone, so do its work
            self._work_here()
        self._abandoned = True
        left = self._put_count - self._done_count
        if left > 0:
            self._done_count = self._put_count
            self._queue.lose_media(left)
            self._speaker.warn("media-left", f"{left} media points were not written in time: lost")
        return left <= 0

    def _fits(self, size_bytes: int) -> bool:
        waiting_bytes = self._put_bytes - self._done_bytes
        return waiting_bytes <= 0 or waiting_bytes + size_bytes <= self._queue_max_bytes

    def _lose(self, points: int) -> None:
        self._queue.refuse(points)
        self._speaker.warn(
            "media-full",
            "media come faster than they can be encoded and written, and memory "
            f"(media_queue_mb = {self._queue_max_bytes / MB:g}) is full: the newest are lost",
        )

    def _work_here(self) -> None:
        """Do the thread's work in its place; nothing when somebody is at it, perhaps below us."""
        if self._turn.acquire(blocking=False):
            try:
                self._guard()
            finally:
                self._turn.release()

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="weir-media", daemon=True)
        with suppress(RuntimeError):  # no thread can begin while the interpreter ends: see close()
            thread.start()
            self._thread = thread

    # ── below: the thread only ────────────────────────────────────────────

    def _run(self) -> None:
        while not self._closing:
            self._wake.wait(self._tick_s)
            with self._turn:
                self._guard()
        with self._turn:
            self._guard()

    def _guard(self) -> None:
        """Keep the thread alive whatever happens: the training is not to notice."""
        try:
            self._work()
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the recording
            with suppress(Exception):
                self._speaker.warn("media", f"the media thread met {error!r} and goes on")

    def _work(self) -> None:
        """Bring to disk what waits; returns early when the disk does not take it."""
        while (self._jobs or self._ready) and not self._abandoned:
            if not self._ready:
                self._encode_some()
            if self._abandoned:
                return
            try:
                self._settle()
            except (OSError, SpoolError) as error:
                said = error if isinstance(error, SpoolError) else error.strerror or error
                self._speaker.warn(
                    "media-disk",
                    f"media cannot be written: {said}; they wait in memory, then the newest are lost",
                )
                return

    def _encode_some(self) -> None:
        began_s = time.monotonic()
        blobs = size_bytes = 0
        while self._jobs and not self._abandoned:
            job = self._jobs[0]
            ready = self._encode(job)
            self._jobs.popleft()
            if ready is None:
                self._done(job)
            else:
                self._ready.append(ready)
                blobs += len(ready.blobs)
                size_bytes += sum(len(blob.content) for blob in ready.blobs)
            spent_s = time.monotonic() - began_s
            if spent_s >= _BATCH_S or blobs >= _BATCH_BLOBS or size_bytes >= _BATCH_BYTES:
                return

    def _encode(self, job: _Job) -> _Ready | None:
        """Encode one point; None when it cannot be kept, which is told."""
        try:
            values = [snapshot.encode() for snapshot in job.snapshots]
            self._check(values)
            text = point_text(values, listed=job.listed)
            return _Ready(job, text, [blob for value in values for blob in value.blobs()])
        except Unfit as error:
            self._reject(job.metric, str(error), job.step)
        except Exception as error:  # noqa: BLE001 - the libraries may raise anything
            self._reject(job.metric, f"it cannot be encoded: {error!r:.300}", job.step)
        return None

    def _check(self, values: Sequence[Encoded]) -> None:
        """A table may be larger than other values, and says so itself."""
        size_bytes = sum(blob.size_bytes for value in values for blob in value.blobs())
        if size_bytes > self._spool_max_bytes:  # there never would be room for it
            raise Unfit(
                f"it takes {size_bytes} bytes, over spool_max_bytes = {self._spool_max_bytes}"
            )
        for value in values:
            blob = value.blob
            if blob is None or value.facts["type"] == "table":
                continue
            if blob.size_bytes > self.max_bytes:
                raise Unfit(
                    f"it takes {blob.size_bytes / MB:.1f} MB when encoded, over media_max_mb = "
                    f"{self.max_bytes / MB:g}"
                )

    def _settle(self) -> None:
        """Bytes first, then the order, then the points. May be repeated after an error.

        When the disk takes only some, these are ordered: once uploaded they make room for the rest.
        """
        new: dict[str, dict[str, Any]] = {}
        whole, trouble = 0, None
        for ready in self._ready:
            try:
                new |= self._write_new(ready.blobs, new)
            except (OSError, SpoolError) as error:
                trouble = error
                break
            whole += 1
        if new:
            self._outbox.put({"order": "blobs", "files": list(new.values())})
        for digest in new:
            self._remember(digest)
        self._put_points(self._ready[:whole], {file["path"] for file in new.values()})
        self._ready = self._ready[whole:]
        if trouble is not None:
            raise trouble

    def _write_new(self, blobs: Sequence[Blob], new: dict[str, Any]) -> dict[str, dict[str, Any]]:
        """Write those that are neither ordered nor in `new`; returns how an order names them."""
        return {
            blob.sha256: self._written(blob)
            for blob in blobs
            if blob.sha256 not in self._recent and blob.sha256 not in new
        }

    def _put_points(self, settled: Sequence[_Ready], ordered: set[str]) -> None:
        for ready in settled:
            self._drop_doubles(ready.blobs, ordered)
            job = ready.job
            self._queue.put_media(job.metric, job.step, job.time_unix_us, ready.text)
            self._done(job)

    def _written(self, blob: Blob) -> dict[str, Any]:
        """Put a blob on disk, once, and return how an order names it."""
        if not blob.held:
            self._room.admit(blob.size_bytes)
            blob.held = self._outbox.write_blob(blob.content)[2]
            self._room.took(blob.size_bytes)
        return {"sha256": blob.sha256, "size": blob.size_bytes, "path": blob.held}

    def _drop_doubles(self, blobs: Sequence[Blob], ordered: set[str]) -> None:
        for blob in blobs:
            if blob.held and blob.held not in ordered:
                self._outbox.drop(blob.held)

    def _remember(self, digest: str) -> None:
        self._recent[digest] = None
        if len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def _done(self, job: _Job) -> None:
        self._done_bytes += job.size_bytes
        self._done_count += 1
