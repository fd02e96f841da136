"""Brings what scribes recorded into the node log, line by line: docs/formats/console.md.

    console/00000003.lines ─▶ LineBlock ─▶ frame of the node log ─▶ .position ─▶ file unlinked

In this order: an agent that dies in between makes the next one send some lines again, under the
same numbers, and readers show them once.
"""

import fcntl
import shutil
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from weir import _fault as fault
from weir._console.position import Position, read_position, write_position
from weir._console.records import LOCK_NAME, Line, file_name, list_files, read_lines
from weir.agent._attendance import Attended, Trainer
from weir.agent._log import log
from weir.agent._node_log import Findings
from weir_proto.v1 import ingest_pb2 as pb

_LOOK_EVERY_S: Final = 0.5
_MAX_FRAME_LINES: Final = 4_000
_MAX_FRAME_BYTES: Final = 512 << 10
_MAX_FRAMES_A_LOOK: Final = 16  # of one process: others want their turn


class ConsoleObserver:
    """Fetches what the processes of this node printed."""

    def observe(self, runs: Sequence[Attended]) -> float:
        """Fetch what is new; returns seconds until the next look."""
        more = False
        for run in runs:
            for trainer in run.trainers.values():
                more |= _fetch(run, trainer)
        return 0.0 if more else _LOOK_EVERY_S

    def finish(self, run: Attended) -> bool:
        """Fetch the rest; whether no scribe records any more and all it wrote is fetched."""
        done = True
        for trainer in run.trainers.values():
            folder = trainer.spool.console_path
            if not folder.is_dir():
                continue
            is_written = _is_held(folder / LOCK_NAME)  # asked before the last look, not after
            if _fetch(run, trainer) or is_written:
                done = False
            else:
                shutil.rmtree(folder)
        return done

    def close(self) -> None:
        """Nothing is held between two looks."""


class Record:
    """One process's record, from where it was fetched to on. Life: `read`, `forget`, and again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._position = self._next = read_position(str(folder))

    def read(self) -> list[Line]:
        """Return the next lines, a frame full at most; empty when there are none yet."""
        numbers = list_files(str(self._folder))
        for number in numbers:
            if number < self._position.file:
                continue
            offset = self._position.offset if number == self._position.file else 0
            lines, end = self._read_file(number, offset)
            if lines:
                self._next = Position(number, end)
                return lines
            if number != numbers[-1]:
                self._tell_rest(number, end)
        return []

    def forget(self) -> None:
        """What was read is safe elsewhere: note it, and remove the files that are done."""
        write_position(str(self._folder), self._next)
        self._position = self._next
        fault.hit("agent.after_position")
        for number in list_files(str(self._folder)):
            if number < self._position.file:
                (self._folder / file_name(number)).unlink(missing_ok=True)

    def _read_file(self, number: int, offset: int) -> tuple[list[Line], int]:
        path = str(self._folder / file_name(number))
        try:
            return read_lines(path, offset, max_lines=_MAX_FRAME_LINES, max_bytes=_MAX_FRAME_BYTES)
        except ValueError:
            return [], offset

    def _tell_rest(self, number: int, end: int) -> None:
        """A file that is not the last holds no more lines: half a one is all that may be left."""
        path = self._folder / file_name(number)
        left_bytes = path.stat().st_size - end
        if left_bytes:
            log.warning("console lines that cannot be read", path=path, bytes=left_bytes)


def line_block(process: bytes, rank: int, lines: Sequence[Line]) -> pb.LineBlock:
    """Return lines of one process as they travel."""
    return pb.LineBlock(
        process=process,
        rank=rank,
        number=_little_endian(array("Q", [line.number for line in lines])),
        time_unix_us=_little_endian(array("q", [line.time_unix_us for line in lines])),
        stream=bytes(line.stream for line in lines),
        level=bytes(line.level for line in lines),
        line=[line.text for line in lines],
    )


def _fetch(run: Attended, trainer: Trainer) -> bool:
    """Bring new lines of one process into the node log; returns whether more are there."""
    record = Record(trainer.spool.console_path)
    for _ in range(_MAX_FRAMES_A_LOOK):
        lines = record.read()
        if not lines:
            return False
        block = line_block(trainer.spool.producer, trainer.meta.rank, lines)
        run.log.write(Findings(lines=[block]))
        fault.hit("agent.after_lines")
        record.forget()
    return True


def _is_held(lock: Path) -> bool:
    """Whether a scribe is at work; it, or the trainer that starts it, holds this lock."""
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _little_endian(column: "array[int]") -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
