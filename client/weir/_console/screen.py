r"""Bytes of a stream into lines: what a terminal would show in the end, not how it came about. Pure.

Most output is lines and takes a short way. A stream that rewrites what it wrote (`\r`, backspace,
cursor up: progress bars) is followed on a small screen of rows:

    row 0  epoch  3/10         ◀─ cursor: tqdm goes down, draws, and comes back up
    row 1  batch 17/99

A row is told when the cursor has left it for good or nothing has touched it for a second. One that
goes on moving is told every ten seconds, and how it stood in the end.
"""

import re
from collections.abc import Iterator
from typing import Final

Told = tuple[int, bytes]
"""When the line began, Unix µs; its bytes, colours kept and all else removed."""

_SETTLED_US: Final = 1_000_000
_AGAIN_US: Final = 10_000_000
_MOST_ROWS: Final = 200
_MOST_ROW_BYTES: Final = 64 << 10
_MOST_HELD_BYTES: Final = 4 << 10

_PLAIN_BREAKER: Final = re.compile(rb"[\r\x08]|\x1b(?!\[[0-9;:]*m)")
_TOKEN: Final = re.compile(
    rb"\n|\r|\x08+"
    rb"|\x1b\[[0-9;:<=>?!]*[ -/]*[@-~]"  # CSI: colours, cursor, erase
    rb"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC and the like: titles, links
    rb"|\x1b[()*+ #%][ -~]"
    rb"|\x1b[0-9A-OQ-WYZ=>\\a-~]"
)
_CUT_SHORT: Final = re.compile(
    rb"\x1b(?:\[[0-9;:<=>?!]*[ -/]*|[\]PX^_][^\x07\x1b]*\x1b?|[()*+ #%])?\Z"
)
_CONTROL: Final = bytes(b for b in range(32) if b not in b"\t\x1b") + b"\x7f"


class Row:
    """One row: what stands there, since when, and what was told of it."""

    __slots__ = (
        "began_us",
        "carriage",
        "cut_bytes",
        "rewritten",
        "text",
        "told",
        "told_us",
        "touched_us",
    )

    def __init__(self, now_us: int, *, rewritten: bool = False) -> None:
        self.text = bytearray()
        self.began_us = now_us
        self.touched_us = now_us
        self.told: bytes | None = None
        self.told_us = now_us
        self.rewritten = rewritten
        self.carriage = False  # what comes next begins at the left
        self.cut_bytes = 0

    def write(self, text: bytes, now_us: int) -> None:
        if self.carriage:
            self.clear(now_us)
        if not self.text:
            self.began_us = now_us
        self.touched_us = now_us
        room = _MOST_ROW_BYTES - len(self.text)
        self.text += text[:room]
        self.cut_bytes += max(0, len(text) - room)

    def clear(self, now_us: int) -> None:
        self.text.clear()
        self.cut_bytes = 0
        self.carriage = False
        self.rewritten = True
        self.touched_us = now_us

    def back(self, letters: int) -> None:
        del self.text[max(0, len(self.text) - letters) :]
        self.rewritten = True

    def shown(self) -> bytes:
        """What stands there, fit to be recorded."""
        text = bytes(self.text).translate(None, _CONTROL)
        return text + f" … [{self.cut_bytes} bytes more]".encode() if self.cut_bytes else text

    def tell(self, now_us: int) -> Told | None:
        """Tell what stands there; None when it was told before, or nothing does."""
        shown = self.shown()
        if shown == self.told or (self.rewritten and not shown.strip()):
            return None
        self.told, self.told_us = shown, now_us
        return self.began_us, shown


