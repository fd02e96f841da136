"""Asking ClickHouse for a run's ledger: what was claimed first, what is stored after it.

In this order, because every row of a claimed frame is stored before its claim is. What can be
very many is added up as it lies at first: a sum that equals the claim needs no look for replays, and most
do. Only when some line does not add up are replays taken out (FINAL), which costs several times
as much where parts overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from weir_store import columns, digest, tables
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import all_of
from weir_store.cold.book import cold_among
from weir_store.errors import UnknownRun
from weir_store.ledger import adds_up
from weir_store.ledger_lines import Account, Changed, Life, LineKey, Scope, assemble, scope_of
from weir_store.parameters import Parameters
from weir_store.reader_live import live_runs, of_runs
from weir_store.records import Kind, Ledger, RunRef, Tally

_LINE: Final = "bitOr(bitShiftLeft(toUInt64({}), 32), bitShiftRight(ver, 32))"
_EVERY_VERSION: Final = (1 << 64) - 1
_NOTHING: Final = (Tally(), 0)
# A close look names each line and each dead frame: half a megabyte of text for ten thousand.
_LINES_AT_ONCE: Final = 10_000
_LONG_TEXT: Final = {"max_query_size": 64 << 20}


@dataclass(frozen=True, slots=True)
class _Source:
    """Where things of a kind lie, and the digest of one."""

    kind: Kind
    table: str
    digest: str
    where: str = ""
    rank: str = "rank"  # column of the producer's rank

    @property
    def line(self) -> str:
        """The number of a row's line."""
        return _LINE.format(self.rank)


_BY_A_PROCESS: Final = f" AND rank != {columns.RANK_OF_A_PERSON}"
# Of these there can be very many.
_MANY: Final = (
    _Source(Kind.POINTS, tables.POINTS, digest.POINT_SQL),
    _Source(Kind.SYSTEM, tables.SYSTEM_POINTS, digest.SYSTEM_SQL),
    _Source(Kind.LINES, tables.CONSOLE, digest.LINE_SQL, rank="agent_rank"),
)
# The same of a run that lies in files; replays are gone from these already.
_COLD: Final = tuple(replace(source, table=all_of(source.table)) for source in _MANY)
_OTHERS: Final = (
    _Source(Kind.TEXTS, tables.TEXT_POINTS, digest.TEXT_SQL),
    _Source(Kind.ATTRS, tables.RUN_ATTR_HISTORY, digest.ATTR_SQL, _BY_A_PROCESS),
    _Source(Kind.EVENTS, tables.EVENTS, digest.EVENT_SQL, " AND source = 'client'"),
)


class LedgerReader:
    """Answers `Reader.read_ledger`; memory stays bounded by the number of lines."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database

    def read_ledger(self, ref: RunRef) -> Ledger:
        """Count a run's rows beside what its producers claim; see `Reader.read_ledger`."""
        if not live_runs(self._clickhouse, self._database, [ref]):
            raise UnknownRun.of(ref.project, ref.run_id)
        lives = self._lives(ref)
        accounts = self._accounts(ref, lives)
        scope = scope_of(accounts, lives)
        many = _MANY if not cold_among(self._clickhouse, self._database, [ref]) else _COLD
        stored: dict[tuple[LineKey, Kind], Tally] = {}
        for source in (*many, *_OTHERS):
            stored |= self._count(ref, source, scope, final=source in _OTHERS)
        rows_at_rest = self._rows_at_rest(ref, many[0].table)
        changed = self._changed(ref)
        ledger = assemble(accounts, lives, stored, rows_at_rest, changed)
        doubtful = {line.kind for line in ledger.lines if not adds_up(line)}
        if many is _COLD or doubtful.isdisjoint(source.kind for source in _MANY):
            return ledger
        for source in _MANY:
            if source.kind in doubtful:
                stored |= self._count(ref, source, scope, final=True)
        return assemble(accounts, lives, stored, rows_at_rest, changed)

    def _changed(self, ref: RunRef) -> Changed:
        """Return what people and policies took out of each line and put beside it."""
        parameters = Parameters()
        sql = f"""
SELECT rank, session, toString(kind), sum(removed), sum(removed_digest), sum(added), sum(added_digest)
FROM {self._database}.{tables.LEDGER_CHANGES} FINAL WHERE {of_runs([ref], parameters)}
GROUP BY rank, session, kind"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return {
            (LineKey(rank, session), Kind(kind)): (Tally(*sums[:2]), Tally(*sums[2:]))
            for rank, session, kind, *sums in rows
        }

    # ── what was claimed ───────────────────────────────────────────────────

    def _lives(self, ref: RunRef) -> list[Life]:
        parameters = Parameters()
        where = of_runs([ref], parameters)
        sql = f"""
