"""A run's ledger from the rows of `MemoryStore`: counted row by row, as the model ClickHouse is judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final
from uuid import UUID

import numpy as np

from weir_store import columns, digest, tables
from weir_store.errors import UnknownRun
from weir_store.ledger_lines import (
    Account,
    Changed,
    Life,
    LineKey,
    Scope,
    assemble,
    scope_of,
)
from weir_store.memory import MemoryStore, Row
from weir_store.memory_rows import own_rows, unix_us
from weir_store.records import Kind, Ledger, RunRef, Tally

_NOTHING: Final = Tally()
_WRAPS_AT: Final = 1 << 64


def read_ledger(store: MemoryStore, ref: RunRef) -> Ledger:
    """Count a run's rows beside what its producers claim; see `Reader.read_ledger`."""
    if not own_rows(store, tables.RUNS, ref):
        raise UnknownRun.of(ref.project, ref.run_id)
    lives, accounts = _lives(store, ref), _accounts(store, ref)
    scope = scope_of(accounts, lives)
    stored: dict[tuple[LineKey, Kind], Tally] = {}
    for kind, line, number in _digests(store, ref, scope):
        stored[line, kind] = stored.get((line, kind), _NOTHING) + Tally(1, number)
    at_rest = sum(len(own_rows(store, table, ref)) for table in (tables.POINTS, tables.TEXT_POINTS))
    return assemble(accounts, lives, stored, at_rest, _changed(store, ref))


def _changed(store: MemoryStore, ref: RunRef) -> Changed:
    found: dict[tuple[LineKey, Kind], tuple[Tally, Tally]] = {}
    for row in own_rows(store, tables.LEDGER_CHANGES, ref):
        place = (LineKey(row["rank"], row["session"]), Kind(row["kind"]))
        removed, added = found.get(place, (_NOTHING, _NOTHING))
        removed += Tally(row["removed"], row["removed_digest"])
        found[place] = (removed, added + Tally(row["added"], row["added_digest"]))
    return found


def _lives(store: MemoryStore, ref: RunRef) -> list[Life]:
    ranks = {row["producer"]: row["rank"] for row in own_rows(store, tables.SESSIONS, ref)}
    seqs = {row["producer"]: row["seq"] for row in own_rows(store, tables.INGEST_COMMITS, ref)}
    return [
        Life(UUID(bytes=producer), ranks.get(producer, 0), seqs.get(producer, 0))
        for producer in {**ranks, **seqs}
    ]


def _accounts(store: MemoryStore, ref: RunRef) -> list[Account]:
    return [
        Account(
            UUID(bytes=row["producer"]),
            row["rank"],
            Kind(row["kind"]),
            row["account"],
            row["part"],
            Tally(row["count"], row["digest"]),
            row["ver"],
        )
        for row in own_rows(store, tables.LEDGER, ref)
    ]


def _digests(store: MemoryStore, ref: RunRef, scope: Scope) -> Iterator[tuple[Kind, LineKey, int]]:
    for kind, (table, digest_of) in _SOURCES.items():
        for row in _counted(own_rows(store, table, ref), scope):
            if row.get("source") != "server" and _line(row).rank != columns.RANK_OF_A_PERSON:
                yield kind, _line(row), digest_of(row)


def _counted(rows: Iterable[Row], scope: Scope) -> Iterator[Row]:
    for row in rows:
        line = _line(row)
        if row["ver"] <= scope.newest.get(line, row["ver"]) and (
            (line, row["ver"]) not in scope.dead
        ):
            yield row


def _line(row: Row) -> LineKey:
    return LineKey(row.get("agent_rank", row["rank"]), row["ver"] >> 32)


def _of_point(row: Row) -> int:
    return _at_step(row, digest.value_words(np.array([row["value"]])))


def _of_text(row: Row) -> int:
    return _at_step(row, digest.text_words([row["value"]]))


def _at_step(row: Row, words: digest.Words) -> int:
    return digest.digest_points(
        digest.metric_words([row["metric"]]),
        np.array([row["step"] % _WRAPS_AT], np.uint64).view(np.int64),
        np.array([unix_us(row["ts"])]),
        words,
    )


def _of_system(row: Row) -> int:
    name = digest.system_name(row["metric"], row["device"])
    words = digest.value_words(np.array([row["value"]]))
    return _at_step({"metric": name, "step": 0, "ts": row["ts"]}, words)


def _of_line(row: Row) -> int:
    at = {"metric": row["stream"], "step": row["number"], "ts": row["ts"]}
    return _at_step(at, digest.text_words([row["line"]]))


def _of_attr(row: Row) -> int:
    if row["is_deleted"]:
        return digest.digest_attr(row["ns"], row["path"], "deleted", "")
    values = {"float": digest.float_text(row["num"]), "int": row["int"], "bool": row["int"]}
    value = str(values.get(row["type"], row["str"]))
    return digest.digest_attr(row["ns"], row["path"], row["type"], value)


def _of_event(row: Row) -> int:
    return digest.digest_event(
        UUID(bytes=row["event_id"]),
        row["kind"],
        row["severity"],
        row["title"],
        row["body"],
        row["step"],
    )


_SOURCES: Final[dict[Kind, tuple[str, Callable[[Row], int]]]] = {
    Kind.POINTS: (tables.POINTS, _of_point),
    Kind.TEXTS: (tables.TEXT_POINTS, _of_text),
    Kind.ATTRS: (tables.RUN_ATTR_HISTORY, _of_attr),
    Kind.EVENTS: (tables.EVENTS, _of_event),
    Kind.SYSTEM: (tables.SYSTEM_POINTS, _of_system),
    Kind.LINES: (tables.CONSOLE, _of_line),
}
