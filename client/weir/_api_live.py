"""Runs as they go: points, texts, events and states told about a second after they happen.

with weir.Api().subscribe("vision/k3j9x2mq7a", metrics="train/loss") as updates:
    for update in updates:
        if update.kind == "point" and not math.isfinite(update.value):
            weir.Api().run(update.run).stop("the loss is no number")
"""

import array
import base64
import binascii
import sys
import time
import zlib
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias

from google.protobuf.message import DecodeError

from weir._api_views import EventView, event_view
from weir.errors import Retryable, UsageError
from weir_proto.v1 import live_pb2 as pb
from weir_proto.v1 import runs_pb2

if TYPE_CHECKING:
    from weir._api_run import RunView
    from weir._api_transport import ApiTransport, LiveUpdates

UpdateKind = Literal["point", "text", "event", "state"]
_KINDS: Final = {
    "point": pb.UPDATE_KIND_POINTS,
    "text": pb.UPDATE_KIND_TEXTS,
    "event": pb.UPDATE_KIND_EVENTS,
    "state": pb.UPDATE_KIND_STATES,
}
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_REMEMBERED_EVENTS: Final = 10_000
_MOST_CURSOR_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class PointUpdate:
    """A point was stored.

    Attributes:
        run: `project/run_id`, as `Api.run` takes it.
        metric: Its name.
        rank: Of the process that logged it.
        step: Of the point.
        time_unix_us: When it was logged.
        value: NaN and infinities included.
    """

    kind: ClassVar[UpdateKind] = "point"
    run: str
    metric: str
    rank: int
    step: int
    time_unix_us: int
    value: float


@dataclass(frozen=True, slots=True)
class TextUpdate:
    """A text was stored, or with `is_media` JSON that names a file; the rest as `PointUpdate`."""

    kind: ClassVar[UpdateKind] = "text"
    run: str
    metric: str
    rank: int
    step: int
    time_unix_us: int
    value: str
    is_media: bool = False


@dataclass(frozen=True, slots=True)
class EventUpdate:
    """Something happened to a run."""

    kind: ClassVar[UpdateKind] = "event"
    run: str
    event: EventView


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """Where a run stands: told of each run at the start, and whenever it changes.

    Attributes:
        run: `project/run_id`.
        state: running, finished, failed, crashed, interrupted or deleted.
        world_size: Processes it said it has; 0 when nobody said.
        ranks: Ranks that were seen.
    """

    kind: ClassVar[UpdateKind] = "state"
    run: str
    state: str
    world_size: int
    ranks: int


Update: TypeAlias = PointUpdate | TextUpdate | EventUpdate | StateUpdate