class Screen:
    """Follows one stream. Feed it what was written; `tick` it now and then while `moving`."""

    def __init__(self) -> None:
        self._rows = [Row(0)]
        self._at = 0  # the cursor's row
        self._lifted_us = 0  # when the cursor was last moved up; 0 = long ago
        self._held = b""  # an escape sequence cut short by the chunk's end

    @property
    def moving(self) -> bool:
        """Whether time alone may bring something to tell."""
        return bool(self._lifted_us) or self._rows[self._at].rewritten

    @property
    def _plain(self) -> bool:
        row = self._rows[0]
        return not (self._lifted_us or self._held or row.carriage or row.rewritten)

    def feed(self, chunk: bytes, now_us: int) -> Iterator[Told]:
        """Iterate over the lines that are complete now."""
        if self._plain and not _PLAIN_BREAKER.search(chunk):
            yield from self._feed_lines(chunk, now_us)
        else:
            yield from self._feed_tokens(self._held + chunk, now_us)

    def skip(self, chunk: bytes) -> int:
        """Leave out what was written, but for the line it begins; returns the lines left out."""
        *whole, last = chunk.rsplit(b"\n", 1)
        if not whole:
            return 0
        self.__init__()  # type: ignore[misc]  # what stood there belongs to the first one left out
        self._rows[0].text += last.rpartition(b"\r")[2][:_MOST_ROW_BYTES]
        return whole[0].count(b"\n") + 1

    def tick(self, now_us: int) -> Iterator[Told]:
        """Iterate over rows that came to rest, or have moved for long."""
        for index, row in enumerate(self._rows):
            rests = now_us - row.touched_us >= _SETTLED_US
            is_due = now_us - row.told_us >= _AGAIN_US
            unfinished = index == self._at
            if (is_due and row.rewritten) or (rests and row.told is None and not unfinished):
                yield from _told(row, now_us)
        if self._lifted_us and now_us - self._lifted_us >= _AGAIN_US:
            yield from self._come_down(now_us)

    def end(self, now_us: int) -> Iterator[Told]:
        """Iterate over what is left: nothing more will be written."""
        yield from self._come_down(now_us)
        if self._rows[0].text:
            yield from _told(self._rows[0], now_us)
        self.__init__()  # type: ignore[misc]

    # ── lines ──────────────────────────────────────────────────────────────

    def _feed_lines(self, chunk: bytes, now_us: int) -> Iterator[Told]:
        if b"\n" not in chunk:
            self._rows[0].write(chunk, now_us)
            return
        first, *whole, last = chunk.split(b"\n")
        row = self._rows[0]
        row.write(first, now_us)
        yield row.began_us, row.shown()
        for text in whole:
            yield now_us, _fit(text)
        self._rows[0] = row = Row(now_us)
        row.write(last, now_us)

    # ── a screen ───────────────────────────────────────────────────────────

    def _feed_tokens(self, content: bytes, now_us: int) -> Iterator[Told]:
        cut_short = _CUT_SHORT.search(content, max(0, len(content) - _MOST_HELD_BYTES))
        end = cut_short.start() if cut_short else len(content)
        self._held = content[end:]
        done = 0
        for token in _TOKEN.finditer(content, 0, end):
            if token.start() > done:
                yield from self._write(content[done : token.start()], now_us)
            done = token.end()
            yield from self._obey(token[0], now_us)
        if end > done:
            yield from self._write(content[done:end], now_us)

    def _write(self, text: bytes, now_us: int) -> Iterator[Told]:
        row = self._rows[self._at]
        if row.carriage and now_us - row.told_us >= _AGAIN_US:
            yield from _told(row, now_us)  # a bar that has moved for long
        row.write(text, now_us)

    def _obey(self, token: bytes, now_us: int) -> Iterator[Told]:
        row = self._rows[self._at]
        match token[-1:]:
            case b"\n":
                yield from self._go_down(now_us)
            case b"\r":
                row.carriage = True
            case b"\x08":
                row.back(len(token))
            case b"m" if token.startswith(b"\x1b["):
                yield from self._write(token, now_us)
            case letter if token.startswith(b"\x1b["):
                yield from self._control(letter, token[2:-1], now_us)

    def _control(self, letter: bytes, argument: bytes, now_us: int) -> Iterator[Told]:
        """Obey a control sequence that moves the cursor or erases; pass over all others."""
        count = int(argument) if argument.isdigit() else 0
        if letter in b"AF":  # up
            self._lift(max(1, count), now_us)
        elif letter in b"BE":  # down
            for _ in range(min(max(1, count), _MOST_ROWS)):
                yield from self._go_down(now_us)
        if letter in b"EFG" and count in {0, 1}:  # to the left
            self._rows[self._at].carriage = True
        row = self._rows[self._at]
        if letter == b"K" and (count in {1, 2} or row.carriage):
            row.clear(now_us)
        elif letter == b"J" and count == 0:
            if row.carriage:
                row.clear(now_us)
            del self._rows[self._at + 1 :]

    def _go_down(self, now_us: int) -> Iterator[Told]:
        row = self._rows[self._at]
        if not self._lifted_us:  # the usual case: the cursor leaves it for good
            yield from _told(row, now_us)
            self._rows[0] = Row(now_us)
            return
        row.carriage = False
        self._at += 1
        if self._at == len(self._rows):
            self._rows.append(Row(now_us))
        self._rows[self._at].carriage = bool(self._rows[self._at].text)
        if len(self._rows) > _MOST_ROWS:
            yield from _told(self._rows.pop(0), now_us)
            self._at -= 1

    def _lift(self, count: int, now_us: int) -> None:
        """Move the cursor up; rows above the first were told before, and are opened again."""
        count = min(count, _MOST_ROWS)
        missing = count - self._at
        for _ in range(missing):
            self._rows.insert(0, Row(now_us, rewritten=True))
            self._at += 1
        self._at -= count
        self._lifted_us = now_us
        self._rows[self._at].carriage = bool(self._rows[self._at].text)

    def _come_down(self, now_us: int) -> Iterator[Told]:
        """Nobody rewrites here any more: tell all but the cursor's row and go on as usual."""
        for index, row in enumerate(self._rows):
            if index != self._at:
                yield from _told(row, now_us)
        self._rows = [self._rows[self._at]]
        self._at = self._lifted_us = 0


def _told(row: Row, now_us: int) -> Iterator[Told]:
    told = row.tell(now_us)
    if told is not None:
        yield told


def _fit(text: bytes) -> bytes:
    """Return one whole plain line, fit to be recorded."""
    if len(text) > _MOST_ROW_BYTES:
        cut = f" … [{len(text) - _MOST_ROW_BYTES} bytes more]".encode()
        text = text[:_MOST_ROW_BYTES] + cut
    return text.translate(None, _CONTROL)
