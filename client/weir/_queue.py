"""What `log()` leaves for the spool thread: bounded, lock-free to read, newest dropped when full."""

import threading
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from weir._columns import MAX_POINTS, Layout, Row, Text
from weir.errors import QueueFull
from weir_proto.v1 import ingest_pb2 as pb

FRAME_BUDGET_BYTES: Final = 768 << 10  # of MAX_BODY_BYTES; estimates are upper bounds
_MAX_EVENTS: Final = 1_000
_POINT_BYTES: Final = 28  # in columns layout, which any row may end up in
_LOOK_AGAIN_S: Final = 0.02
_ROW_BYTES: Final = 64  # step, time and framing of a row or text on the wire

AttrKey = tuple[pb.Attr.Namespace, str]  # namespace, path


@dataclass(slots=True)
class Batch:
    """What one frame will hold.

    Attributes:
        points: Numbers and texts in it.
        memory_bytes: What the rows and texts took in the queue.
    """

    rows: list[Row] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    attrs: list[pb.Attr] = field(default_factory=list)
    events: list[pb.Event] = field(default_factory=list)
    points: int = 0
    memory_bytes: int = 0

    def measure(self) -> None:
        """Set `points` and `memory_bytes` to what is in it."""
        self.points = sum(row[0].width for row in self.rows) + len(self.texts)
        self.memory_bytes = sum(row[0].row_bytes for row in self.rows)
        self.memory_bytes += sum(text_memory_bytes(text[3]) for text in self.texts)

    def __bool__(self) -> bool:
        return bool(self.rows or self.texts or self.attrs or self.events)


