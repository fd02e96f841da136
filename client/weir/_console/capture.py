"""One process's console on its way into one run: from init() to finish()."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from weir._console.logs import LogTap
from weir._console.messages import Channel
from weir._console.orders import END
from weir._console.records import LOCK_NAME, STDERR, STDOUT
from weir._console.start import ScribeProcess, take_lock
from weir._console.taps import FdTap
from weir._console.watch import Watch
from weir._console.wrap import WriteTap

_END_S: Final = 2.0
_CAP_BYTES: Final = 512 << 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be recorded, and how.

    Attributes:
        way: `auto`, `fd` or `wrap`.
        prompt: Somebody types: at a prompt, or in a notebook.
        lines_per_s: Lines recorded a second, over a minute.
        logging_level: Name of the lowest level recorded; `off` = none.
        free_share: The record takes at most this share of the free disk.
        secrets: Besides those that the environment's names give away.
    """

    way: str
    prompt: bool
    lines_per_s: float
    logging_level: str
    free_share: float
    secrets: tuple[str, ...] = ()


class Capture:
    """Leads what is printed through a scribe that records it in `folder`.

    Life: made, then `end` once; or `forget` in a forked child. The program's streams work before,
    during and after, whatever becomes of the scribe.

    Args:
        folder: The record, inside a producer's spool.
        wanted: What is to be recorded.
        channel: For what is not written to a file descriptor of the process.
        on_lost: Called with a reason when recording stops early; from another thread.

    Raises:
        OSError: It cannot be done; nothing was changed.
    """

    def __init__(
        self, folder: Path, wanted: Wanted, channel: Channel, on_lost: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._channel = channel
        self._wraps: list[WriteTap] = []
        self._logs: LogTap | None = None
        self._taps = _open_taps(wanted)
        try:
            self._scribe = self._start(wanted)
        except BaseException:
            self._undo()
            raise
        for tap in self._taps:
            tap.lead_in()
        self._watch = Watch(self._scribe, self._taps, on_lost)
        self._watch.start()
        self._listen(wanted)

    def end(self) -> None:
        """Put the streams back and wait, 2 s at most, until all is echoed and recorded.

        Children that still print are echoed by the scribe as long as they live, and not recorded.
        """
        _flush_streams()
        self._listen_no_more()
        for tap in self._taps:
            tap.give_back()
        self._scribe.end(END)
        self._watch.wait_recorded(_END_S)

    def forget(self) -> None:
        """Let go of the parent's pipes: we are its forked child, and what we print is its to record.

        What Python tells (`logging`, wrapped streams) still goes through the one pipe that is
        shared; the streams themselves are the parent's pipes.
        """
        for tap in self._taps:
            tap.close()
        self._scribe.close()

    def _start(self, wanted: Wanted) -> ScribeProcess:
        lock = take_lock(self._folder)
        told: dict[str, Any] = {
            "folder": str(self._folder),
            "lock": lock,
            "messages": self._channel.source,
            "lines_per_s": wanted.lines_per_s,
            "secrets": wanted.secrets,
            "cap_bytes": _CAP_BYTES,
            "free_share": wanted.free_share,
            "taps": [
                {
                    "stream": tap.stream,
                    "source": tap.source,
                    "target": tap.target,
                    "terminal": tap.terminal,
                }
                for tap in self._taps
            ],
        }
        inherited = [each for tap in self._taps for each in (tap.source, tap.target)]
        try:
            return ScribeProcess(told, [lock, self._channel.source, *inherited])
        except BaseException:  # nobody will record here
            with suppress(OSError):
                (self._folder / LOCK_NAME).unlink()
            raise
        finally:
            os.close(lock)  # the scribe holds it now

    def _undo(self) -> None:
        for tap in self._taps:
            tap.close()

    def _listen(self, wanted: Wanted) -> None:
        """Hear what is not written to a file descriptor of the process."""
        led = {tap.stream for tap in self._taps}
        for stream, file in ((STDOUT, sys.stdout), (STDERR, sys.stderr)):
            if stream not in led and file is not None and wanted.way != "fd":
                with suppress(AttributeError):
                    self._wraps.append(WriteTap(stream, file, self._channel.sender))
        if wanted.logging_level != "off":
            self._logs = LogTap(wanted.logging_level, self._channel.sender)

    def _listen_no_more(self) -> None:
        for wrap in self._wraps:
            wrap.give_back()
        if self._logs is not None:
            self._logs.give_back()


def _open_taps(wanted: Wanted) -> list[FdTap]:
    taps: list[FdTap] = []
    for stream, file in ((STDOUT, sys.stdout), (STDERR, sys.stderr)):
        if wanted.way == "fd" or (wanted.way == "auto" and not wanted.prompt and _is(file, stream)):
            with suppress(OSError):  # closed: there is nothing to record
                taps.append(FdTap.open(stream))
    return taps


def _is(file: Any, stream: int) -> bool:
    """Whether Python's stream writes to the file descriptor that one expects.

    Where it does not (pytest, notebooks), somebody else leads the descriptor about as he likes.
    """
    if file is None:
        return True
    try:
        return bool(file.fileno() == stream)
    except Exception:  # noqa: BLE001 - it is anybody's object
        return False


def _flush_streams() -> None:
    for file in (sys.stdout, sys.stderr):
        with suppress(Exception):  # anybody's object; and the target may be closed
            file.flush()
