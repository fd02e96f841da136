"""The way in for points: what `log()` does on the caller's thread, in microseconds.

The fast way is for a plain dict whose key set was seen before and whose values are numbers of
Python or NumPy.
Everything else takes the careful way, where every name and value is looked at; so do all calls
once the run is finished, or in a forked child before it has a producer: then no key set is known.
"""

import time
from array import array
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from weir._body import event
from weir._columns import Layout, split_names
from weir._media.desk import Taken, take_media
from weir._media.encoder import Encoder
from weir._names import flatten, name_fault
from weir._queue import Queue
from weir._speak import log
from weir._values import (
    MAX_STEP,
    PLAIN_NUMBERS,
    describe_rejected,
    in_short,
    is_number_type,
    to_point_value,
    to_step,
    to_unix_us,
)
from weir.errors import InvalidPoint, UsageError

_MAX_LAYOUTS: Final = 10_000  # distinct key sets remembered; beyond, they are learnt again
_MAX_REJECTED_NAMES: Final = 1_000  # named to the user; the rest are only counted
_PLAIN_STEPS: Final = frozenset({int, type(None)})
_MAX_GOOD_NAMES: Final = 100_000
_all_plain: Final = PLAIN_NUMBERS.issuperset


def _all_numbers(values: Collection[Any]) -> bool:
    """Whether `array("d", …)` takes all of them; asks per type, not per value."""
    return _all_plain(map(type, values)) or all(map(is_number_type, set(map(type, values))))


