"""The scribe: echoes what a process prints, and records it. A process of its own, told by a pipe.

It shares no lock, no interpreter and no fate with the training process: one that holds the GIL,
crashes or is killed has its last words echoed and recorded. It ends when nobody can write to the
streams any more. Nothing but the standard library is imported, and little of that.

    control (from the trainer)   u32 bytes | JSON: what to do; then `end`; its end: the trainer died
    ack (to the trainer)         `.` it moves  `1` `2` that stream's target is closed  `e` recorded
"""

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from typing import Any, Final

from weir._console.disk import RecordWriter
from weir._console.echo import is_readable, read_chunk, write_all
from weir._console.orders import END, TOLD
from weir._console.recorder import MESSAGES, Recorder
from weir._console.terminal import copy_size

BEAT_S: Final = 0.1
_AFTER_DEATH_S: Final = (
    10.0  # children of a dead trainer are recorded for so long, then echoed only
)
_SIZE_EVERY_S: Final = 0.5
_SWITCH_S: Final = 0.001  # the echo does not wait long for the recorder


class Tap:
    """One stream: where it comes from and where it goes."""

    def __init__(self, *, stream: int, source: int, target: int, terminal: bool) -> None:
        self.stream = stream
        self.source = source
        self.target = target
        self.terminal = terminal


class Scribe:
    """Serves one training process.

    Args:
        control: Read end of the pipe it is told by.
        told: What the trainer said first.
    """

    def __init__(self, control: int, told: dict[str, Any]) -> None:
        self._control = control
        self._ack = int(told["ack"])
        self._lock = int(told["lock"])
        self._messages = int(told["messages"])
        self._taps = {each["source"]: Tap(**each) for each in told["taps"]}
        writer = RecordWriter(
            told["folder"], cap_bytes=told["cap_bytes"], free_share=told["free_share"]
        )
        self._recorder = Recorder(
            writer,
            lines_per_s=told["lines_per_s"],
            secrets=told["secrets"],
            on_end=self._record_is_closed,
        )
        self._released = False  # by the trainer, or by its death
        self._record_until_s = float("inf")
        self._beat_s = 0.0
        self._size_s = 0.0
        self._poll = select.poll()
        for source in (*self._taps, self._messages, control):
            self._poll.register(source, select.POLLIN)

    def run(self) -> None:
        """Echo and record until nobody can write any more."""
        self._recorder.start()
        while self._taps or not self._released:
            ready = {descriptor for descriptor, _ in self._poll.poll(self._pause_ms())}
            for tap in [tap for source, tap in self._taps.items() if source in ready]:
                self._pass_on(tap)  # stdout first, where both wait: a traceback comes last
            if self._messages in ready:
                self._listen()
            if self._control in ready:
                self._obey()
            self._look_at_the_time()
        self._recorder.end()
        self._recorder.join()

    def _pause_ms(self) -> int | None:
        if any(tap.terminal for tap in self._taps.values()):
            return int(_SIZE_EVERY_S * 1000)
        left_s = self._record_until_s - time.monotonic()
        return None if left_s == float("inf") else max(0, int(left_s * 1000)) + 1

    def _look_at_the_time(self) -> None:
        now_s = time.monotonic()
        if now_s >= self._record_until_s:
            self._record_until_s = float("inf")
            self._recorder.end()
        if now_s - self._size_s >= _SIZE_EVERY_S:
            self._size_s = now_s
            for tap in self._taps.values():
                if tap.terminal:
                    copy_size(tap.target, tap.source)

    # ── streams ────────────────────────────────────────────────────────────

    def _pass_on(self, tap: Tap) -> None:
        chunk = read_chunk(tap.source)
        if not chunk:
            self._close(tap)
            return
        self._recorder.take(tap.stream, chunk, time.time_ns() // 1_000)
        try:
            write_all(tap.target, chunk)
        except OSError:  # the program is to meet that itself
            self._close(tap)
            self._say(str(tap.stream).encode())
        self._beat()

    def _close(self, tap: Tap) -> None:
        self._poll.unregister(tap.source)
        del self._taps[tap.source]
        os.close(tap.source)

    def _listen(self) -> None:
        chunk = read_chunk(self._messages)
        if chunk:
            self._recorder.take(MESSAGES, chunk, time.time_ns() // 1_000)
        else:
            self._poll.unregister(self._messages)
        self._beat()

    # ── the trainer ────────────────────────────────────────────────────────

    def _obey(self) -> None:
        ended = read_chunk(self._control).endswith(END)
        self._poll.unregister(self._control)
        self._released = True
        self._drain()
        if ended:
            self._recorder.end()
        else:
            self._record_until_s = time.monotonic() + _AFTER_DEATH_S

    def _drain(self) -> None:
        """Take all that was written until now."""
        for tap in list(self._taps.values()):
            while tap.source in self._taps and is_readable(tap.source):
                self._pass_on(tap)
        while is_readable(self._messages):
            chunk = read_chunk(self._messages)
            if not chunk:
                break
            self._recorder.take(MESSAGES, chunk, time.time_ns() // 1_000)

    def _record_is_closed(self) -> None:
        """The last line is on disk: let the agent have it, and the trainer go."""
        os.close(self._lock)
        self._say(b"e")

    def _beat(self) -> None:
        now_s = time.monotonic()
        if now_s - self._beat_s >= BEAT_S:
            self._beat_s = now_s
            self._say(b".")

    def _say(self, word: bytes) -> None:
        with suppress(OSError):  # full, or nobody is there any more
            os.write(self._ack, word)


def main(control: int) -> None:
    """Be the scribe that is told by this pipe."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)  # they are for the trainer
    sys.setswitchinterval(_SWITCH_S)
    told = json.loads(_read_exactly(control, *TOLD.unpack(_read_exactly(control, TOLD.size))))
    try:
        Scribe(control, told).run()
    except BaseException:  # noqa: BLE001 - the trainer takes its streams back; somebody may ask why
        import traceback

        with suppress(OSError), open(os.path.join(told["folder"], ".trouble"), "w") as file:
            traceback.print_exc(file=file)
        os._exit(1)
    os._exit(0)  # nothing is left to be cleaned up


def _read_exactly(control: int, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        piece = os.read(control, size - len(found))
        if not piece:
            raise EOFError("the trainer is gone")
        found += piece
    return bytes(found)