class Queue:
    """Rows, texts, attributes and events on their way to the spool.

    `room_for` and the `put_` methods are called by the user's threads, holding `lock`; `take` by
    the spool thread, holding none: it only pops what is there. Attributes need no bound of their
    own, because of several values for one path only the newest waits. The bound is looked at once
    per call of log(), so the queue may exceed it by what one call holds.

    Attributes:
        lock: Guards the putting side. Re-entrant, so that a signal handler may log.
        obstacle: Why nothing leaves the queue; "" when the spool takes what comes. Written by the
            spool thread.
    """

    def __init__(self, max_bytes: int, on_full: str = "drop_newest") -> None:
        self.lock = threading.RLock()
        self.obstacle = ""
        self._room = threading.Condition(self.lock)
        self._max_bytes = max_bytes
        self._on_full = on_full
        self._rows: deque[Row] = deque()
        self._texts: deque[Text] = deque()
        self._attrs: dict[AttrKey, pb.Attr] = {}
        self._events: deque[pb.Event] = deque(maxlen=_MAX_EVENTS)
        self._closed = False
        self._put_bytes = 0  # written under the lock only
        self._taken_bytes = 0  # written by the spool thread only
        self._media_bytes = 0  # the same of what the encoder put; written by its thread only
        self._refused = 0  # points, written under the lock only
        self._lost_media = 0  # points, written by the encoder only
        self._given_up = 0  # points, written by the spool thread only

    @property
    def dropped(self) -> int:
        """Points that will never reach the spool: no room, or given up."""
        return self._refused + self._given_up + self._lost_media

    @property
    def waiting_bytes(self) -> int:
        """What waits, in bytes of memory."""
        return self._put_bytes + self._media_bytes - self._taken_bytes

    def room_for(self, points: int) -> bool:
        """Whether a call of log() may put so many points; else they are counted as dropped.

        Waits for room with `on_full="block"`, letting go of the lock meanwhile; False, and nothing
        counted, when the queue is closed then.

        Raises:
            QueueFull: There is none, with `on_full="raise"`.
        """
        if self._put_bytes + self._media_bytes - self._taken_bytes <= self._max_bytes:
            return True
        # Frames hold no system telemetry yet. When they do, this is where it goes first.
        if self._on_full == "raise":
            raise QueueFull(
                f"log() found no room: {self.obstacle or 'the disk is slower than the points'}",
                hint="free some space, or look with `weir status`",
            )
        if self._on_full == "block":
            return self._await_room()
        self._refused += points
        return False

    def _await_room(self) -> bool:
        # Nobody calls notify(): the spool thread must never wait for a lock that a signal handler
        # holds while it waits for the spool thread.
        while self.waiting_bytes > self._max_bytes and not self._closed:
            self._room.wait(_LOOK_AGAIN_S)
        return not self._closed

    def close(self) -> None:
        """Nothing more will be put: whoever waits for room waits in vain."""
        self._closed = True

    def put_row(self, layout: Layout, step: int, time_unix_us: int, values: "array[float]") -> None:
        """Queue one row."""
        self._put_bytes += layout.row_bytes
        self._rows.append((layout, step, time_unix_us, values))

    def put_text(
        self, metric: str, step: int, time_unix_us: int, text: str, media: bool = False
    ) -> None:
        """Queue one text; `media` when it is JSON that names files (docs/formats/media.md)."""
        size_bytes = text_memory_bytes(text)  # first: a signal handler that logs may run in it
        self._put_bytes += size_bytes
        self._texts.append((metric, step, time_unix_us, text, media))

    def put_media(self, metric: str, step: int, time_unix_us: int, text: str) -> None:
        """Queue one text that names media. Called by the encoder's thread, without the lock.

        Without, because a signal handler that holds it may be waiting for that very thread.
        """
        self._media_bytes += text_memory_bytes(text)
        self._texts.append((metric, step, time_unix_us, text, True))

    def refuse(self, points: int) -> None:
        """Count points as dropped before they came here. Called by the user's threads."""
        with self.lock:
            self._refused += points

    def lose_media(self, points: int) -> None:
        """Count points as dropped that the encoder gave up. Called by who closes it."""
        self._lost_media += points

    def put_attr(self, attr: pb.Attr) -> None:
        """Queue one attribute; a value still waiting for the same path is replaced."""
        self._attrs[attr.namespace, attr.path] = attr

    def put_event(self, event: pb.Event) -> None:
        """Queue one event; beyond a thousand the oldest goes."""
        self._events.append(event)

    def take(self) -> Batch:
        """Remove and return what fits one frame; empty when nothing waits."""
        batch = Batch()
        try:
            self._fill(batch)
        except BaseException:  # no memory: what was taken is nowhere else
            self.give_up(batch)
            raise
        return batch

    def _fill(self, batch: Batch) -> None:
        budget = _Budget()
        self._take_rows(batch, budget)
        _move(self._texts, batch.texts, lambda text: budget.take(_text_wire_bytes(text), 1))
        while self._attrs and budget.take(next(iter(self._attrs.values())).ByteSize() + 8, 0):
            key = next(iter(self._attrs))
            batch.attrs.append(self._attrs.pop(key))
        _move(self._events, batch.events, lambda event: budget.take(event.ByteSize() + 8, 0))
        batch.measure()

    def give_up(self, batch: Batch) -> None:
        """Count a batch as dropped that will never be written."""
        batch.measure()
        self._given_up += batch.points
        self.release(batch)

    def abandon(self, unwritten: Batch | None) -> None:
        """Count everything that waits, and a frame the disk never took, as dropped."""
        if unwritten is not None:
            self.give_up(unwritten)
        while batch := self.take():
            self.give_up(batch)

    def release(self, batch: Batch) -> None:
        """Give back the room of a batch that has reached the spool, or never will."""
        self._taken_bytes += batch.memory_bytes

    def _take_rows(self, batch: Batch, budget: "_Budget") -> None:
        seen: set[int] = set()
        rows = self._rows
        while rows:
            layout = rows[0][0]
            new = id(layout) not in seen
            size = _POINT_BYTES * layout.width + (layout.name_bytes + _ROW_BYTES if new else 0)
            if not budget.take(size, layout.width):
                return
            seen.add(id(layout))
            batch.rows.append(rows[0])  # first there, then gone here: memory may run out between
            rows.popleft()


class _Budget:
    """The room of one frame; its first item always fits."""

    def __init__(self) -> None:
        self._left_bytes = FRAME_BUDGET_BYTES
        self._untouched = True
        self.points = 0

    def take(self, size_bytes: int, points: int) -> bool:
        fits = self._left_bytes >= size_bytes and self.points + points <= MAX_POINTS
        if not (fits or self._untouched):
            return False
        self._untouched = False
        self._left_bytes -= size_bytes
        self.points += points
        return True


def _move(source: deque[Any], target: list[Any], fits: Callable[[Any], bool]) -> None:
    while source and fits(source[0]):
        target.append(source[0])
        source.popleft()


def text_memory_bytes(text: str) -> int:
    """Return about what one queued text takes in memory."""
    return 4 * len(text) + 256


def _text_wire_bytes(text: Text) -> int:
    return len(text[3]) * (1 if text[3].isascii() else 4) + len(text[0]) * 4 + _ROW_BYTES
