"""weir-up.json: where the doors of a running Weir are, and which processes it is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from weir_server.up.data_dir import DataDir, write_private


@dataclass(frozen=True, slots=True)
class PartState:
    """One child process.

    Attributes:
        pid: Its process id, which is also its process group.
        started_unix_s: When it was born, as psutil tells it; with `pid` it names one process.
        restarts: Times it was started again.
    """

    pid: int
    started_unix_s: float
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class State:
    """What is written to weir-up.json."""

    pid: int
    gateway: str
    dashboard: str  # "" = not started
    clickhouse: Mapping[str, str]  # url, user, password
    stream: str
    metrics: Mapping[str, str]  # gateway, writer, rules: URLs
    objects: str = ""  # the door to the object directory; "" = none, the objects are in an S3
    sql: str = ""  # where tools ask SQL; "" = nowhere
    ready: bool = False
    parts: Mapping[str, PartState] = field(default_factory=dict)


def write_state(data_dir: DataDir, state: State) -> None:
    """Replace weir-up.json in one step; only this user may read it."""
    write_private(data_dir.state_file, json.dumps(asdict(state), indent=1) + "\n")


def read_parts(data_dir: DataDir) -> dict[str, PartState]:
    """Return the processes noted last; none when there is no readable note."""
    try:
        noted: Any = json.loads(data_dir.state_file.read_text(encoding="utf-8"))
        return {name: PartState(**part) for name, part in noted["parts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


@dataclass(frozen=True, slots=True)
class Running:
    """A `weir up` that runs, as others need to know it."""

    pid: int
    gateway: str
    dashboard: str
    stream: str
    clickhouse: Mapping[str, str]
    objects: str = ""


def read_running(path: Path) -> Running | None:
    """Return the `weir up` that runs in a data directory, or None when none does."""
    try:
        noted: Any = json.loads(DataDir(path.absolute()).state_file.read_text(encoding="utf-8"))
        running = Running(**{name: noted[name] for name in Running.__dataclass_fields__})
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return running if psutil.pid_exists(running.pid) else None


def remove_state(data_dir: DataDir) -> None:
    """Forget the note: nothing runs any more."""
    data_dir.state_file.unlink(missing_ok=True)
