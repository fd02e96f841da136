"""What ended processes left beside their points, seen to by hand: the agent's observers, once."""

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from weir._clock import Clock
from weir._spool import SpoolDir, list_spools
from weir._version import __version__
from weir.agent._attendance import Attendance, Observer
from weir.agent._liveness import Life, trainer_life
from weir.agent._lock import AgentLock, agent_pid
from weir.agent._node_log import AGENT_ROLE
from weir.errors import WeirError

_LOOK_EVERY_S: Final = 0.2
_A_DAY_S: Final = 86_400.0  # uploads give up by themselves when nothing moves
_POLITE_S: Final = 3.0  # for an agent that is just finishing by itself


async def finish_leftovers(
    spools: Iterable[SpoolDir],
    observers: Sequence[Observer],
    *,
    node: str,
    clock: Clock,
    timeout_s: float,
) -> list[SpoolDir]:
    """Have observers do what is left of ended processes, in the agent's place.

    Where an agent runs, it is waited for: two would fetch the same files. An agent that no process
    needs any more (it idles, or its server refuses it) is asked to end.

    Args:
        spools: Those to look at; most have nothing left, and cost only that look.
        observers: Who does it. They are closed afterwards.
        node: This node: of a process elsewhere only its silence tells that it has ended.
        clock: Tells when.
        timeout_s: How long to wait for what is not an upload.

    Returns:
        The spools of ended processes that still have something left.
    """
    left = [spool for spool in spools if spool.left_behind() and _has_ended(spool, node)]
    for (root, of_node), group in _by_agent(left).items():
        lock = await _take_agents_place(root, of_node, group, clock, timeout_s)
        if lock is None:
            continue
        uploads = any(any(spool.outbox_path.glob("*.json")) for spool in group)
        attendance = Attendance(root, of_node, observers, clock=clock, spools=group)
        try:
            await attendance.finish_all(_A_DAY_S if uploads else timeout_s)
        finally:
            await attendance.close()
            lock.release()
    return [spool for spool in left if spool.left_behind()]


async def _take_agents_place(
    root: Path, node: str, spools: Sequence[SpoolDir], clock: Clock, timeout_s: float
) -> AgentLock | None:
    """Wait until there is no agent, or it left nothing to do (None), or for so long (None).

    The agent of an offline run uploads nothing, ever, and one whose token is refused cannot: what
    waits for us would wait until it ends, so it is asked to.
    """
    began_s, asked = clock.monotonic_s(), False
    while True:
        if lock := AgentLock.take(root, node, version=__version__):
            return lock
        waited_s = clock.monotonic_s() - began_s
        if not any(spool.left_behind() for spool in spools) or waited_s >= timeout_s:
            return None
        if waited_s >= _POLITE_S and not asked and not _trainer_lives(root, node):
            asked = True
            _ask_to_end(root, node)
        await asyncio.sleep(_LOOK_EVERY_S)


def _ask_to_end(root: Path, node: str) -> None:
    if (pid := agent_pid(root, node)) is not None:
        with suppress(ProcessLookupError, PermissionError):  # gone by now, or somebody else's
            os.kill(pid, signal.SIGTERM)


def _trainer_lives(root: Path, node: str) -> bool:
    """Whether a process of this node may still need its agent."""
    return any(not _has_ended(spool, node) for spool in list_spools(root) if _is_of(spool, node))


def _is_of(spool: SpoolDir, node: str) -> bool:
    try:
        meta = spool.read_meta()
    except (OSError, WeirError, ValueError):
        return False
    return meta.node == node and meta.role != AGENT_ROLE


def _by_agent(spools: Iterable[SpoolDir]) -> dict[tuple[Path, str], list[SpoolDir]]:
    """Sort spools by whose work it would be: root and node."""
    groups: dict[tuple[Path, str], list[SpoolDir]] = defaultdict(list)
    for spool in spools:
        groups[spool.path.parents[2], spool.read_meta().node].append(spool)
    return groups


def _has_ended(spool: SpoolDir, node: str) -> bool:
    try:
        meta = spool.read_meta()
    except (OSError, WeirError, ValueError):
        return False  # the sync says so
    return spool.has_ended() or trainer_life(spool, meta, node=node) is Life.DEAD
