"""The scribe's second thread: bytes into lines, secrets out of them, and onto the disk.

A slow or hanging disk holds up only this thread. The echo hands chunks over without waiting, and
counts those that it cannot hand over.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from weir._console.disk import RecordWriter
from weir._console.limit import LineLimit
from weir._console.messages import LOST, PRINTED, Message, Unpacker, lost_count, read_words
from weir._console.pairs import Pairing
from weir._console.records import LOGGING, STDERR, STDOUT, Line
from weir._console.screen import Screen
from weir._redact import Redactor

MESSAGES: Final = 0  # in place of a stream: a chunk of the messages' pipe
_BACKLOG_BYTES: Final = 16 << 20
_MOST_CHUNKS: Final = 64  # between two writes
_TICK_S: Final = 0.1
_TELL_EVERY_S: Final = 10.0
_MAX_LINE_BYTES: Final = 8 << 10
_WARNING: Final = 30


class Recorder:
    """Records one process's lines. `take` is called by the echo's thread, all else is this one's.

    Args:
        writer: Puts lines on disk.
        lines_per_s: How many are recorded, averaged over a minute.
        secrets: What must not come through.
        on_end: Called when the last line is on disk, from the recorder's thread.
    """

    def __init__(
        self,
        writer: RecordWriter,
        *,
        lines_per_s: float,
        secrets: Iterable[str],
        on_end: Callable[[], None],
    ) -> None:
        self._writer = writer
        self._limit = LineLimit(lines_per_s)
        secrets = tuple(secrets)
        self._redactors = {each: Redactor(secrets) for each in (STDOUT, STDERR, LOGGING)}
        self._screens = {each: Screen() for each in (STDOUT, STDERR)}
        self._unpacker = Unpacker()
        self._pairing = Pairing()
        self._on_end = on_end
        self._queue: SimpleQueue[tuple[int, bytes, int] | None] = SimpleQueue()
        self._given_bytes = 0  # written by the echo's thread alone
        self._taken_bytes = 0  # written by this one alone
        self._overrun = 0  # lines the echo could not hand over; its thread alone
        self._overrun_told = 0
        self._ended = False
        self._number = 0
        self._told_s = 0.0
        self._thread = Thread(target=self._run, name="recorder", daemon=True)

    # ── called by the echo ─────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to record."""
        self._thread.start()

    def take(self, stream: int, chunk: bytes, now_us: int) -> None:
        """Take what was written; never waits."""
        if self._ended:
            return
        if self._given_bytes - self._taken_bytes > _BACKLOG_BYTES:
            self._overrun += chunk.count(b"\n")
            return
        self._given_bytes += len(chunk)
        self._queue.put((stream, chunk, now_us))

    def end(self) -> None:
        """Nothing more is to be recorded. A second call does nothing."""
        if not self._ended:
            self._ended = True
            self._queue.put(None)

    def join(self) -> None:
        """Wait until the last line is on disk."""
        self._thread.join()

    # ── the recorder's thread ──────────────────────────────────────────────

    def _run(self) -> None:
        while self._turn():
            pass
        self._end_record()
        self._on_end()

    def _turn(self) -> bool:
        """Take what has come, write what is due; returns False when the end has come."""
        goes_on = self._read_what_came()
        now_us = time.time_ns() // 1_000
        for stream, screen in self._screens.items():
            if screen.moving:
                self._add(stream, screen.tick(now_us))
        self._tell_losses()
        self._write(self._pairing.take(now_us))
        return goes_on

    def _read_what_came(self) -> bool:
        """Wait for chunks, and read those that are there; returns False at the end."""
        with suppress(Empty):
            timeout_s = _TICK_S if self._expects else None
            for _ in range(_MOST_CHUNKS):
                item = self._queue.get(timeout=timeout_s)
                if item is None:
                    return False
                self._read(*item)
                timeout_s = 0.0
        return True

    @property
    def _expects(self) -> bool:
        """Whether time alone may bring something to do."""
        moving = any(screen.moving for screen in self._screens.values())
        losses = self._limit.left_out or self._writer.lost or self._overrun > self._overrun_told
        return bool(moving or losses or self._pairing)

    def _read(self, stream: int, chunk: bytes, now_us: int) -> None:
        self._taken_bytes += len(chunk)
        self._limit.refill(time.monotonic())
        if stream == MESSAGES:
            for message in self._unpacker.feed(chunk):
                self._hear(message, now_us)
        else:
            self._see(stream, chunk, now_us)

    def _see(self, stream: int, chunk: bytes, now_us: int) -> None:
        screen = self._screens[stream]
        if self._limit.spent:
            self._limit.left_out += screen.skip(chunk)
        else:
            self._add(stream, screen.feed(chunk, now_us))

    def _hear(self, message: Message, now_us: int) -> None:
        if message.kind == LOST:
            self._overrun_told -= lost_count(message)  # tell of them as of others
        elif message.kind == LOGGING:
            text, said = read_words(message.payload)
            printed = said if message.flags & PRINTED else ""
            self._record(LOGGING, message.level, now_us, text, printed)
        elif message.kind in self._screens:
            self._see(message.kind, message.payload, now_us)

    def _add(self, stream: int, told: Iterable[tuple[int, bytes]]) -> None:
        for began_us, text in told:
            if self._limit.admit(len(text)):
                self._record(stream, 0, began_us, text.decode(errors="replace"), admitted=True)

    def _record(
        self,
        stream: int,
        level: int,
        began_us: int,
        text: str,
        printed: str = "",
        *,
        admitted: bool = False,
    ) -> None:
        if not admitted and not self._limit.admit(len(text)):
            return
        redactor = self._redactors[stream]
        clean = "\n".join(map(redactor.line, text.split("\n")))
        line = Line(0, began_us, stream, level, _cut(clean))
        message = redactor.text(printed) if printed else ""
        self._pairing.add(line, time.time_ns() // 1_000, message=message)

    def _write(self, lines: list[Line]) -> None:
        if not lines:
            return
        numbered = []
        for line in lines:
            for text in line.text.split("\n"):  # a message of several lines
                self._number += 1
                numbered.append(line._replace(number=self._number, text=text))
        self._writer.write(numbered)

    def _tell_losses(self, *, at_once: bool = False) -> None:
        """Say now and then how many lines are not in the record, and why."""
        now_s = time.monotonic()
        if not at_once and now_s - self._told_s < _TELL_EVERY_S:
            return
        overrun, self._overrun_told = self._overrun - self._overrun_told, self._overrun
        reasons = [
            (self._limit.tell(), f"more than {self._limit.lines_per_s:g} a second"),
            (overrun, "they came faster than they could be recorded"),
        ]
        if self._writer.lost and (self._writer.ready or at_once):
            reasons.append((self._writer.tell_lost(), self._writer.trouble))
        said = [f"weir: {count} lines left out: {why}" for count, why in reasons if count > 0]
        if said:
            self._told_s = now_s
        now_us = time.time_ns() // 1_000
        self._write([Line(0, now_us, LOGGING, _WARNING, text) for text in said])

    def _end_record(self) -> None:
        now_us = time.time_ns() // 1_000
        for stream, screen in self._screens.items():
            self._add(stream, screen.end(now_us))
        self._write(self._pairing.take(now_us, all_of_them=True))
        self._tell_losses(at_once=True)
        with suppress(OSError):
            self._writer.close()


def _cut(text: str) -> str:
    """Return at most 8 KiB of a line, with a mark where it goes on."""
    if len(text) * 4 <= _MAX_LINE_BYTES:
        return text
    content = text.encode(errors="replace")
    if len(content) <= _MAX_LINE_BYTES:
        return text
    mark = f" … [{len(content) - _MAX_LINE_BYTES} bytes more]"
    return content[: _MAX_LINE_BYTES - len(mark) - 2].decode(errors="ignore") + mark
