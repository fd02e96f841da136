"""Weir records what training jobs do: `import weir; run = weir.init(); run.log({"loss": 0.5})`.

The functions of this module, and `weir.run`, `weir.config` and `weir.summary`, speak to the run
opened last. Everything else public is named in `__all__`; the rest has an underscore and may change.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from weir import errors
from weir._config import Nested, Summary
from weir._fork import watch_forks
from weir._init import current_run, init
from weir._run import Level, Run, Stats
from weir._settings import Settings
from weir._summary import Goal, Policy
from weir.errors import UsageError

if TYPE_CHECKING:
    from weir._api import Api

    run: Run | None
    config: Nested
    summary: Summary

__all__ = [
    "Api",
    "Run",
    "Settings",
    "Stats",
    "define_metric",
    "errors",
    "finish",
    "flush",
    "init",
    "log",
]
_OF_CURRENT_RUN = ("config", "run", "summary")  # public too, but `import *` cannot follow the run

watch_forks()


def log(
    data: Mapping[str, Any],
    step: int | None = None,
    timestamp: float | datetime | None = None,
    *,
    commit: bool = True,
) -> None:
    """Record values at a step of the current run; see `Run.log`."""
    _current().log(data, step, timestamp, commit=commit)


def define_metric(
    glob: str,
    step_metric: str | None = None,
    summary: Policy | None = None,
    goal: Goal | None = None,
) -> None:
    """Say how metrics are drawn and summarised; see `Run.define_metric`."""
    _current().define_metric(glob, step_metric, summary, goal)


def flush(level: Level = "spooled", timeout: float | None = None) -> bool:
    """Wait until everything logged so far has come to a place; see `Run.flush`."""
    return _current().flush(level, timeout)


def finish(exit_code: int = 0, timeout: float | None = None) -> None:
    """End the current run, if there is one; see `Run.finish`."""
    if (open_run := current_run()) is not None:
        open_run.finish(exit_code, timeout)


def _current() -> Run:
    open_run = current_run()
    if open_run is None:
        raise UsageError("no run is open", hint="call weir.init() first")
    return open_run


def __getattr__(name: str) -> Any:
    """`weir.Api`, `weir.run` (None when no run is open), `weir.config` and `weir.summary`."""
    if name == "Api":  # loads gRPC, which training does without
        from weir._api import Api

        return Api
    if name not in _OF_CURRENT_RUN:
        raise AttributeError(f"module 'weir' has no attribute {name!r}")
    return current_run() if name == "run" else getattr(_current(), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_OF_CURRENT_RUN})
