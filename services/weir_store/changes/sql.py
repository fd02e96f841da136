"""The SQL that changes share: which rows, how they are taken out, and waiting until they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from weir_store.changes.base import Steps
from weir_store.clickhouse import ClickHouse
from weir_store.errors import StoreUnavailable
from weir_store.parameters import Parameters
from weir_store.records import RunRef

COPYING: Final = {"insert_deduplicate": 0, "async_insert": 0, "max_partitions_per_insert_block": 0}
"""Settings of INSERT … SELECT: a copy made again is no block sent again."""

# What was there when it was counted is named line by line: a megabyte of text for ten thousand.
LONG_TEXT: Final = {"max_query_size": 64 << 20}
_HIDING: Final = {"lightweight_deletes_sync": 2, **LONG_TEXT}
_IN_BACKGROUND: Final = {"mutations_sync": 0, **LONG_TEXT}
_PATIENCE_S: Final = 3_600.0
_POLL_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 2.0


def of_run(ref: RunRef, parameters: Parameters) -> str:
    """Return the condition that picks a run's rows."""
    return f"project = {parameters.text(ref.project)} AND run_id = {parameters.text(ref.run_id)}"


def of_points(
    ref: RunRef, metric: str, steps: Steps, ranks: Sequence[int], parameters: Parameters
) -> str:
    """Return the condition that picks points of a run; no steps, or no ranks, are all."""
    where = f"{of_run(ref, parameters)} AND metric = {parameters.text(metric)}"
    if steps:
        low, high = min(first for first, _ in steps), max(last for _, last in steps)
        where += f" AND step BETWEEN {parameters.whole(low)} AND {parameters.whole(high)}"
    if len(steps) > 1:
        ranges = parameters.rows(list(steps), "Tuple(Int64, Int64)")
        where += f" AND arrayExists(each -> step BETWEEN each.1 AND each.2, {ranges})"
    if ranks:
        where += f" AND rank IN {parameters.wholes(list(ranks))}"
    return where


def line_of(rank: str = "rank") -> str:
    """Return the number of the process life that a row is of: its rank, then its second of birth."""
    return f"bitOr(bitShiftLeft(toUInt64({rank}), 32), bitShiftRight(ver, 32))"


def up_to(newest: Sequence[Sequence[int]], rank: str = "rank") -> str:
    """Return the condition, to be appended, that a row was there when its like was counted.

    What is stored later comes from a newer frame, or from another process life.

    Args:
        newest: (line, highest version counted).
        rank: Column of the rank.
    """
    lines, versions = (",".join(str(each[place]) for each in newest) for place in (0, 1))
    known = f"[{lines}]::Array(UInt64), [{versions}]::Array(UInt64), toUInt64(0)"
    return f" AND ver <= transform({line_of(rank)}, {known})"


class Remover:
    """Takes rows out of tables; safe to repeat."""

    def __init__(
        self, clickhouse: ClickHouse, database: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Prepare.

        Args:
            clickhouse: A user who may alter tables.
            database: The one with the tables, `<name>_raw`.
            sleep: Waits.
        """
        self._clickhouse = clickhouse
        self._database = database
        self._sleep = sleep

    def hide(self, table: str, where: str, parameters: Parameters) -> None:
        """Take rows out of every answer from now on; their space is freed by merges, or `free`."""
        sql = f"DELETE FROM {self._database}.{table} WHERE {where}"
        self._clickhouse.command(sql, parameters.values, _HIDING)

    def remove(self, table: str, where: str, parameters: Parameters) -> None:
        """Take rows out for good, and `wait` until that is done; rows that come while it runs stay."""
        self.start(table, where, parameters)
        self.wait(table)

    def start(self, table: str, where: str, parameters: Parameters) -> None:
        """Begin to take rows out for good: parts that hold any are written anew without them."""
        sql = f"ALTER TABLE {self._database}.{table} DELETE WHERE {where}"
        self._clickhouse.command(sql, parameters.values, _IN_BACKGROUND)

    def free(self, table: str) -> None:
        """Give back the space of hidden rows: parts that hold any are written anew."""
        sql = f"ALTER TABLE {self._database}.{table} APPLY DELETED MASK"
        self._clickhouse.command(sql, settings=_IN_BACKGROUND)
        self.wait(table)

    def wait(self, table: str) -> None:
        """Block until all that was begun on a table is done.

        Raises:
            StoreUnavailable: It did not end within an hour; it goes on by itself.
        """
        waited_s = 0.0
        while undone := self._undone(table):
            if waited_s > _PATIENCE_S:
                raise StoreUnavailable(
                    f"rows of {table} were not deleted within an hour: {undone}",
                    hint="see system.mutations; it goes on by itself",
                )
            pause_s = min(max(_POLL_S, waited_s / 10), _LONGEST_PAUSE_S)
            self._sleep(pause_s)
            waited_s += pause_s

    def _undone(self, table: str) -> str:
        """Return what holds up the oldest mutation of a table; empty when all are done."""
        parameters = Parameters()
        sql = f"""
SELECT command, latest_fail_reason FROM system.mutations
WHERE database = {parameters.text(self._database)} AND table = {parameters.text(table)}
  AND NOT is_done AND NOT is_killed ORDER BY create_time LIMIT 1"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        return " ".join(map(str, rows[0])).strip() if rows else ""
