"""Where runs stand: from the lives of their processes and their last signs of life (ADR 12).

Nobody writes a run's state down, so it heals by itself when a silent process is heard again:

    life   as it said, or crashed when it says it runs and was silent for `SILENT_AFTER_S`
    rank   its newest life; older ones never count
    role   its ranks, but for those that ended and that the newest world has no place for
    run    running while one of them runs, else the worst: failed, crashed, interrupted, finished

What forked children and agents come to says nothing of the run, unless it has nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from weir_store.records import RunState, Session

SILENT_AFTER_S = 90
SILENCE = "no heartbeat"
_FORKED = "/fork"  # ends the role of a forked child
_AGENT = "agent"  # role of a node's agent, which speaks of the run but does none of its work

_WORST_FIRST = (
    RunState.RUNNING,
    RunState.FAILED,
    RunState.CRASHED,
    RunState.INTERRUPTED,
)
_BAD_LAST = [str(state) for state in (RunState.FINISHED, *reversed(_WORST_FIRST))]


def worst(states: Iterable[RunState]) -> RunState:
    """Return the state of a run from the states of its ranks."""
    held = set(states)
    return next((state for state in _WORST_FIRST if state in held), RunState.FINISHED)


def deciding(lives: Sequence[Session]) -> list[Session]:
    """Return the lives of a run that decide where it stands; of some lives at least one."""
    newest = {(life.role, life.rank): life for life in sorted(lives, key=age)}
    worlds = {life.role: life.world_size for life in sorted(lives, key=age)}
    counted = [life for life in newest.values() if not _outgrown(life, worlds[life.role])]
    return [life for life in counted if not _is_bystander(life.role)] or counted


def world_size(lives: Sequence[Session]) -> int:
    """Return how many ranks the newest lives say there are; 0 when none says."""
    worlds = {life.role: life.world_size for life in sorted(lives, key=age)}
    return max(worlds.values(), default=0)


def age(session: Session) -> tuple[int, str]:
    """Return what orders process lives from old to new."""
    return session.started_unix_us, str(session.producer)


def _is_bystander(role: str) -> bool:
    return role == _AGENT or role.endswith(_FORKED)


def _outgrown(life: Session, world: int) -> bool:
    """Whether a life ended in a larger world than the newest one, which has no such rank."""
    ended = life.state is not RunState.RUNNING
    return ended and 0 < world <= life.rank < life.world_size


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
    """Return one row per run that has process lives; the same as `deciding` and `worst`.

    Columns: run_state, run_ended_us (0 while it runs), run_seen_us, world_size, ranks. States are compared
    as their places in `_BAD_LAST`, from 1: numbers cost half of what arrays of texts do, in planning above all.
    """
    return f"""
SELECT project, run_id,
  maxIf(role_worst, NOT bystander) AS own_worst,
  if(own_worst = 0, max(role_worst), own_worst) AS worst,
  {_BAD_LAST}[greatest(worst, 1)] AS run_state,
  multiIf(run_state = 'running', 0, own_worst = 0, max(role_ended_us), maxIf(role_ended_us, NOT bystander))
    AS run_ended_us,
  max(role_seen_us) AS run_seen_us, max(world) AS world_size,
  toUInt32(length(groupUniqArrayArray(role_ranks))) AS ranks
FROM (
  SELECT project, run_id, role = '{_AGENT}' OR endsWith(role, '{_FORKED}') AS bystander,
    argMax(life.4, life_age) AS world,
    arrayFilter(each -> NOT (each.2 != {len(_BAD_LAST)} AND world BETWEEN 1 AND each.1 AND each.1 < each.4),
      groupArray(life)) AS counted,
    arrayMax(each -> each.2, counted) AS role_worst, arrayMax(each -> each.3, counted) AS role_ended_us,
    max(rank_seen_us) AS role_seen_us, groupArray(rank) AS role_ranks
  FROM (
    SELECT project, run_id, role, rank,
      argMax((rank, indexOf({_BAD_LAST}, outcome), ended_us, world_size), (started_us, toString(producer))) AS life,
      max((started_us, toString(producer))) AS life_age, max(seen_us) AS rank_seen_us
    FROM ({lives_sql(database, where, alive_since)}) AS lives
    GROUP BY project, run_id, role, rank) AS newest
  GROUP BY project, run_id, role) AS by_role
GROUP BY project, run_id"""
