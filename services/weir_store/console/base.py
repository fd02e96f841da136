"""The door to console lines: `ConsoleReader`, and the words it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import pyarrow as pa

from weir_store.records import RunRef


class Stream(StrEnum):
    """Where a line came from."""

    STDOUT = "stdout"
    STDERR = "stderr"
    LOGGING = "logging"


@dataclass(frozen=True, slots=True)
class LinesQuery:
    """Which lines, and which of them.

    Attributes:
        runs: 1 … 1 000 runs.
        search: Words that must all be in the line, ASCII letters in any case; empty matches all.
            Letters and digits that stand together are found as a whole: `loss=0.5` is in
            `val/loss=0.5` and not in `loss=0.51`. Terminal sequences (colours) are not looked at.
        ranks: `None` reads all.
        streams: Empty reads all.
        min_level: Lines of `logging` below it are left out; other lines have level 0 and pass only
            when this is 0.
        limit: 1 … 100 000; an answer also ends at 64 MiB of text.
        newest: The last lines that match instead of the first. By time either way.
        after: The cursor of an earlier answer: only lines that it did not take in, however they are
            dated. Empty = no bound.
        from_unix_us: Inclusive; `None` = from the start.
        to_unix_us: Exclusive; `None` = to the end.
    """

    runs: tuple[RunRef, ...]
    search: str = ""
    ranks: tuple[int, ...] | None = None
    streams: tuple[Stream, ...] = ()
    min_level: int = 0
    limit: int = 1_000
    newest: bool = False
    after: str = ""
    from_unix_us: int | None = None
    to_unix_us: int | None = None


class ConsoleReader(Protocol):
    """Asks for what was printed. Safe from any thread; errors as `base.Reader`'s."""

    def read_lines(self, query: LinesQuery) -> pa.Table:
        """Read lines by time, then project, run, rank, process, number; each once.

        Columns: project, run_id string, rank uint32, node string,
        time_unix_us int64, stream string, level uint8, number uint64 (of the
        process's lines), process string (hex), line string, cursor string.

        `cursor` stands in the last row, the other rows have "". Given as
        `after`, it goes on where this answer ended: with the next page by
        time, and when there is none, with what was stored meanwhile — every
        line comes once, however late its rank and however it is dated. An
        answer without rows has no cursor: keep the one you had. A fork shows
        its own lines only.
        """
        ...

    def count_lines(self, query: LinesQuery) -> int:
        """Count the lines that match, `limit` aside."""
        ...
