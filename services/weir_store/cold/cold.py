"""The one door to cold runs: rolling, thawing, rules, and what other changes have to know of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from weir_store.base import Inserter, Reader
from weir_store.changes.base import Change, ChangeKind, Refusal
from weir_store.changes.book import ChangeBook
from weir_store.changes.sql import Remover
from weir_store.clickhouse import ClickHouse
from weir_store.cold.base import ColdPlace
from weir_store.cold.book import ColdBook
from weir_store.cold.rolling import Rolling
from weir_store.cold.shelf import Shelf
from weir_store.cold.thawing import Thawing
from weir_store.cold.turns import refuse_rolling
from weir_store.errors import UnknownRun
from weir_store.objects.base import ObjectStore
from weir_store.parameters import Parameters
from weir_store.records import RunRef

BY_RULE: Final = "rule"
FILES: Final = "cold_files"  # in the receipt of a deletion: files that go with it
MAX_AT_ONCE_ROWS: Final = 2_000_000
"""A change of a larger cold run is not waited for by whoever asks: they thaw it first."""
_AT_ONCE_RUNS: Final = 20
_AGAIN_AFTER_US: Final = 86_400_000_000


class ColdRuns:
    """All that is done to cold runs of a store. Methods block; safe from any thread."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        inserter: Inserter,
        reader: Reader,
        book: ChangeBook,
        remover: Remover,
        objects: ObjectStore,
        place: ColdPlace,
        *,
        now_unix_us: Callable[[], int],
        cluster: str = "",
        settle_s: float = 0.0,
        hit: Callable[[str], None] = lambda _point: None,
    ) -> None:
        """Prepare.

        Args:
            clickhouse: May alter and make tables.
            database: As in the settings.
            inserter: Writes.
            reader: Tells where runs stand.
            book: Where changes are written down.
            remover: Takes rows out.
            objects: Where files lie.
            place: How ClickHouse reaches them.
            now_unix_us: Whose time it is.
            cluster: Cluster name for ON CLUSTER; empty = one server.
            settle_s: The longest that a question takes that may have begun before a run changed its place.
            hit: Called at named points, where tests let the process die.
        """
        self._clickhouse = clickhouse
        self._database = database
        self._changes = book
        self._objects = objects
        self._now = now_unix_us
        self.book = ColdBook(clickhouse, database, inserter)
        self._shelf = Shelf(clickhouse, database, place, cluster)
        self.rolling = Rolling(
            clickhouse,
            database,
            reader,
            book,
            self.book,
            self._shelf,
            remover,
            objects,
            now_unix_us=now_unix_us,
            settle_s=settle_s,
            hit=hit,
        )
        self.thawing = Thawing(
            clickhouse,
            database,
            inserter,
            book,
            self.book,
            self._shelf,
            objects,
            now_unix_us=now_unix_us,
            settle_s=settle_s,
            hit=hit,
        )

    def open(self) -> None:
        """Show ClickHouse where files lie now, should there be any: the folder may have moved."""
        if self.book.list_cold():
            self._shelf.renew()

    def roll(self, change: Change) -> Change:
        """Carry out a roll."""
        return self.rolling.carry_out(change)

    def thaw(self, change: Change) -> Change:
        """Carry out a thaw."""
        return self.thawing.carry_out(change)

    def warm(self, runs: Sequence[RunRef], *, by: str, max_rows: int = 0) -> None:
        """Bring those of the runs back that are cold, because they are about to be changed.

        Args:
            runs: Which.
            by: Who changes them.
            max_rows: Of a run; 0 = whatever it has.

        Raises:
            Refusal: A run is larger, is just being rolled, or cannot be brought back.
        """
        for ref in runs:
            refuse_rolling(self._changes, ref)
            cold = self.book.get(ref)
            if cold is None:
                continue
            if max_rows and cold.rows > max_rows:
                raise Refusal(
                    f"run {ref.project}/{ref.run_id} is cold and has {cold.rows} rows",
                    hint=f"bring it back first: weir cold thaw {ref.project}/{ref.run_id}",
                )
            ask = self.thawing.ask(ref, by=by, at_unix_us=self._now(), reason="to be changed")
            self.thaw(ask if ask.version else self._changes.put(ask, self._now()))

    def drop(self, change: Change) -> Change:
        """Remove the files of runs that are deleted, those that living forks show left out."""
        kept = set(change.receipt.get("kept_for_forks", ()))
        going = [
            cold
            for cold in self.book.list_cold(change.project)
            if cold.ref.run_id in change.request["runs"] and cold.ref.run_id not in kept
        ]
        files = [file for cold in going for file in cold.files]
        keys = [*change.receipt.get(FILES, ()), *(file.key for file in files)]
        if not keys and not going:
            return change
        size = change.receipt.get("cold_bytes", 0) + sum(file.size_bytes for file in files)
        receipt = {**change.receipt, FILES: keys, "cold_bytes": size}
        change = self._changes.put(replace(change, receipt=receipt), self._now())
        for cold in going:
            self.book.put(cold, self._now(), thawed=True)
        self._objects.delete(keys)
        self._shelf.renew()
        return change

    def warm_for_policies(self, projects: Sequence[str], go_on: Callable[[], bool]) -> None:
        """Bring back what policies of retention act on: they know tables, not files."""
        for cold in self.book.list_cold():
            if cold.ref.project in projects and go_on():
                self.warm([cold.ref], by="retention")

    def due(self) -> Iterator[Change]:
        """Yield the rolls that rules ask for now; nothing is stored yet."""
        for rule in self.book.list_rules():
            left = _AT_ONCE_RUNS
            for run_id in self._ended(rule.project, rule.after_s):
                ref = RunRef(rule.project, run_id)
                if not left or self._tried(ref):
                    continue
                try:
                    yield self.rolling.ask(ref, by=BY_RULE, at_unix_us=self._now())
                except Refusal:  # held, or policies act on it
                    continue
                except UnknownRun:  # gone meanwhile
                    continue
                left -= 1

    def _ended(self, project: str, after_s: int) -> list[str]:
        parameters = Parameters()
        before = parameters.whole(self._now() - after_s * 1_000_000)
        of = f"project = {parameters.text(project)}"
        sql = f"""
SELECT run_id FROM {self._database}.runs
WHERE {of} AND state != 'running' AND finished_at < fromUnixTimestamp64Micro({before})
  AND run_id NOT IN (SELECT run_id FROM {self._database}_raw.cold_runs FINAL WHERE {of})
ORDER BY finished_at LIMIT 1000"""
        return [str(run) for (run,) in self._clickhouse.query_rows(sql, parameters.values)]

    def _tried(self, ref: RunRef) -> bool:
        """Tell whether a roll is under way, or was given up, or undone by a thaw, not long ago."""
        kinds = (ChangeKind.ROLL, ChangeKind.THAW)
        newest = self._changes.list_changes(ref.project, run_id=ref.run_id, kinds=kinds, limit=1)
        return bool(newest) and self._now() - newest[0].at_unix_us < _AGAIN_AFTER_US