class Intake:
    """Checks, stamps and queues points. Safe to use from any thread.

    Args:
        queue: Where points wait for the spool thread.
        strict: Raise on what cannot be logged, instead of dropping it.
        gate: Asked before anything unusual is queued: raises when the run is finished, returns
            False when nothing is to be recorded.
        encoder: Opens what encodes media, when the first comes; None = media are not taken.

    Attributes:
        lock: The queue's; guards the step count too.
        logged: Numbers, texts and media given to `log()`.
    """

    def __init__(
        self,
        queue: Queue,
        *,
        strict: bool,
        gate: Callable[[], bool],
        encoder: Callable[[], Encoder] | None = None,
    ) -> None:
        self.lock = queue.lock
        self.logged = 0
        self._rejected = 0
        self._rejected_later = 0  # written by the encoder's thread only
        self._queue = queue
        self._strict = strict
        self._gate = gate
        self._encoder = encoder
        self._closed = False
        self._layouts: dict[tuple[Any, ...], Layout] = {}
        self._next_step = 0
        self._good_names: set[str] = set()
        self._rejected_names: set[str] = set()
        self._media_names: set[str] = set()

    @property
    def rejected(self) -> int:
        """Of what was given to `log()`, refused."""
        return self._rejected + self._rejected_later

    def after_fork(self, queue: Queue) -> "Intake":
        """Return the intake of a forked child: same step count, nothing shared with the parent."""
        intake = Intake(queue, strict=self._strict, gate=self._gate, encoder=self._encoder)
        intake._next_step = self._next_step
        return intake

    def continue_after(self, step: int) -> None:
        """Count on from `step`, which may be negative: a call without a step takes the next one."""
        with self.lock:
            self._next_step = max(self._next_step, step + 1) if self.logged else step + 1

    def close(self) -> None:
        """Take nothing more: from now on every call meets the gate."""
        with self.lock:
            self._closed = True
            self._layouts.clear()
            self._queue.close()

    def log(self, data: Mapping[str, Any], step: Any, timestamp: Any, commit: bool) -> None:
        """Queue the values of one step; see `Run.log`."""
        time_unix_us = time.time_ns() // 1000
        if type(data) is dict and timestamp is None and step.__class__ in _PLAIN_STEPS:
            layout = self._layouts.get(tuple(data))
            values = data.values()
            if layout is not None and _all_numbers(values):
                try:
                    row = array("d", list(values))  # of a list: it knows its length
                    whole = len(row) == layout.width  # not if another thread changed it just now
                    if whole and self._put_row(layout, step, time_unix_us, row, commit):
                        return
                except OverflowError:
                    pass  # an int too large for a float
        self._log_carefully(data, step, timestamp, time_unix_us, commit)

    def _put_row(
        self, layout: Layout, step: Any, time_unix_us: int, row: "array[float]", commit: bool
    ) -> bool:
        """Queue one row; False when this is a case for the careful way."""
        with self.lock:
            if self._closed or not (step is None or -MAX_STEP <= step <= MAX_STEP):
                return False
            room = self._queue.room_for(layout.width)
            if self._closed:  # while we waited for room
                return False
            if step is None:
                step = self._next_step
                if commit:
                    self._next_step = step + 1
            elif step >= self._next_step:
                self._next_step = step + 1
            self.logged += layout.width
            if room:
                self._queue.put_row(layout, step, time_unix_us, row)
            return True

    def _log_carefully(
        self, data: Any, step: Any, timestamp: Any, time_unix_us: int, commit: bool
    ) -> None:
        if not isinstance(data, Mapping):
            kind = type(data).__name__
            raise UsageError(f"log() takes a mapping, not {kind}", hint="log({'loss': 0.5})")
        if not self._gate():
            return
        pairs = dict(flatten(data))
        whole = None if step is None else to_step(step)
        if step is not None and whole is None:
            why = f"step {in_short(step)} is not a whole number within ±2^53"
            self._reject_all(pairs, why)
            return
        when_us = time_unix_us if timestamp is None else to_unix_us(timestamp)
        if when_us is None:
            why = f"timestamp {in_short(timestamp)} is not Unix seconds or a datetime"
            self._reject_all(pairs, why)
            return
        numbers, texts, media = self._sort_out(pairs, whole)
        self._put_pairs(numbers, texts, media, whole, when_us, commit)

    def _sort_out(
        self, pairs: Mapping[Any, Any], step: int | None
    ) -> tuple[dict[str, float], dict[str, str], dict[str, Taken]]:
        """Tell numbers, texts and media apart, and refuse the rest."""
        numbers: dict[str, float] = {}
        texts: dict[str, str] = {}
        media: dict[str, Taken] = {}
        for name, value in pairs.items():
            fault = None if name in self._good_names else self._check(name)
            point = None if fault else to_point_value(value)
            if isinstance(point, float):
                numbers[name] = point
            elif point is not None:
                texts[name] = point
            else:
                taken = fault or self._take_media(value)
                if isinstance(taken, str):
                    self.reject(name, taken, step)
                else:
                    media[name] = taken
        return numbers, texts, media

    def _take_media(self, value: Any) -> Taken | str:
        """Copy a value that is media; else return why it cannot be kept."""
        taken = self._encoder and take_media(value, self._encoder, at_once=self._strict)
        return describe_rejected(value) if taken is None else taken

    def _check(self, name: Any) -> str | None:
        """Return what is wrong with a name; a good one is looked at only once."""
        fault = name_fault(name)
        if fault is None and len(self._good_names) < _MAX_GOOD_NAMES:
            self._good_names.add(name)
        return fault

    def _put_pairs(
        self,
        numbers: dict[str, float],
        texts: dict[str, str],
        media: dict[str, Taken],
        step: int | None,
        time_unix_us: int,
        commit: bool,
    ) -> None:
        points = len(numbers) + len(texts) + len(media)
        held_bytes = sum(taken.size_bytes for taken in media.values())
        encoder = self._encoder() if media and self._encoder else None
        if encoder and not encoder.room_for(held_bytes, len(media)):
            media = {}
        with self.lock:
            room = self._queue.room_for(len(numbers) + len(texts) + len(media))
            if self._closed and not self._gate():  # finished since we were let in
                return
            at = self._next_step if step is None else step
            if room:
                self._put_points(numbers, texts, at, time_unix_us)
                if encoder:
                    self._put_media(encoder, media, at, time_unix_us)
            self.logged += points
            if commit or step is not None:
                self._next_step = max(self._next_step, at + 1)

    def _put_points(
        self, numbers: dict[str, float], texts: dict[str, str], step: int, time_unix_us: int
    ) -> None:
        for names in split_names(tuple(numbers)):
            layout = self._layouts.get(names) or self._learn(names)
            values = array("d", [numbers[name] for name in names])
            self._queue.put_row(layout, step, time_unix_us, values)
        for name, text in texts.items():
            self._queue.put_text(name, step, time_unix_us, text)

    def _put_media(
        self, encoder: Encoder, media: dict[str, Taken], step: int, time_unix_us: int
    ) -> None:
        for name, taken in media.items():
            if name not in self._media_names and len(self._media_names) < _MAX_GOOD_NAMES:
                self._media_names.add(name)
                if any(name in layout.names for layout in self._layouts.values()):
                    log.warning("weir: %r held numbers before and holds media now", name)
            encoder.put(name, step, time_unix_us, taken.snapshots, listed=taken.listed)

    def _learn(self, names: tuple[str, ...]) -> Layout:
        if len(self._layouts) >= _MAX_LAYOUTS:
            self._layouts.clear()
        layout = self._layouts[names] = Layout(names)
        return layout

    def _reject_all(self, pairs: Mapping[Any, Any], why: str) -> None:
        for name in pairs:
            self.reject(name, why, None)

    def reject(self, name: Any, why: str, step: int | None) -> None:
        """Count what cannot be kept; say so once per name, to the user and to the server.

        Raises:
            InvalidPoint: When strict, instead.
        """
        if self._strict:
            raise InvalidPoint(f"{name!r} cannot be logged: {why}")
        with self.lock:
            self.logged += 1
            self._rejected += 1
        self._say_rejected(name, why, step)

    def reject_later(self, name: str, why: str, step: int) -> None:
        """Count media that turned out not to be fit once it was encoded, and say so likewise.

        Called by the encoder's thread, without the lock: who holds it may wait for that thread.
        """
        self._rejected_later += 1
        self._say_rejected(name, why, step)

    def _say_rejected(self, name: Any, why: str, step: int | None) -> None:
        shown = "".join(letter if letter.isprintable() else "?" for letter in str(name)[:120])
        if shown in self._rejected_names or len(self._rejected_names) >= _MAX_REJECTED_NAMES:
            return
        self._rejected_names.add(shown)
        log.warning("weir: %r cannot be logged and is dropped: %s", shown, why)
        self._queue.put_event(
            event(
                "rejected",
                f"{shown} was not logged: {why}",
                time_unix_us=time.time_ns() // 1000,
                step=step,
                attrs={"metric": shown},
            )
        )
