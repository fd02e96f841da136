"""Dead letters at rest: listed, read whole, and marked with what a person decided."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Inserter
from weir_store.clickhouse import ClickHouse
from weir_store.editor import version_of_edit
from weir_store.parameters import Parameters
from weir_store.records import DeadLetter, Kind

KEPT, RETRIED, DROPPED = "kept", "retried", "dropped"
MAX_LETTERS: Final = 10_000

_COLUMNS: Final = (
    "project, run_id, producer, seq, reason, toUnixTimestamp64Milli(at), length(entry), state, by"
)
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    RETRIED: ("info", "was stored after all"),
    DROPPED: ("warn", "was given up"),
}


class DeadLetters:
    """Asks and marks; what is in an entry is none of its business.

    Every method may raise `StoreUnavailable`.
    """

    def __init__(self, clickhouse: ClickHouse, database: str, inserter: Inserter) -> None:
        self._clickhouse = clickhouse
        self._table = f"{tables.raw_database(database)}.{tables.DEAD_LETTERS}"
        self._inserter = inserter

    def list_letters(
        self, *, project: str = "", run_id: str = "", state: str = ""
    ) -> list[DeadLetter]:
        """Return the newest 10 000 letters that match, by project, run, producer and seq; "" = any."""
        parameters = Parameters()
        wanted = {"project": project, "run_id": run_id, "state": state}
        where = " AND ".join(
            f"{column} = {parameters.text(value)}" for column, value in wanted.items() if value
        )
        sql = f"""
SELECT * FROM (
  SELECT {_COLUMNS} FROM {self._table} FINAL WHERE {where or "true"}
  ORDER BY at DESC LIMIT {MAX_LETTERS})
ORDER BY project, run_id, toString(producer), seq"""
        return [_letter(*row) for row in self._clickhouse.query_rows(sql, parameters.values)]

    def read_letter(self, producer: UUID, seq: int) -> tuple[DeadLetter, bytes] | None:
        """Return one letter and its entry, whole; None when there is none."""
        # As hex: the driver would decode the bytes of a String as UTF-8.
        sql = f"""
SELECT {_COLUMNS}, hex(entry) FROM {self._table} FINAL
WHERE producer = {{producer:UUID}} AND seq = {{seq:UInt64}} LIMIT 1"""
        rows = self._clickhouse.query_rows(sql, {"producer": producer, "seq": seq})
        if not rows:
            return None
        return _letter(*rows[0][:-1]), bytes.fromhex(rows[0][-1])

    def mark_retried(
        self, letter: DeadLetter, entry: bytes, *, by: str, at_unix_us: int, gap_stays: bool
    ) -> None:
        """Note that the rows of a letter are stored now; it no longer counts as dead.

        The ledger is put right first: whoever is cut off between the two can simply retry.

        Args:
            letter: What was retried.
            entry: As it was read.
            by: Who decided.
            at_unix_us: When.
            gap_stays: The entry itself tells of a gap that begins at its seq.
        """
        accounts = [(kind, "dead") for kind in Kind]
        if not gap_stays:
            accounts.append((Kind.POINTS, "gap"))  # stood for an entry that could not be read
        undone = [_undone(letter, kind, account) for kind, account in accounts]
        if letter.project:
            self._insert({tables.LEDGER: undone})
        self._mark(letter, entry, RETRIED, by, at_unix_us)

    def mark_dropped(self, letter: DeadLetter, entry: bytes, *, by: str, at_unix_us: int) -> None:
        """Note that a person has given a letter up; it stays, and it stays counted as dead."""
        self._mark(letter, entry, DROPPED, by, at_unix_us)

    def _mark(self, letter: DeadLetter, entry: bytes, state: str, by: str, at_unix_us: int) -> None:
        # The newest decision wins by its time, even when this machine's clock is behind.
        at_ms = max(at_unix_us // 1_000, letter.at_unix_us // 1_000 + 1)
        row = {**_whose(letter), "seq": letter.seq, "reason": letter.reason, "entry": entry}
        events = [_event(letter, state, by, at_unix_us)] if letter.project else []
        self._insert(
            {
                tables.EVENTS: events,
                tables.DEAD_LETTERS: [{**row, "at": at_ms, "state": state, "by": by}],
            }
        )

    def _insert(self, rows: Mapping[str, list[dict[str, Any]]]) -> None:
        block = {
            table: pa.Table.from_pylist(part, schema=columns.BY_TABLE[table])
            for table, part in rows.items()
        }
        self._inserter.insert(block, uuid.uuid4().hex)


def _whose(letter: DeadLetter) -> dict[str, Any]:
    return {
        "project": letter.project,
        "run_id": letter.run_id,
        "producer": letter.producer.bytes,
    }


def _undone(letter: DeadLetter, kind: Kind, account: str) -> dict[str, Any]:
    return {
        **_whose(letter),
        "rank": 0,
        "kind": kind.value,
        "account": account,
        "part": letter.seq,
        "count": 0,
        "digest": 0,
        "ver": letter.seq + 1,
        "is_deleted": 1,
    }


def _event(letter: DeadLetter, state: str, by: str, at_unix_us: int) -> dict[str, Any]:
    severity, words = _WORDS[state]
    return {
        "project": letter.project,
        "run_id": letter.run_id,
        "event_id": uuid.uuid5(letter.producer, f"{letter.seq} {state}").bytes,
        "ts": at_unix_us,
        "kind": "dead_letter",
        "severity": severity,
        "title": f"frame {letter.seq} {words} by {by}",
        "body": letter.reason,
        "step": -1,
        "rank": 0,
        "attrs": {
            "by": by,
            "producer": letter.producer.hex,
            "seq": str(letter.seq),
            "state": state,
        },
        "ver": version_of_edit(at_unix_us),
        "source": "server",
    }


def _letter(
    project: str,
    run_id: str,
    producer: object,
    seq: int,
    reason: str,
    at_unix_ms: int,
    entry_bytes: int,
    state: str,
    by: str,
) -> DeadLetter:
    return DeadLetter(
        project=project,
        run_id=run_id,
        producer=UUID(str(producer)),
        seq=int(seq),
        reason=reason,
        at_unix_us=int(at_unix_ms) * 1_000,
        entry_bytes=int(entry_bytes),
        state=state,
        by=by,
    )
