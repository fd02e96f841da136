"""The SQL of what can be seen: rows of the runs asked for, and those of their ancestors under their names.

A plain run is read as it lies. Of a run that was rewound or forked there is a
row or a SELECT for every piece of its lineage (lineage.py), with the run's id
in place of the ancestor's and `depth`, the piece's number: where two pieces
hold the same point, the lower depth wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from weir_store.lineage import MAX_STEP, ByRank, Lineage, Piece
from weir_store.parameters import Parameters
from weir_store.reader_live import of_runs
from weir_store.records import RunRef

SESSION = "bitShiftRight(ver, 32)"

_BY_RANK = "Tuple(Int64, Array(Int64), Array(Int64))"  # of the others; ranks, and theirs
_PIECE = f"Tuple(String, String, String, UInt32, {_BY_RANK}, Array(Tuple(Int64, Bool, {_BY_RANK})))"


@dataclass(frozen=True, slots=True)
class Sight:
    """Runs, apart: those that show all they have, and those that are bent."""

    plain: tuple[RunRef, ...] = ()
    bent: Mapping[RunRef, Lineage] = field(default_factory=dict)
    cold: frozenset[RunRef] = frozenset()  # of these and their ancestors, whose rows lie in files

    def only(self, runs: Iterable[RunRef]) -> Sight:
        """Return the sight of some of them."""
        kept = set(runs)
        bent = {run: lineage for run, lineage in self.bent.items() if run in kept}
        return Sight(tuple(run for run in self.plain if run in kept), bent, self.cold)

    def among(self, runs: Iterable[RunRef]) -> Sight:
        """Return the sight of these runs, of which this one knows all that are bent."""
        wanted = list(runs)
        bent = {run: self.bent[run] for run in wanted if run in self.bent}
        return Sight(tuple(run for run in wanted if run not in bent), bent, self.cold)

    def is_cold(self, run: RunRef) -> bool:
        """Tell whether any row that a run shows may lie in a file."""
        lineage = self.bent.get(run)
        pieces = lineage.pieces if lineage is not None else ()
        return run in self.cold or any(
            RunRef(run.project, piece.run_id) in self.cold for piece in pieces
        )

    def sources(self) -> dict[RunRef, list[RunRef]]:
        """Return for each bent run whose rows it shows: itself, its parent, and so on."""
        return {
            run: [RunRef(run.project, piece.run_id) for piece in lineage.pieces]
            for run, lineage in self.bent.items()
        }


def plain_columns() -> str:
    """Return what `bent_sql` adds to rows, for rows that are all shown."""
    return f"toInt64({MAX_STEP}) AS top, toUInt32(0) AS depth"


def bent_sql(select: str, bent: Mapping[RunRef, Lineage], more: str, parameters: Parameters) -> str:
    """Return rows that have a rank and a session under the names of the runs that show them.

    Adds `top`, the last step that is shown of the row's rank and session, and
    `depth`. For small tables: what is shown is looked up for every row.

    Args:
        select: A SELECT up to the condition on runs, with the columns project, run_id, rank, session.
        bent: Who shows what; at least one run.
        more: What follows the condition on runs.
        parameters: Where values are bound.
    """
    whose = {RunRef(run.project, p.run_id) for run, lineage in bent.items() for p in lineage.pieces}
    where = of_runs(sorted(whose), parameters)
    pieces = parameters.rows(
        [_row(run, *each) for run, line in bent.items() for each in enumerate(line.pieces)], _PIECE
    )
    until = (
        "arrayMap(cut -> if(if(cut.2, session >= {since}, session < {since}), cut.1, {never}), "
        "piece.6)"
    ).format(since=_looked_up("cut.3"), never=f"toInt64({MAX_STEP})")
    return f"""
SELECT held.* REPLACE (toLowCardinality(piece.2) AS run_id),
  arrayMin(arrayPushBack({until}, {_looked_up("piece.5")})) AS top, piece.4 AS depth
FROM ({select}{where}{more}) AS held
INNER JOIN (SELECT arrayJoin({pieces}) AS piece, piece.1 AS of_project, piece.3 AS of_run) AS shown
  ON held.project = shown.of_project AND held.run_id = shown.of_run"""


def piece_sql(
    runs: Sequence[RunRef],
    depth: int,
    piece: Piece,
    select: str,
    more: str,
    parameters: Parameters,
) -> str:
    """Return one piece under the name of each run that shows it, and its `depth`. For large tables.

    Args:
        runs: Who shows it: runs of one project.
        depth: The piece's number.
        piece: Whose rows.
        select: A SELECT up to the condition on runs.
        more: A condition to be appended.
        parameters: Where values are bound.
    """
    where = of_runs([RunRef(runs[0].project, piece.run_id)], parameters)
    # Outside, because inside ClickHouse would take the new name for the column.
    names = [run.run_id for run in runs]
    if names == [piece.run_id]:
        named = ""
    elif len(names) == 1:  # for each row the same: much faster than an array
        named = f" REPLACE (toLowCardinality({parameters.text(names[0])}) AS run_id)"
    else:
        as_told = f"CAST({parameters.texts(names)}, 'Array(LowCardinality(String))')"
        named = f" REPLACE (arrayJoin({as_told}) AS run_id)"
    return f"SELECT *{named}, toUInt32({depth}) AS depth FROM ({select}{where}{more})"


def shown_sql(
    piece: Piece, parameters: Parameters, *, step: str = "step", session: str = SESSION
) -> str:
    """Return the condition that a row can be seen, to be appended; empty where all can."""
    parts = []
    if piece.upto != ByRank(MAX_STEP):
        parts.append(f" AND {step} <= {_of_rank(piece.upto, parameters)}")
    for cut in piece.cuts:
        beyond = f"{step} > {parameters.whole(cut.step)}"
        since = _of_rank(cut.since, parameters)
        parts.append(f" AND NOT ({beyond} AND {session} {'>=' if cut.later else '<'} {since})")
    return "".join(parts)


def _of_rank(number: ByRank, parameters: Parameters) -> str:
    others = parameters.whole(number.others)
    if not number.own:
        return others
    ranks, own = _columns(number)
    looked_up = f"transform(toInt64(rank), {parameters.wholes(ranks)}, {parameters.wholes(own)}"
    return f"{looked_up}, {others})"


def _looked_up(number: str) -> str:
    """Return the number of the row's rank; `number` is a `ByRank` as `_PIECE` has it."""
    place = f"indexOf({number}.2, toInt64(rank))"
    return f"if({place} > 0, {number}.3[{place}], {number}.1)"


def _row(run: RunRef, depth: int, piece: Piece) -> tuple[Any, ...]:
    cuts = [(cut.step, cut.later, _tuple(cut.since)) for cut in piece.cuts]
    return run.project, run.run_id, piece.run_id, depth, _tuple(piece.upto), cuts


def _tuple(number: ByRank) -> tuple[int, list[int], list[int]]:
    return number.others, *_columns(number)


def _columns(number: ByRank) -> tuple[list[int], list[int]]:
    return [rank for rank, _ in number.own], [value for _, value in number.own]