SELECT producer, max(rank) AS rank, max(seq) AS seq FROM (
  SELECT producer, rank, 0 AS seq FROM {self._database}.sessions WHERE {where}
  UNION ALL SELECT producer, 0, seq FROM {self._database}.ingest_commits WHERE {where})
GROUP BY producer"""
        return [
            Life(UUID(str(producer)), int(rank), int(seq))
            for producer, rank, seq in self._clickhouse.query_rows(sql, parameters.values)
        ]

    def _accounts(self, ref: RunRef, lives: Sequence[Life]) -> list[Account]:
        """Return the run's rows of `ledger`; those that can be many are summed up.

        What was rejected after the claim is left out here, because a sum no longer tells.
        """
        parameters = Parameters()
        where = of_runs([ref], parameters)
        sql = f"""
SELECT producer, any(rank), toString(kind), toString(account), place, sum(count), sum(digest),
  max(ver)
FROM (
  SELECT *, if(account IN ('dead', 'gap'), part, 0) AS place,
    max(if(account = 'sent', ver, 0)) OVER (PARTITION BY producer) AS claimed_seq
  FROM {self._database}.ledger FINAL WHERE {where})
WHERE account != 'rejected' OR part <= claimed_seq
GROUP BY producer, kind, account, place"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return [
            Account(
                UUID(str(producer)),
                int(rank),
                Kind(kind),
                account,
                int(part),
                Tally(int(count), int(digest_sum)),
                int(ver),
            )
            for producer, rank, kind, account, part, count, digest_sum, ver in rows
        ]

    # ── what is stored ─────────────────────────────────────────────────────

    def _count(
        self, ref: RunRef, source: _Source, scope: Scope, *, final: bool
    ) -> dict[tuple[LineKey, Kind], Tally]:
        """Count all rows; then once more, and closely, the lines of which not every row counts."""
        found = self._sums(ref, source, "", final=final)
        with_dead = {line for line, _ in scope.dead}
        again = [
            line
            for line, (_, newest) in found.items()
            if line in with_dead or newest > scope.newest.get(line, newest)
        ]
        for start in range(0, len(again), _LINES_AT_ONCE):
            lines = again[start : start + _LINES_AT_ONCE]
            found |= dict.fromkeys(lines, _NOTHING)
            found |= self._sums(ref, source, _within(source, scope, lines), final=final)
        return {(line, source.kind): tally for line, (tally, _) in found.items() if tally.count}

    def _sums(
        self, ref: RunRef, source: _Source, condition: str, *, final: bool
    ) -> dict[LineKey, tuple[Tally, int]]:
        """Return of each line what lies there, and the newest version of it."""
        parameters = Parameters()
        where = of_runs([ref], parameters) + source.where + condition
        sql = f"""
SELECT {source.line} AS line_number, count(), sum({source.digest}), max(ver)
FROM {self._database}.{source.table}{" FINAL" if final else ""} WHERE {where} GROUP BY line_number"""
        rows = self._clickhouse.query_rows(sql, parameters.values, _LONG_TEXT)
        return {
            LineKey(line >> 32, line & 0xFFFF_FFFF): (Tally(count, total), newest)
            for line, count, total, newest in rows
        }

    def _rows_at_rest(self, ref: RunRef, points: str) -> int:
        parameters = Parameters()
        where = of_runs([ref], parameters)
        sql = f"""
SELECT (SELECT count() FROM {self._database}.{points} WHERE {where})
  + (SELECT count() FROM {self._database}.text_points WHERE {where})"""
        return int(self._clickhouse.query_rows(sql, parameters.values)[0][0])


def _within(source: _Source, scope: Scope, lines: Sequence[LineKey]) -> str:
    """Return the condition that picks what counts of these lines, to be appended."""
    newest = [scope.newest.get(line, _EVERY_VERSION) for line in lines]
    known = f"{_array(map(_number, lines))}, {_array(newest)}, toUInt64(0)"
    condition = f" AND ver BETWEEN 1 AND transform({source.line}, {known})"
    wanted = set(lines)
    dead = sorted(each for each in scope.dead if each[0] in wanted)
    if dead:
        pairs = f"{_array(_number(line) for line, _ in dead)}, {_array(ver for _, ver in dead)}"
        listed = f"SELECT arrayJoin(arrayZip({pairs})) AS pair"
        condition += f" AND ({source.line}, ver) NOT IN (SELECT pair.1, pair.2 FROM ({listed}))"
    return condition


def _number(line: LineKey) -> int:
    return line.rank << 32 | line.birth_s


def _array(numbers: Iterable[int]) -> str:
    return f"[{','.join(map(str, numbers))}]::Array(UInt64)"
