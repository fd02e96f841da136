"""Reading where runs were taken up: one question for runs that never were, one more per generation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from weir_store.clickhouse import ClickHouse
from weir_store.lineage import Branch, Lineage, fork_of, lineage_of
from weir_store.parameters import Parameters
from weir_store.reader_live import of_runs
from weir_store.records import RunRef
from weir_store.sight import Sight

_Branches = dict[str, dict[str, list[Branch]]]  # by project, then run

_COLD = "cold"  # in place of a producer: the row says that the run lies in files
_COLUMNS = "project, run_id, toString(producer) AS producer_id, rank, world_size, parent_run_id, step, launch"


class LineageReader:
    """Tells of runs which rows they show. A deleted parent still counts: its children keep their history."""

    def __init__(self, clickhouse: ClickHouse, database: str) -> None:
        self._clickhouse = clickhouse
        self._database = database

    def live(self, runs: Sequence[RunRef]) -> Sight:
        """Return those of the runs that exist, and how they are to be read."""
        if not runs:
            return Sight()
        parameters = Parameters()
        where = of_runs(runs, parameters)
        sql = f"""
SELECT project, run_id, '' AS producer_id, toUInt32(0) AS rank, toUInt32(0) AS world_size,
  '' AS parent_run_id, toInt64(0) AS step, '' AS launch, toUInt64(0) AS session, true AS is_run
FROM {self._database}.runs FINAL WHERE {where}
UNION ALL {self._branches_sql(where, ", false AS is_run")}"""
        rows = self._clickhouse.query_rows(sql, parameters.values)
        found = sorted(RunRef(*row[:2]) for row in rows if row[-1])
        return self._sight(found, [row[:-1] for row in rows if not row[-1]])

    def of(self, runs: Sequence[RunRef]) -> Sight:
        """Return how these runs are to be read; all of them exist."""
        if not runs:
            return Sight()
        parameters = Parameters()
        sql = self._branches_sql(of_runs(runs, parameters))
        return self._sight(runs, self._clickhouse.query_rows(sql, parameters.values))

    def bent(self, scope: str, parameters: Parameters) -> Sight:
        """Return the runs of a scope that are rewound or forked; deleted ones may be among them.

        Args:
            scope: Condition on `project` and `run_id`.
            parameters: What it is bound to.
        """
        rows = self._clickhouse.query_rows(self._branches_sql(scope), parameters.values)
        return self._sight(sorted({RunRef(*row[:2]) for row in rows if row[2] != _COLD}), rows)

    def _branches_sql(self, where: str, more: str = "") -> str:
        return f"""
SELECT {_COLUMNS}, bitShiftRight(ver, 32) AS session{more}
FROM {self._database}.branches FINAL WHERE {where}
UNION ALL SELECT project, run_id, '{_COLD}', 0, 0, '', 0, '', 0{more}
FROM {self._database}.cold_runs FINAL WHERE {where}"""

    def _sight(self, runs: Iterable[RunRef], rows: Sequence[tuple[Any, ...]]) -> Sight:
        branches: _Branches = {}
        cold = _take(rows, branches)
        cold |= self._read_ancestors(branches)
        bent: dict[RunRef, Lineage] = {}
        plain: list[RunRef] = []
        for run in runs:
            told = branches.get(run.project, {})
            if run.run_id in told:
                bent[run] = lineage_of(run.run_id, told)
            else:
                plain.append(run)
        return Sight(tuple(plain), bent, frozenset(cold))

    def _read_ancestors(self, branches: _Branches) -> set[RunRef]:
        """Read what parents announced, and theirs, until nobody new is named; return those that are cold."""
        cold: set[RunRef] = set()
        asked = {RunRef(project, run) for project, told in branches.items() for run in told}
        while new := _parents(branches) - asked:
            asked |= new
            parameters = Parameters()
            sql = self._branches_sql(of_runs(sorted(new), parameters))
            cold |= _take(self._clickhouse.query_rows(sql, parameters.values), branches)
        return cold


def _take(rows: Iterable[tuple[Any, ...]], branches: _Branches) -> set[RunRef]:
    """Sort what was announced by run; return the runs that are cold, who come along."""
    cold: set[RunRef] = set()
    for project, run_id, producer, *told in rows:
        if producer == _COLD:
            cold.add(RunRef(project, run_id))
            continue
        branch = Branch(run_id, producer, *told)
        branches.setdefault(project, {}).setdefault(run_id, []).append(branch)
    return cold


def _parents(branches: _Branches) -> set[RunRef]:
    forks = {
        project: [fork_of(told) for told in by_run.values()] for project, by_run in branches.items()
    }
    return {
        RunRef(project, fork.parent_run_id)
        for project, found in forks.items()
        for fork in found
        if fork
    }