class Subscription(Iterator[Update]):
    """Updates as they come, for one thread; `close` may be called from another.

    A connection that breaks is made again, from where it broke: every update
    comes at least once. Reading slowly harms nobody but you.
    """

    def __init__(
        self,
        transport: "ApiTransport",
        request: pb.SubscribeRequest,
        *,
        idle_s: float | None,
        patience_s: float,
    ) -> None:
        self._transport = transport
        self._request = request
        self._idle_s = idle_s
        self._patience_s = patience_s
        self._waiting: deque[Update] = deque()
        self._marks = _Marks()
        if request.HasField("after"):
            self._marks.add(request.after)
        self._told_events: OrderedDict[str, None] = OrderedDict()
        self._closed = False
        self._call: LiveUpdates | None = self._connected()
        # When the first answer is there, the server looks on: nothing that comes is missed.
        self._take(next(self._call, None))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Update:
        """Wait for the next update.

        Raises:
            StopIteration: It was closed, or nothing came for `idle_s`.
            TransportError: The server refuses, or was away for longer than `patience_s`.
        """
        since_s = time.monotonic()
        while not self._waiting:
            if self._closed or self._is_idle(since_s):
                raise StopIteration
            self._take(self._receive())
        return self._waiting.popleft()

    @property
    def cursor(self) -> str:
        """How far it has come: `Api.subscribe(cursor=…)` goes on there, also in another process."""
        return self._marks.as_text()

    def close(self) -> None:
        """End it; the iteration ends."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()

    def _is_idle(self, since_s: float) -> bool:
        return self._idle_s is not None and time.monotonic() - since_s >= self._idle_s

    def _receive(self) -> pb.Update | None:
        """Return what the server sends next, over a new connection when the old one broke."""
        failing_since_s: float | None = None
        pause_s = _FIRST_PAUSE_S
        while not self._closed:
            try:
                self._call = self._call or self._connected()
                update: pb.Update | None = next(self._call, None)
                if update is not None:
                    return update
                self._call = None
            except Retryable:
                self._call = None
                now_s = time.monotonic()
                failing_since_s = failing_since_s or now_s
                if self._closed:
                    return None
                if now_s - failing_since_s > self._patience_s:
                    raise
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        return None

    def _connected(self) -> "LiveUpdates":
        if self._marks.known:
            self._request.after.CopyFrom(self._marks.as_message())
        return self._transport.subscribe(self._request)

    def _take(self, update: pb.Update | None) -> None:
        if update is None:
            return
        match update.WhichOneof("told"):
            case "points":
                self._waiting.extend(_points(update.points))
            case "texts":
                self._waiting.extend(_texts(update.texts))
            case "event":
                self._take_event(update.event)
            case "state":
                told = update.state
                self._waiting.append(
                    StateUpdate(_path(told.run), told.state, told.world_size, told.ranks)
                )
        if update.HasField("marks"):
            self._marks.add(update.marks)

    def _take_event(self, told: pb.LiveEvent) -> None:
        event = event_view(told.event)
        if event.event_id in self._told_events:
            return
        self._told_events[event.event_id] = None
        if len(self._told_events) > _REMEMBERED_EVENTS:
            self._told_events.popitem(last=False)
        self._waiting.append(EventUpdate(_path(told.run), event))


class LiveApi:
    """The part of `Api` that looks on."""

    _transport: "ApiTransport"

    def subscribe(
        self,
        runs: "Iterable[RunView | str] | RunView | str",
        *,
        metrics: str | Sequence[str] = (),
        kinds: UpdateKind | Sequence[UpdateKind] = (),
        ranks: int | Sequence[int] | None = None,
        since: Literal["now", "start"] = "now",
        cursor: str = "",
        idle_s: float | None = None,
        patience_s: float = 60.0,
    ) -> Subscription:
        """Look on while runs go: iterate over the answer.

        Args:
            runs: A project's name for all of its runs, also those to come; or
                runs, or their `project/run_id`, at most 1 000.
            metrics: Exact names of points and texts; empty = all.
            kinds: `point`, `text`, `event`, `state`; empty = all.
            ranks: Of points, texts and events; `None` = all.
            since: `now`: what is stored after this call; `start`: all there is, then what comes.
            cursor: Go on where the subscription with this cursor had come to; goes before `since`.
            idle_s: End the iteration when nothing came for so long; `None` = never.
            patience_s: Raise when the server has been away for so long.

        Raises:
            UsageError: The call is wrong.
            TransportError: The server is away, or refuses.
        """
        if since not in ("now", "start"):
            raise UsageError(f"since is {since!r}", hint="now or start")
        names = [kinds] if isinstance(kinds, str) else list(kinds)
        if unknown := [name for name in names if name not in _KINDS]:
            raise UsageError(f"no such kind {unknown[0]!r}", hint=", ".join(_KINDS))
        request = pb.SubscribeRequest(
            kinds=[_KINDS[name] for name in names],
            metrics=[metrics] if isinstance(metrics, str) else list(metrics),
            ranks=[ranks] if isinstance(ranks, int) else list(ranks or ()),
        )
        _look_at(request, runs)
        if cursor:
            request.after.CopyFrom(_marks_of(cursor))
        elif since == "start":
            request.from_start = True
        return Subscription(self._transport, request, idle_s=idle_s, patience_s=patience_s)


def _look_at(request: pb.SubscribeRequest, runs: "Iterable[RunView | str] | RunView | str") -> None:
    from weir._api import _refs_of  # what a run is called, once

    if isinstance(runs, str) and "/" not in runs:
        if not runs:
            raise UsageError("no project and no run to look at", hint="name one")
        request.project = runs
        return
    request.runs.extend(_refs_of(runs))
    if not request.runs:
        raise UsageError("no runs to look at", hint="name at least one, or a project")


class _Marks:
    """The farthest mark of every life."""

    def __init__(self) -> None:
        self.known = False
        self._far: dict[tuple[str, str, int, int], int] = {}
        self._events_unix_us = 0

    def add(self, message: pb.Marks) -> None:
        self.known = True
        self._events_unix_us = max(self._events_unix_us, message.events_unix_us)
        for mark in message.marks:
            run = message.runs[mark.run]
            life = run.project, run.run_id, mark.rank, mark.born_unix_s
            self._far[life] = max(mark.seq, self._far.get(life, 0))

    def as_message(self) -> pb.Marks:
        message = pb.Marks(events_unix_us=self._events_unix_us)
        numbers: dict[tuple[str, str], int] = {}
        for (project, run_id, rank, born_s), seq in self._far.items():
            number = numbers.setdefault((project, run_id), len(numbers))
            message.marks.add(run=number, rank=rank, born_unix_s=born_s, seq=seq)
        message.runs.extend(runs_pb2.RunRef(project=p, run_id=r) for p, r in numbers)
        return message

    def as_text(self) -> str:
        packed = zlib.compress(self.as_message().SerializeToString())
        return base64.urlsafe_b64encode(packed).decode() if self.known else ""


def _marks_of(cursor: str) -> pb.Marks:
    try:
        packed = base64.b64decode(cursor.encode(), altchars=b"-_", validate=True)
        unpacking = zlib.decompressobj()
        message = pb.Marks.FromString(unpacking.decompress(packed, _MOST_CURSOR_BYTES))
        if not unpacking.eof or any(mark.run >= len(message.runs) for mark in message.marks):
            raise ValueError("a run that is not there")
    except (ValueError, binascii.Error, zlib.error, DecodeError) as error:
        raise UsageError("that is no cursor of a subscription", hint="leave it out") from error
    return message


def _points(told: pb.LivePoints) -> Iterator[PointUpdate]:
    run, names, values = _path(told.run), list(told.metrics), _numbers("d", told.value)
    for number, rank, step, time_unix_us, value in zip(*_columns(told), values, strict=True):
        yield PointUpdate(run, names[number], rank, step, time_unix_us, value)


def _texts(told: pb.LiveTexts) -> Iterator[TextUpdate]:
    run, names = _path(told.run), list(told.metrics)
    rows = zip(*_columns(told), told.values, told.is_media, strict=True)
    for number, rank, step, time_unix_us, value, is_media in rows:
        yield TextUpdate(run, names[number], rank, step, time_unix_us, value, is_media)


def _columns(told: pb.LivePoints | pb.LiveTexts) -> list["array.array[Any]"]:
    kinds = (("I", told.metric), ("I", told.rank), ("q", told.step), ("q", told.time_unix_us))
    return [_numbers(kind, content) for kind, content in kinds]


def _numbers(kind: str, content: bytes) -> "array.array[Any]":
    numbers: array.array[Any] = array.array(kind, content)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _path(run: runs_pb2.RunRef) -> str:
    return f"{run.project}/{run.run_id}"
