"""Weir records what training jobs do: `import weir; run = weir.init(); run.log({"loss": 0.5})`.

The functions of this module, and `weir.run`, `weir.config` and `weir.summary`, speak to the run
opened last. Everything else public is named in `__all__`; the rest has an underscore and may change.
"""

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

from weir import errors
from weir._alert import AlertLevel
from weir._artifacts.artifact import Artifact
from weir._artifacts.logged import LoggedArtifact
from weir._config import Nested, Summary
from weir._fork import watch_forks
from weir._init import current_run, init
from weir._run import Level, Run, Stats
from weir._run_files import SavePolicy
from weir._seeds import seed_everything
from weir._settings import Settings
from weir._summary import Goal, Policy, Reduction
from weir._version import __version__
from weir.errors import UsageError

if TYPE_CHECKING:
    from weir._api import Api
    from weir._artifacts.used import UsedArtifact
    from weir._media import plot
    from weir._media.audio import Audio
    from weir._media.figure import Figure
    from weir._media.histogram import Histogram
    from weir._media.image import Image
    from weir._media.pointcloud import PointCloud
    from weir._media.table import Table
    from weir._media.text import Html, Markdown, Text
    from weir._media.video import Video

    run: Run | None
    config: Nested
    summary: Summary

__all__ = [
    "AlertLevel",
    "Api",
    "Artifact",
    "Audio",
    "Figure",
    "Histogram",
    "Html",
    "Image",
    "Markdown",
    "PointCloud",
    "Run",
    "Settings",
    "Stats",
    "Table",
    "Text",
    "Video",
    "__version__",
    "alert",
    "define_metric",
    "errors",
    "finish",
    "flush",
    "init",
    "log",
    "log_artifact",
    "log_model",
    "plot",
    "save",
    "seed_everything",
    "use_artifact",
]
_MEDIA = {  # loaded when they are first named
    "Audio": "weir._media.audio",
    "Figure": "weir._media.figure",
    "Histogram": "weir._media.histogram",
    "Html": "weir._media.text",
    "Image": "weir._media.image",
    "Markdown": "weir._media.text",
    "PointCloud": "weir._media.pointcloud",
    "Table": "weir._media.table",
    "Text": "weir._media.text",
    "Video": "weir._media.video",
}
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


def alert(
    title: str,
    text: str = "",
    level: AlertLevel | str | None = AlertLevel.INFO,
    wait_duration: float | timedelta | None = 0,
) -> None:
    """Say that something happened that somebody should look at; see `Run.alert`."""
    _current().alert(title, text, level, wait_duration)


def log_artifact(
    artifact: Artifact | str | os.PathLike[str],
    name: str | None = None,
    type: str | None = None,
    aliases: Iterable[str] | None = None,
    tags: Iterable[str] | None = None,
    ttl: float | timedelta | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    copy: bool | None = None,
) -> LoggedArtifact:
    """Make a version of an artifact in the current run; see `Run.log_artifact`."""
    return _current().log_artifact(
        artifact, name, type, aliases, tags, ttl, metadata=metadata, copy=copy
    )


def log_model(
    path: str | os.PathLike[str],
    name: str | None = None,
    aliases: Iterable[str] | None = None,
    registered_name: str | None = None,
    *,
    metadata: Mapping[str, Any] | None = None,
    copy: bool | None = None,
) -> LoggedArtifact:
    """Make a version of a model in the current run; see `Run.log_model`."""
    return _current().log_model(path, name, aliases, registered_name, metadata=metadata, copy=copy)


def use_artifact(reference: str) -> "UsedArtifact":
    """Read a version of an artifact, and note that the current run does; see `Run.use_artifact`."""
    return _current().use_artifact(reference)


def save(
    glob: str | os.PathLike[str],
    policy: SavePolicy = "now",
    base_path: str | os.PathLike[str] | None = None,
    *,
    copy: bool | None = None,
) -> list[str]:
    """Keep files with the current run; see `Run.save`."""
    return _current().save(glob, policy, base_path, copy=copy)


def define_metric(
    glob: str,
    step_metric: str | None = None,
    summary: Policy | None = None,
    goal: Goal | None = None,
    reduce: Reduction | None = None,
) -> None:
    """Say how metrics are drawn, summarised and put together; see `Run.define_metric`."""
    _current().define_metric(glob, step_metric, summary, goal, reduce)


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
    """`weir.Api`, media types, `weir.run` (None when no run is open), `weir.config` and `weir.summary`."""
    if name == "Api":  # loads gRPC, which training does without
        from weir._api import Api

        return Api
    if name in _MEDIA:
        found = getattr(import_module(_MEDIA[name]), name)
        globals()[name] = found
        return found
    if name == "plot":
        return import_module("weir._media.plot")
    if name not in _OF_CURRENT_RUN:
        raise AttributeError(f"module 'weir' has no attribute {name!r}")
    return current_run() if name == "run" else getattr(_current(), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_OF_CURRENT_RUN})
