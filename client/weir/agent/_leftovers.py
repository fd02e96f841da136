"""What ended processes left beside their points, seen to by hand: the agent's observers, once."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from weir._clock import Clock
from weir._spool import SpoolDir
from weir._version import __version__
from weir.agent._attendance import Attendance, Observer
from weir.agent._liveness import Life, trainer_life
from weir.agent._lock import AgentLock
from weir.errors import WeirError

_LOOK_EVERY_S: Final = 0.2
_A_DAY_S: Final = 86_400.0  # uploads give up by themselves when nothing moves


async def finish_leftovers(
    spools: Iterable[SpoolDir],
    observers: Sequence[Observer],
    *,
    node: str,
    clock: Clock,
    timeout_s: float,
) -> list[SpoolDir]:
    """Have observers do what is left of ended processes, in the agent's place.

    Where an agent runs, it is waited for: two would fetch the same files.

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

    The agent of an offline run uploads nothing, ever: what waits for us then waits until it ends.
    """
    deadline_s = clock.monotonic_s() + timeout_s
    while True:
        if lock := AgentLock.take(root, node, version=__version__):
            return lock
        if not any(spool.left_behind() for spool in spools) or clock.monotonic_s() >= deadline_s:
            return None
        await asyncio.sleep(_LOOK_EVERY_S)


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
