"""What `log()` leaves for the spool thread: bounded, lock-free to read, newest dropped when full."""

from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from weir._columns import MAX_POINTS, Layout, Row, Text
from weir_proto.v1 import ingest_pb2 as pb

FRAME_BUDGET_BYTES: Final = 768 << 10  # of MAX_BODY_BYTES; estimates are upper bounds
_MAX_EVENTS: Final = 1_000
_POINT_BYTES: Final = 28  # in columns layout, which any row may end up in
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

    def __bool__(self) -> bool:
        return bool(self.rows or self.texts or self.attrs or self.events)


class Queue:
    """Rows, texts, attributes and events on their way to the spool.

    The `put_` methods are called by the user's threads, under the run's lock; `take` by the spool
    thread, under none: it only pops what is there. Attributes need no bound of their own, because
    of several values for one path only the newest waits.

    Attributes:
        dropped: Points refused because the queue was full.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rows: deque[Row] = deque()
        self._texts: deque[Text] = deque()
        self._attrs: dict[AttrKey, pb.Attr] = {}
        self._events: deque[pb.Event] = deque(maxlen=_MAX_EVENTS)
        self._put_bytes = 0  # written under the run's lock only
        self._taken_bytes = 0  # written by the spool thread only
        self.dropped = 0

    @property
    def waiting_bytes(self) -> int:
        """What waits, in bytes of memory."""
        return self._put_bytes - self._taken_bytes

    def put_row(self, layout: Layout, step: int, time_unix_us: int, values: "array[float]") -> bool:
        """Queue one row; False, and counted, when there is no room."""
        if self._put_bytes - self._taken_bytes > self._max_bytes:
            self.dropped += layout.width
            return False
        self._put_bytes += layout.row_bytes
        self._rows.append((layout, step, time_unix_us, values))
        return True

    def put_text(self, metric: str, step: int, time_unix_us: int, text: str) -> bool:
        """Queue one text; False, and counted, when there is no room."""
        if self._put_bytes - self._taken_bytes > self._max_bytes:
            self.dropped += 1
            return False
        self._put_bytes += text_memory_bytes(text)
        self._texts.append((metric, step, time_unix_us, text))
        return True

    def put_attr(self, attr: pb.Attr) -> None:
        """Queue one attribute; a value still waiting for the same path is replaced."""
        self._attrs[attr.namespace, attr.path] = attr

    def put_event(self, event: pb.Event) -> None:
        """Queue one event; beyond a thousand the oldest goes."""
        self._events.append(event)

    def take(self) -> Batch:
        """Remove and return what fits one frame; empty when nothing waits."""
        batch = Batch()
        budget = _Budget()
        self._take_rows(batch, budget)
        _move(self._texts, batch.texts, lambda text: budget.take(_text_wire_bytes(text), 1))
        while self._attrs and budget.take(next(iter(self._attrs.values())).ByteSize() + 8, 0):
            key = next(iter(self._attrs))
            batch.attrs.append(self._attrs.pop(key))
        _move(self._events, batch.events, lambda event: budget.take(event.ByteSize() + 8, 0))
        batch.points = budget.points
        batch.memory_bytes = sum(row[0].row_bytes for row in batch.rows)
        batch.memory_bytes += sum(text_memory_bytes(text[3]) for text in batch.texts)
        return batch

    def abandon(self, unwritten: Batch | None) -> None:
        """Count everything that waits, and a frame the disk never took, as dropped."""
        lost = unwritten.points if unwritten else 0
        while batch := self.take():
            lost += batch.points
            self.release(batch)
        self.dropped += lost

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
            batch.rows.append(rows.popleft())


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
        target.append(source.popleft())


def text_memory_bytes(text: str) -> int:
    """Return about what one queued text takes in memory."""
    return 4 * len(text) + 256


def _text_wire_bytes(text: Text) -> int:
    return len(text[3]) * (1 if text[3].isascii() else 4) + len(text[0]) * 4 + _ROW_BYTES
