"""The SQL that tells where runs stand: from the lives of their processes and their last signs of life.

A rank stands where its newest process life stands; a life that says it runs
but has been silent for `SILENT_AFTER_S` has crashed. A run runs while a rank
does; after that the worst rank decides: failed, crashed, interrupted, finished.
"""

from __future__ import annotations

from collections.abc import Iterable

from weir_store.records import RunState

SILENT_AFTER_S = 90
SILENCE = "no heartbeat"

_WORST_FIRST = (
    RunState.RUNNING,
    RunState.FAILED,
    RunState.CRASHED,
    RunState.INTERRUPTED,
)


def worst(states: Iterable[RunState]) -> RunState:
    """Return the state of a run from the states of its ranks."""
    held = set(states)
    return next((state for state in _WORST_FIRST if state in held), RunState.FINISHED)


def lives_sql(database: str, where: str, alive_since: str) -> str:
    """Return one row per process life: its session, what it comes to, when it was last seen.

    Args:
        database: Where the tables are.
        where: Condition on project and run_id.
        alive_since: SQL of Unix µs; who was seen before it is silent.
    """
    return f"""
SELECT sessions.*, commits.seq AS committed_seq,
  toUnixTimestamp64Micro(started_at) AS started_us, toUnixTimestamp64Micro(updated_at) AS updated_us,
  if(commits.seq = 0, greatest(started_us, updated_us), toUnixTimestamp64Milli(commits.at) * 1000)
    AS seen_us,
  state = 'running' AND seen_us < {alive_since} AS silent,
  if(silent, 'crashed', toString(state)) AS outcome,
  multiIf(silent, seen_us, state = 'running', 0, updated_us) AS ended_us
FROM (SELECT * FROM {database}.sessions FINAL WHERE {where}) AS sessions
LEFT JOIN (SELECT project, run_id, producer, seq, at FROM {database}.ingest_commits FINAL
  WHERE {where}) AS commits USING (project, run_id, producer)"""


def states_sql(database: str, where: str, alive_since: str) -> str:
    """Return one row per run that has process lives.

    Columns: run_state, run_ended_us (0 while it runs), run_seen_us, world_size, ranks.
    """
    worst_first = ", ".join(f"has(outcomes, '{state}'), '{state}'" for state in _WORST_FIRST)
    return f"""
SELECT project, run_id, groupUniqArray(rank_outcome) AS outcomes,
  multiIf({worst_first}, 'finished') AS run_state,
  if(run_state = 'running', 0, max(rank_ended_us)) AS run_ended_us,
  max(rank_seen_us) AS run_seen_us, max(rank_world_size) AS world_size, toUInt32(count()) AS ranks
FROM (
  SELECT project, run_id, rank, argMax(outcome, (started_us, toString(producer))) AS rank_outcome,
    max(ended_us) AS rank_ended_us, max(seen_us) AS rank_seen_us,
    max(world_size) AS rank_world_size
  FROM ({lives_sql(database, where, alive_since)}) AS lives
  GROUP BY project, run_id, rank) AS newest
GROUP BY project, run_id"""
