"""How an answer is put together from what a cursor has seen: the same for both readers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from weir_store.console.base import LinesQuery
from weir_store.console.cursor import (
    Cursor,
    Life,
    Marks,
    Position,
    decode,
    encode,
    joined,
    life_of,
    seq_of,
)

LINES = pa.schema(
    {
        "project": pa.string(),
        "run_id": pa.string(),
        "rank": pa.uint32(),
        "node": pa.string(),
        "time_unix_us": pa.int64(),
        "stream": pa.string(),
        "level": pa.uint8(),
        "number": pa.uint64(),
        "process": pa.string(),
        "line": pa.string(),
        "cursor": pa.string(),
    }
)
"""An answer."""

HELD = pa.schema(
    [
        *[column for column in LINES if column.name != "cursor"],
        ("agent_rank", pa.uint32()),
        ("ver", pa.uint64()),
        ("again", pa.bool_()),
    ]
)
"""Lines as a source gives them; `again`: a copy of the line is among those seen."""

_ORDER = [(name, "ascending") for name in Position._fields]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Lines of which no copy is in `seen`; when given, only those in `within`, and beyond `at`."""

    seen: Marks
    within: Marks | None = None
    at: Position | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Lines as `HELD`, each once, in any order; `full` when there may be more of them."""

    held: pa.Table
    full: bool


class Lines(Protocol):
    """Where lines come from, of the runs and with the words that a query names."""

    def committed(self) -> Marks:
        """Return how far each agent's log is stored: what lies in these frames can be read."""
        ...

    def fetch(self, wanted: Wanted, limit: int, *, newest: bool) -> Page:
        """Return the first or last lines by position; at most `limit`, and a bounded weight of text."""
        ...


def read(query: LinesQuery, lines: Lines) -> pa.Table:
    """Answer a query; see `ConsoleReader.read_lines`."""
    before = decode(query.after) if query.after else Cursor()
    committed = lines.committed()  # before the lines: what is counted as seen was there to be read
    collect = _last if query.newest else _next
    while True:
        held, cursor = collect(before, committed, query.limit, lines.fetch)
        answer = _answer(held.sort_by(_ORDER), cursor)
        # A page of nothing but copies has no row to carry its cursor.
        if answer.num_rows or cursor.at is None:
            return answer
        before = cursor


_Fetch = Callable[..., Page]


def left_over(query: LinesQuery) -> list[Wanted]:
    """Return what of a query's lines was not seen yet, in parts that share no line: for counting."""
    before = decode(query.after) if query.after else Cursor()
    if before.at is None:
        return [Wanted(before.seen)]
    return [Wanted(before.seen, before.batch, before.at), Wanted(before.batch)]


def _last(before: Cursor, committed: Marks, limit: int, fetch: _Fetch) -> tuple[pa.Table, Cursor]:
    """Take the newest of all that was not seen; the rest of it counts as seen."""
    parts = []
    seen = before.seen
    if before.at is not None:
        parts.append(fetch(Wanted(seen, before.batch, before.at), limit, newest=True).held)
        seen = before.batch
    parts.append(fetch(Wanted(seen), limit, newest=True).held)
    held = pa.concat_tables(parts).sort_by(_ORDER)
    held = held.slice(max(0, held.num_rows - limit))
    return held, Cursor(joined(seen, committed, _marks(held)))


def _next(before: Cursor, committed: Marks, limit: int, fetch: _Fetch) -> tuple[pa.Table, Cursor]:
    """Take the rest of the batch by time, then the first of what came since."""
    seen, rest = before.seen, HELD.empty_table()
    if before.at is not None:
        page = fetch(Wanted(seen, before.batch, before.at), limit, newest=False)
        if page.full:
            return page.held, Cursor(seen, before.batch, _last_position(page.held))
        seen, rest = before.batch, page.held
    page = fetch(Wanted(seen), limit - rest.num_rows, newest=False)
    far = joined(seen, committed, _marks(page.held))
    held = pa.concat_tables([rest, page.held])
    if not page.full:
        return held, Cursor(far)
    return held, Cursor(seen, far, _last_position(page.held))


def _marks(held: pa.Table) -> Marks:
    """Return the frames that lines came in: a frame is stored, and so seen, as a whole."""
    columns = [held[name].to_pylist() for name in ("project", "run_id", "agent_rank", "ver")]
    far: dict[Life, int] = {}
    for project, run_id, agent_rank, ver in set(zip(*columns, strict=True)):
        life = life_of(project, run_id, agent_rank, ver)
        far[life] = max(seq_of(ver), far.get(life, 0))
    return far


def _last_position(held: pa.Table) -> Position:
    (last,) = held.sort_by(_ORDER).slice(held.num_rows - 1).to_pylist()
    return Position(*(last[name] for name in Position._fields))


def _answer(held: pa.Table, cursor: Cursor) -> pa.Table:
    shown = held.filter(pc.invert(held["again"]))
    cursors = [""] * shown.num_rows
    if cursors:
        cursors[-1] = encode(cursor)
    return shown.append_column("cursor", pa.array(cursors, pa.string())).select(LINES.names)
