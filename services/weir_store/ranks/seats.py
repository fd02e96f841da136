"""The SQL of seats: which role, node and attempt a rank's points of one process life are from.

A point knows its rank and its session, the second in which its process began (the upper half of
`ver`). Of processes that share both, the trainer's word counts before that of its forked children;
agents log no points.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from weir_store.parameters import Parameters
from weir_store.reader_live import of_runs
from weir_store.records import RunRef
from weir_store.sight import SESSION, Sight

SEAT = "project, run_id, rank, session"


def sources(sight: Sight) -> list[tuple[str, str, str]]:
    """Return project, run and whose points it shows: itself, its parent, and so on."""
    rows = [(run.project, run.run_id, run.run_id) for run in sight.plain]
    return rows + [
        (run.project, run.run_id, each.run_id)
        for run, whose in sight.sources().items()
        for each in whose
    ]


def seats_sql(database: str, sight: Sight, parameters: Parameters) -> str:
    """Return a SELECT of project, run_id, rank, session, role, node, attempt: one row for each seat."""
    rows = sources(sight)
    whose = sorted({RunRef(project, source) for project, _, source in rows})
    shown = parameters.tuples(rows, 3)
    return f"""
SELECT of_project AS project, of_run AS run_id, rank, session,
  min((endsWith(said_role, '/fork'), said_role, said_node, said_attempt)) AS seat,
  seat.2 AS role, seat.3 AS node, seat.4 AS attempt
FROM (
  SELECT project, run_id, rank, {SESSION} AS session, toString(role) AS said_role, node AS said_node,
    attempt AS said_attempt
  FROM {database}.sessions FINAL WHERE {of_runs(whose, parameters)} AND role != 'agent') AS held
INNER JOIN (SELECT arrayJoin({shown}) AS row, row.1 AS of_project, row.2 AS of_run, row.3 AS source) AS shown
  ON held.project = shown.of_project AND held.run_id = shown.source
GROUP BY of_project, of_run, rank, session"""


def seated_sql(
    points: str, columns: str, seats: str, roles: Sequence[str] | None, parameters: Parameters
) -> str:
    """Return points with role, node and attempt beside them; empty where nobody said.

    Args:
        points: A FROM clause that has `ver`.
        columns: Of the points, to be kept; `SEAT` but the session is among them.
        seats: `seats_sql`.
        roles: Only these; None = all.
        parameters: Where values are bound.
    """
    only = "" if roles is None else f" WHERE role IN {parameters.texts(roles)}"
    return f"""
SELECT * FROM (SELECT {columns}, {SESSION} AS session FROM {points}) AS points
LEFT ANY JOIN ({seats}) AS seats USING ({SEAT}){only}"""


@dataclass(frozen=True, slots=True)
class Seat:
    """What a rank's process of one session was."""

    rank: int
    session: int
    role: str
    node: str
    attempt: int


def simple_seats(seats: Sequence[Seat]) -> bool:
    """Tell whether a run's rank alone says role and node: one role, nobody moved, no seat is unknown."""
    nodes: dict[int, set[str]] = {}
    for seat in seats:
        nodes.setdefault(seat.rank, set()).add(seat.node)
    return len({seat.role for seat in seats}) == 1 and all(
        len(held) == 1 for held in nodes.values()
    )


def nodes_of(seats: Sequence[Seat]) -> list[str]:
    """Return the nodes by number; number 0 is that of a point whose process nobody knows."""
    return ["", *sorted({seat.node for seat in seats if seat.node})]


def looked_up_sql(points: str, columns: str, seats: Sequence[Seat], parameters: Parameters) -> str:
    """Return points of one run with role and `node_no` beside them, without a join: for `simple_seats`."""
    role = parameters.text(seats[0].role)
    return f"SELECT {columns}, {SESSION} AS session, {role} AS role, rank AS node_no FROM {points}"


def numbered_sql(seated: str, seats: Sequence[Seat], parameters: Parameters) -> str:
    """Return seated points with `node_no`: arrays of numbers are gathered faster than texts."""
    names = nodes_of(seats)
    node_nos = parameters.wholes(range(len(names)))
    return f"""
SELECT *, toUInt32(transform(node, {parameters.texts(names)}, {node_nos}, toInt64(0))) AS node_no
FROM ({seated})"""


def node_name_sql(node_no: str, seats: Sequence[Seat], parameters: Parameters) -> str:
    """Return SQL of a node's name: where the rank alone says it, its number is the rank."""
    if not simple_seats(seats):
        return f"arrayElement({parameters.texts(nodes_of(seats))}, {node_no} + 1)"
    nodes = {seat.rank: seat.node for seat in seats}
    ranks, names = parameters.wholes(list(nodes)), parameters.texts(list(nodes.values()))
    return f"transform(toInt64({node_no}), {ranks}, {names}, '')"
