"""Console lines from `MemoryStore`: plain loops, as the model that ClickHouse is judged by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pyarrow as pa

from weir_store import tables
from weir_store.console import follow, limits
from weir_store.console.base import LinesQuery
from weir_store.console.cursor import Life, Marks, Position, born_s, life_of, seq_of
from weir_store.console.search import matcher
from weir_store.memory import MemoryStore, Row
from weir_store.memory_rows import live_rows, unix_us


class MemoryConsole:
    """Implements `base.ConsoleReader`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def read_lines(self, query: LinesQuery) -> pa.Table:
        """Read lines by time; see `base.ConsoleReader.read_lines`."""
        limits.check(query)
        return follow.read(query, _HeldLines(self._store, query))

    def count_lines(self, query: LinesQuery) -> int:
        """Count the lines that match."""
        limits.check(query)
        lines = _HeldLines(self._store, query)
        return sum(len(list(lines.unseen(part))) for part in follow.left_over(query))


@dataclass(frozen=True, slots=True)
class _HeldLines:
    """Implements `follow.Lines`."""

    store: MemoryStore
    query: LinesQuery

    def committed(self) -> Marks:
        """Return how far each agent's log is stored."""
        runs = self.query.runs
        ranks = {
            row["producer"]: row["rank"]
            for row in live_rows(self.store, tables.SESSIONS, runs)
            if row["role"] == "agent"
        }
        far: dict[Life, int] = {}
        for row in live_rows(self.store, tables.INGEST_COMMITS, runs):
            if row["producer"] in ranks:
                producer = UUID(bytes=row["producer"])
                names = row["project"], row["run_id"]
                life = Life(*names, ranks[row["producer"]], born_s(producer))
                far[life] = max(row["seq"], far.get(life, 0))
        return far

    def fetch(self, wanted: follow.Wanted, limit: int, *, newest: bool) -> follow.Page:
        """Return the first or last lines that are wanted."""
        found: dict[Position, dict[str, Any]] = {}
        copies = self._copies()
        for row in self._rows():
            place = position_of(row)
            if place not in found and _wanted(row, wanted):
                again = any(_seen(copy, wanted.seen) for copy in copies[place])
                found[place] = _held(row, again=again)
        chosen: list[dict[str, Any]] = []
        text_bytes = 0
        for place in sorted(found, reverse=newest)[:limit]:
            text_bytes += len(found[place]["line"].encode())
            if chosen and text_bytes > limits.MOST_TEXT_BYTES:
                break
            chosen.append(found[place])
        full = len(chosen) == limit or len(chosen) < len(found)
        return follow.Page(pa.Table.from_pylist(chosen, schema=follow.HELD), full)

    def unseen(self, wanted: follow.Wanted) -> Iterator[Position]:
        """Yield the lines that are wanted, each once."""
        copies = self._copies()
        for place in {position_of(row) for row in self._rows() if _wanted(row, wanted)}:
            if not any(_seen(copy, wanted.seen) for copy in copies[place]):
                yield place

    def _copies(self) -> dict[Position, list[Row]]:
        copies: dict[Position, list[Row]] = {}
        for row in live_rows(self.store, tables.CONSOLE, self.query.runs):
            copies.setdefault(position_of(row), []).append(row)
        return copies

    def _rows(self) -> Sequence[Row]:
        query, matches = self.query, matcher(self.query.search)
        return [
            row
            for row in live_rows(self.store, tables.CONSOLE, query.runs)
            if (query.ranks is None or row["rank"] in query.ranks)
            and (not query.streams or row["stream"] in query.streams)
            and row["level"] >= query.min_level
            and (query.from_unix_us is None or unix_us(row["ts"]) >= query.from_unix_us)
            and (query.to_unix_us is None or unix_us(row["ts"]) < query.to_unix_us)
            and matches(row["line"])
        ]


def position_of(row: Row) -> Position:
    """Return where a line stands in answers."""
    names = row["project"], row["run_id"], row["rank"]
    return Position(unix_us(row["ts"]), *names, row["process"].hex(), row["number"])


def _wanted(row: Row, wanted: follow.Wanted) -> bool:
    return (
        not _seen(row, wanted.seen)
        and (wanted.within is None or _seen(row, wanted.within))
        and (wanted.at is None or position_of(row) > wanted.at)
    )


def _seen(row: Row, marks: Marks) -> bool:
    life = life_of(row["project"], row["run_id"], row["agent_rank"], row["ver"])
    return life in marks and seq_of(row["ver"]) <= marks[life]


def _held(row: Row, *, again: bool) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("project", "run_id", "rank", "node", "stream", "level")},
        "time_unix_us": unix_us(row["ts"]),
        "number": row["number"],
        "process": row["process"].hex(),
        "line": row["line"],
        "agent_rank": row["agent_rank"],
        "ver": row["ver"],
        "again": again,
    }
