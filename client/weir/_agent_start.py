"""Starting the agent of this node when none is running; three failed starts in 10 min are enough."""

import os
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from weir._clock import Clock
from weir._speak import Speaker
from weir._spool import agent_lock_path, agent_log_path

_MAX_STARTS: Final = 3
_STARTS_WINDOW_S: Final = 600.0
_PROVEN_S: Final = 10.0  # an agent that worked for so long and died then was no failed start
# What a launcher tells a rank, and what changes how any program runs, is not for the agent.
_RANK_VARIABLES: Final = {
    *("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GROUP_WORLD_SIZE"),
    *("ROLE_RANK", "ROLE_WORLD_SIZE", "ROLE_NAME", "MASTER_ADDR", "MASTER_PORT"),
    *("OMP_NUM_THREADS", "LD_PRELOAD", "PYTHONSTARTUP", "PYTHONINSPECT"),
    *("PYTHONPROFILEIMPORTTIME", "WEIR_RANK", "WEIR_LOCAL_RANK"),
}
_RANK_PREFIXES: Final = ("TORCHELASTIC_", "TORCH_NCCL_", "NCCL_", "OMPI_", "PMIX_", "PMI_")


class AgentKeeper:
    """Keeps one agent running for a spool root. Used by the spool thread only.

    Args:
        root: The spool root it serves.
        node: Name of this node: there is one agent per root and node.
        clock: Tells when.
        speaker: Says so when it cannot be started.
        patience_s: How long to leave the first start to another rank of this node.
    """

    def __init__(
        self, root: Path, node: str, clock: Clock, speaker: Speaker, *, patience_s: float = 0.0
    ) -> None:
        self._root = root
        self._node = node
        self._clock = clock
        self._speaker = speaker
        self._starts_s: deque[float] = deque(maxlen=_MAX_STARTS)
        self._held_since_s: float | None = None
        self._patient_until_s = clock.monotonic_s() + patience_s

    def ensure(self) -> None:
        """Start the agent if nobody holds its lock. Never raises; what is spooled stays spooled."""
        now_s = self._clock.monotonic_s()
        if now_s < self._patient_until_s or self._is_served(now_s):
            return
        if not may_start(self._starts_s, now_s):
            self._speaker.warn(
                "agent",
                f"the agent stopped {_MAX_STARTS} times in 10 min, see "
                f"{agent_log_path(self._root, self._node)}; points stay in {self._root}, send "
                f"them later with `{sync_command(self._root)}`",
            )
            return
        self._starts_s.append(now_s)
        try:
            start_agent(self._root, self._node)
        except (OSError, RuntimeError) as error:  # RuntimeError: the interpreter ends
            self._speaker.warn(
                "agent",
                f"cannot start the agent: {error}; points stay in {self._root}, send them "
                f"later with `{sync_command(self._root)}`",
            )

    def _is_served(self, now_s: float) -> bool:
        """Whether an agent is there; one that has proved itself clears the count of starts."""
        if not is_held(agent_lock_path(self._root, self._node)):
            self._held_since_s = None
            return False
        if self._held_since_s is None:
            self._held_since_s = now_s
        if now_s - self._held_since_s >= _PROVEN_S:
            self._starts_s.clear()
        return True


def sync_command(folder: str | Path) -> str:
    """Return what sends the spools below a folder, ready to be pasted into a shell."""
    import shlex

    return f"weir sync {shlex.quote(str(folder))}"


def may_start(starts_s: "deque[float]", now_s: float) -> bool:
    """Return whether another start stays within three in ten minutes."""
    return len(starts_s) < _MAX_STARTS or now_s - starts_s[0] > _STARTS_WINDOW_S


def is_held(lock_path: Path) -> bool:
    """Return whether a living process holds the lock. The agent's own flock decides in the end."""
    try:
        import fcntl
    except ImportError:  # no flock on this platform: let the agent find out
        return False
    try:
        with lock_path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except OSError:
        return True


def start_agent(root: Path, node: str) -> None:
    """Start `python -m weir.agent --root ROOT` in a session of its own.

    Raises:
        OSError: There is no Python to start, or it cannot be started.
    """
    if not sys.executable:
        raise OSError("sys.executable is not known in this process")
    with agent_log_path(root, node).open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-P", "-m", "weir.agent", "--root", str(root), "--node", node],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            close_fds=True,
            start_new_session=True,
            cwd="/",
            env=agent_environment(os.environ),
        ).returncode = 0  # it outlives us: no "still running" warning when this handle is dropped


def agent_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for the agent: without the rank, able to import this `weir`."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _RANK_VARIABLES and not name.startswith(_RANK_PREFIXES)
    }
    folders = [folder for folder in package_folders() if not folder.endswith("-packages")]
    if folders:
        kept["PYTHONPATH"] = os.pathsep.join([*folders, *_list(kept.get("PYTHONPATH", ""))])
    return kept


def child_environment() -> dict[str, str]:
    """Return what a child of ours needs to know of this process: `agent_environment` of its own."""
    return agent_environment(os.environ)


def package_folders() -> list[str]:
    """Return the folders that `weir` and `weir_proto` were imported from."""
    import weir_proto

    weir_folder = Path(__file__).resolve().parent.parent
    proto_folder = Path(weir_proto.__file__ or "").resolve().parent.parent
    return list(dict.fromkeys([str(weir_folder), str(proto_folder)]))


def _list(path_variable: str) -> list[str]:
    return [folder for folder in path_variable.split(os.pathsep) if folder]
