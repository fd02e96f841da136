"""What an agent itself has to say of a run: one more producer, whose frames the agent writes.

Telemetry of the node, console lines of its processes, facts about inputs and uploads go into a
spool of their own beside the trainers' and from there the way of all frames: the same drain, the
same watermarks, the same ledger.
"""

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from weir._births import next_birth_us
from weir._body import BODY_SCHEMA, set_value
from weir._clock import Clock
from weir._ledger import Ledger
from weir._process import new_producer, process_birth, process_started_s
from weir._spool import FLAG_FINAL, Meta, SegmentWriter, SpoolDir
from weir_proto.v1 import ingest_pb2 as pb

AGENT_ROLE: Final = "agent"
"""Role of an agent's own producers; they do not count among the lives that decide a run's state."""

_HEARTBEAT_S: Final = 15.0


@dataclass(slots=True)
class Findings:
    """What one frame of a node log will hold. `names` is the symbol table of `system`."""

    names: list[str] = field(default_factory=list)
    system: list[pb.SystemBlock] = field(default_factory=list)
    lines: list[pb.LineBlock] = field(default_factory=list)
    attrs: list[pb.Attr] = field(default_factory=list)
    events: list[pb.Event] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.system or self.lines or self.attrs or self.events)


class NodeLog:
    """The agent's producer in one run. Safe from any thread; every method may raise OSError.

    A frame is on disk when `write` returns; whoever harvests a file may then forget what was in
    it. Nothing is held back in memory. A run of which nothing is found never gets a node log.

    Args:
        root: The spool root.
        trainer: Whose run it is; project, run, node, rank, mode and server are taken from it.
        clock: Tells when.
        token: Of the trainer: says who speaks.
    """

    def __init__(self, root: Path, trainer: Meta, clock: Clock, *, token: str = "") -> None:
        self._root = root
        self._trainer = trainer
        self._token = token
        self._clock = clock
        self._lock = threading.Lock()  # guards all below
        self._spool: SpoolDir | None = None
        self._writer: SegmentWriter | None = None  # until there is something to write
        self._ledger = Ledger()
        self._next_seq = 1
        self._last_frame_s = float("-inf")
        self._closed = False

    @property
    def spool(self) -> SpoolDir | None:
        """Its folder; None until there is a frame."""
        return self._spool

    def write(self, findings: Findings) -> None:
        """Put findings on disk as one frame, at most `MAX_BODY_BYTES` of it.

        Raises:
            OSError: The disk does not take it, or the log is closed: what was found is not safe.
        """
        body = pb.Body(
            schema=BODY_SCHEMA,
            names=findings.names,
            system=findings.system,
            lines=findings.lines,
            attrs=findings.attrs,
            events=findings.events,
        )
        with self._lock:
            if self._closed:  # the agent ends while an observer is still in the middle of its look
                raise OSError("the node log is closed")
            self._append(body, 0, pb.SessionUpdate.RUNNING)

    def keep_alive(self) -> None:
        """Write a heartbeat when the last frame was long ago; nothing where there is no frame yet."""
        silent_s = self._clock.monotonic_s() - self._last_frame_s
        if self._writer is not None and silent_s >= _HEARTBEAT_S:
            self.write(Findings())

    def close(self) -> None:
        """Write the last frame. A second call does nothing."""
        with self._lock:
            if not self._closed and self._writer is not None:
                self._append(pb.Body(schema=BODY_SCHEMA), FLAG_FINAL, pb.SessionUpdate.FINISHED)
                self._writer.close()
            self._closed = True

    def _append(self, body: pb.Body, flags: int, state: pb.SessionUpdate.State) -> None:
        if self._writer is None:
            self._spool = self._create()
            self._writer = SegmentWriter(self._spool)
        if flags or self._clock.monotonic_s() - self._last_frame_s >= _HEARTBEAT_S:
            body.session.CopyFrom(pb.SessionUpdate(state=state, time_unix_us=self._clock.unix_us()))
        self._ledger.state_in(body)
        self._writer.append(self._next_seq, flags, body.SerializeToString())
        self._ledger.settle()
        self._next_seq += 1
        self._last_frame_s = self._clock.monotonic_s()

    def _create(self) -> SpoolDir:
        now_us, trainer = self._clock.unix_us(), self._trainer
        line = (trainer.project, trainer.run_id, trainer.rank)
        meta = replace(
            trainer,
            producer=new_producer(next_birth_us(self._root, *line, now_us=now_us)).hex(),
            pid=os.getpid(),
            role=AGENT_ROLE,
            started_unix_us=now_us,
            process_started_s=process_started_s(os.getpid()),
            process_birth=process_birth(os.getpid()),
        )
        return SpoolDir.create(self._root, meta, token=self._token)


def fact(path: str, value: str | int | float | bool) -> pb.Attr:
    """Return a META attribute."""
    attr = pb.Attr(namespace=pb.Attr.META, path=path)
    set_value(attr, value)
    return attr


def facts(values: Iterable[tuple[str, str | int | float | bool]]) -> list[pb.Attr]:
    """Return META attributes by path."""
    return [fact(path, value) for path, value in values]
