"""Merging (stitching) runs: several become one, with the points of all and nothing copied.

A merged run is made a fork of the one before it, after the fact: the last shows its own points and, up to
where they begin, those of the others, as a fork shows its parent's (lineage.py). The others are hidden;
their rows stay where they are for as long as the merged run lives.

    a   0 ─────────── 900        merged at 800:   c   0 … 800 (of a)  801 … 1500 (its own)
    c            801 ─────── 1500
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from weir_store import columns, tables
from weir_store.base import Inserter
from weir_store.changes.base import Change, ChangeKind, Refusal
from weir_store.changes.book import ChangeBook
from weir_store.changes.measure import rows_of
from weir_store.clickhouse import ClickHouse
from weir_store.editor import Editor, version_of_edit
from weir_store.errors import InvalidQuery, UnknownRun
from weir_store.parameters import Parameters
from weir_store.records import RunRef

MAX_MERGED: Final = 1_000


class Merging:
    """Asks for merges, and carries them out; every step may be done twice."""

    def __init__(
        self,
        clickhouse: ClickHouse,
        database: str,
        inserter: Inserter,
        editor: Editor,
        book: ChangeBook,
    ) -> None:
        """Prepare; `database` is as in the settings."""
        self._clickhouse = clickhouse
        self._database = tables.raw_database(database)
        self._inserter = inserter
        self._editor = editor
        self._book = book

    def ask(
        self,
        project: str,
        runs: Sequence[str],
        at_steps: Sequence[int] = (),
        *,
        by: str,
        at_unix_us: int,
        reason: str = "",
    ) -> Change:
        """Return the change that merges runs into the last of them; nothing is stored yet.

        Whoever asks makes sure that none of the runs is live.

        Args:
            project: Theirs.
            runs: From the earliest part to the last.
            at_steps: Of each run but the last, its last step that is shown; default: the one before
                the first step of the next run.
            by: Who asks.
            at_unix_us: When.
            reason: Why.

        Raises:
            InvalidQuery: Fewer than two runs, one of them twice, or as many steps as do not fit.
            UnknownRun: One of them is not there.
            Held: There is a legal hold on one that would be hidden.
            Refusal: One that follows another is a fork already, or has no points to begin at.
        """
        *sources, target = runs or [""]
        if len(set(runs)) != len(runs) or not 2 <= len(runs) <= MAX_MERGED:
            raise InvalidQuery("give 2 or more runs, each once", hint=f"at most {MAX_MERGED}")
        if at_steps and len(at_steps) != len(sources):
            raise InvalidQuery(f"{len(at_steps)} steps for {len(sources)} seams")
        living = self._living(project, runs)
        for run_id in runs:
            if run_id not in living:
                raise UnknownRun.of(project, run_id)
        for run_id in sources:
            self._book.refuse_held(project, run_id)
        self._refuse_forks(project, runs[1:])
        seams = list(at_steps) or self._seams(project, runs[1:])
        request = {"sources": sources, "seams": seams}
        kind = ChangeKind.MERGE
        return Change(uuid.uuid4(), project, target, kind, by, at_unix_us, reason, request=request)

    def merge(self, change: Change) -> dict[str, Any]:
        """Carry out a merge; return what its receipt has to say."""
        sources, seams = change.request["sources"], change.request["seams"]
        chain = [*sources, change.run_id]
        listed = ", ".join(sources)
        title = f"{change.by} merged {listed} into {change.run_id}"
        for run_id in chain:
            self._book.tell(change, "merged", title, run_id, into=change.run_id, merged=listed)
        rows = [
            {
                "project": change.project,
                "run_id": child,
                "producer": uuid.uuid5(change.change_id, child).bytes,
                "rank": columns.RANK_OF_A_PERSON,
                "world_size": 0,
                "parent_run_id": parent,
                "step": seam,
                "launch": "",
                "ver": version_of_edit(change.at_unix_us),
            }
            for parent, child, seam in zip(sources, chain[1:], seams, strict=True)
        ]
        table = pa.Table.from_pylist(rows, schema=columns.BRANCHES)
        self._inserter.insert({tables.BRANCHES: table}, change.change_id.hex)
        living = self._living(change.project, sources)
        for run_id in sources:
            if run_id in living:
                ref = RunRef(change.project, run_id)
                self._editor.delete_run(ref, by=change.by, at_unix_us=change.at_unix_us)
        return {"merged": sources, "seams": seams, "into": change.run_id}

    def _refuse_forks(self, project: str, runs: Sequence[str]) -> None:
        parameters = Parameters()
        sql = f"""
SELECT run_id, parent_run_id FROM {self._database}.{tables.BRANCHES} FINAL
WHERE {rows_of(project, runs, parameters)} AND parent_run_id != run_id ORDER BY run_id LIMIT 1"""
        for child, parent in self._clickhouse.query_rows(sql, parameters.values):
            raise Refusal(
                f"run {child!r} is a fork of {parent!r} already, and has one parent only",
                hint="only the first of the runs may be a fork",
            )

    def _seams(self, project: str, runs: Sequence[str]) -> list[int]:
        parameters = Parameters()
        sql = f"""
SELECT run_id, min(min_step) FROM {self._database}.series
WHERE {rows_of(project, runs, parameters)} GROUP BY run_id"""
        first = dict(self._clickhouse.query_rows(sql, parameters.values))
        for run_id in runs:
            if run_id not in first:
                raise Refusal(
                    f"run {run_id!r} has no points to begin at", hint="say where: --at STEP"
                )
        return [int(first[run_id]) - 1 for run_id in runs]

    def _living(self, project: str, runs: Sequence[str]) -> set[str]:
        parameters = Parameters()
        sql = f"""
SELECT run_id FROM {self._database}.{tables.RUNS} FINAL WHERE {rows_of(project, runs, parameters)}"""
        return {str(run) for (run,) in self._clickhouse.query_rows(sql, parameters.values)}
