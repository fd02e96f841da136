"""The agent as a process: its lock, its log, its signals."""

import asyncio
import random
import signal
from pathlib import Path

from weir import _fault as fault
from weir._clock import SystemClock
from weir._process import host_name
from weir._settings import Settings
from weir._spool import agent_log_path, list_spools
from weir._version import __version__
from weir.agent._lock import AgentLock
from weir.agent._log import log, write_to


def run_agent(root: Path, *, node: str = "") -> int:
    """Be the agent of this node for `root` until there is nothing left to do.

    Returns:
        The exit code: 0 also when another agent is there already.
    """
    settings = Settings.load()
    node = node or settings.node or host_name()
    root = root.resolve()
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _ignore_terminal_signals()
    write_to(agent_log_path(root, node))
    while (lock := AgentLock.take(root, node, version=__version__)) is not None:
        fault.hit("agent.after_lock")
        try:
            known, stopped = asyncio.run(_serve(root, node, settings))
        finally:
            lock.release()
        # A trainer that began while we were ending saw our lock and counts on us.
        if stopped or known.issuperset(spool.path for spool in list_spools(root)):
            break
    return 0


async def _serve(root: Path, node: str, settings: Settings) -> tuple[set[Path], bool]:
    """Run one agent; returns the spools it knew, and whether it was asked to stop."""
    # gRPC and psutil only now: an agent that is one too many ends before it has loaded them.
    from weir.agent._agent import Agent, AgentOptions
    from weir.agent._observers import observers_here

    options = AgentOptions(root, node, settings.agent_idle_s, settings.fsync != "never")
    observers = observers_here(settings, node=node)
    agent = Agent(options, clock=SystemClock(), rng=random.Random(), observers=observers)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, agent.stop)
    log.info("the agent starts", root=root, node=node, version=__version__)
    await agent.run()
    log.info("the agent ends", root=root)
    return agent.known, agent.stopped


def _ignore_terminal_signals() -> None:
    """Ctrl-C and a closed terminal are for the trainer; the agent outlives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
