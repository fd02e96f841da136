"""The client's settings: argument > environment > file > default, checked together, then frozen."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from weir._names import MAX_ID_BYTES, name_fault
from weir.errors import ConfigError

MODES: Final = ("online", "offline", "disabled")
RESUMES: Final = ("", "allow", "must", "never", "auto")
FSYNCS: Final = ("second", "never")
ON_FULLS: Final = ("drop_newest", "block", "raise")
CONSOLES: Final = ("auto", "fd", "wrap", "off")
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "off")
PREEMPT_SIGNALS: Final = ("", "USR1", "USR2", "TERM", "INT", "HUP")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


def _setting(default: Any, help: str, **bounds: Any) -> Any:
    shown = not bounds.get("secret", False)
    return field(default=default, repr=shown, metadata={"help": help, **bounds})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the client behaves. `Settings(…)` is exactly what it says; `Settings.load()` looks around.

    Every field can also be given as `WEIR_<NAME>`, or under `[client]` in `weir.toml`.
    """

    project: str = _setting("default", "project that runs belong to")
    run_id: str = _setting("", "run to log to; made up, or taken from the launcher, when empty")
    name: str = _setting("", "display name of the run")
    group: str = _setting("", "group of the run")
    job_type: str = _setting("", "what kind of work the run does, e.g. train or eval")
    tags: tuple[str, ...] = _setting((), "tags of the run, comma separated")
    notes: str = _setting("", "notes on the run")
    resume: str = _setting("", "allow, must, never or auto; empty = just log", choices=RESUMES)
    resume_from: str = _setting("", "RUN_ID?_step=N: rewind that run to step N and go on")
    fork_from: str = _setting("", "RUN_ID?_step=N: begin a run with that one's points up to step N")
    mode: str = _setting("online", "online, offline (spool only) or disabled", choices=MODES)
    server: str = _setting("127.0.0.1:7700", "host:port of the gateway, or grpcs://host:port")
    token: str = _setting("", "token that says who you are", secret=True)
    dir: str = _setting(".weir", "spool root; node-local disks are fastest")
    role: str = _setting("", "what the process does in the run; empty = trainer")
    node: str = _setting("", "name of this node; empty = the host name")
    strict: bool = _setting(False, "raise on values that cannot be logged instead of dropping them")
    every_rank_describes: bool = _setting(
        False, "ranks other than 0 record the name, notes, tags and config given to init() too"
    )
    flush_interval_s: float = _setting(
        0.1, "how often points go from memory to the spool", minimum=0.01, maximum=60
    )
    heartbeat_s: float = _setting(
        15.0, "longest silence of a living process", minimum=0.1, maximum=3600
    )
    queue_max_bytes: int = _setting(
        64 << 20, "memory for points that the disk does not take", minimum=1 << 10
    )
    spool_max_bytes: int = _setting(
        20 << 30, "disk for points that the server has not committed, per process", minimum=1 << 16
    )
    spool_free_share: float = _setting(
        0.1, "… and at most this share of the free disk", minimum=0.001, maximum=1
    )
    on_full: str = _setting(
        "drop_newest",
        "what log() does when disk and memory are at their bound: drop_newest (counted), block "
        "(wait for room) or raise",
        choices=ON_FULLS,
    )
    preempt_signal: str = _setting(
        "",
        "signal that announces the end of this job, e.g. USR1: recorded and flushed, training "
        "goes on; empty = no signal is listened to",
        choices=PREEMPT_SIGNALS,
    )
    finish_timeout_s: float = _setting(
        30.0, "how long finish() waits until everything is committed", minimum=0, maximum=86_400
    )
    exit_timeout_s: float = _setting(
        10.0, "the same at interpreter exit without finish()", minimum=0, maximum=86_400
    )
    resume_timeout_s: float = _setting(
        30.0, "how long init(resume=…) waits for the server", minimum=0, maximum=3600
    )
    agent_idle_s: float = _setting(
        30.0, "how long the agent stays when there is nothing left to do", minimum=0, maximum=86_400
    )
    fsync: str = _setting(
        "second", "bring spools to the disk every second, or never", choices=FSYNCS
    )
    agent: bool = _setting(
        True,
        "start this node's agent; without it nothing is sent (`weir sync` does), and nothing but "
        "what log() takes is recorded",
    )
    console: str = _setting(
        "auto",
        "what is printed is recorded: fd (all that the process and its children write), wrap "
        "(only what Python writes), auto (fd where that is safe), off",
        choices=CONSOLES,
    )
    console_lines_per_s: float = _setting(
        1_000.0, "lines recorded per second, over a minute; the rest is counted", minimum=1
    )
    logging_level: str = _setting(
        "INFO", "lowest level of Python's logging that is recorded; off = none", choices=LEVELS
    )
    system: bool = _setting(True, "the agent measures the node: CPU, memory, disk, network, GPU")
    system_period_s: float = _setting(
        10.0, "how often the node is measured", minimum=1, maximum=3600
    )
    gpu_period_s: float = _setting(
        5.0, "how often GPUs and other accelerators are", minimum=1, maximum=3600
    )
    openmetrics: tuple[str, ...] = _setting(
        (), "pages of metrics to record too, comma separated: name=http://…[#prefix of metrics]"
    )
    record_git: bool = _setting(True, "record commit, branch, remote and whether files changed")
    record_diff: bool = _setting(True, "record what is not committed, and names of untracked files")
    record_code: bool = _setting(False, "keep a copy of the code (see Run.log_code)")
    record_command: bool = _setting(True, "record command line, interpreter, working directory")
    record_packages: bool = _setting(True, "record installed packages and their versions")
    record_machine: bool = _setting(True, "record OS, CPU, memory, GPUs and their drivers")
    record_variables: bool = _setting(
        True, "record environment variables of schedulers, containers and CUDA; never secrets"
    )
    record_seeds: bool = _setting(True, "record the random seeds in use")
    media_max_mb: float = _setting(
        100.0, "most that one logged image, sound, video … may take", minimum=0.01, maximum=4096
    )
    media_queue_mb: float = _setting(
        256.0, "memory for copies of media that wait to be encoded", minimum=1
    )
    upload_threads: int = _setting(4, "files uploaded at the same time", minimum=1, maximum=64)
    upload_mb_per_s: float = _setting(0.0, "bandwidth for uploads; 0 = no limit", minimum=0)
    artifact_cache: str = _setting(
        "~/.cache/weir/artifacts", "keeps files that were downloaded, by their content"
    )
    artifact_cache_gb: float = _setting(
        20.0, "size of that; the longest unused go first; 0 = keep nothing", minimum=0
    )
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(cls, **arguments: Any) -> Self:
        """Resolve every setting: argument > environment > file > default.

        Args:
            **arguments: Settings given in code; None means not given.

        Raises:
            ConfigError: Values are missing, unknown or out of bounds; lists them all.
        """
        return cls.resolve(arguments, os.environ, default_files())

    @classmethod
    def resolve(
        cls,
        arguments: Mapping[str, Any],
        environ: Mapping[str, str],
        files: tuple[Path, ...] = (),
    ) -> Self:
        """Do what `load` does, from the given environment and files, earlier files first."""
        faults: list[str] = []
        layers = [
            ("argument", {key: value for key, value in arguments.items() if value is not None}),
            *((str(path), _read_file(path, faults)) for path in files),
        ]
        faults += [
            f"{key} is not a setting ({source})"
            for source, values in layers
            for key in values
            if key not in _FIELDS
        ]
        layers.insert(1, ("environment", _from_environ(environ)))
        values, sources = _choose(layers, faults)
        settings = cls(**values, sources=sources)
        faults += settings.faults()
        if faults:
            raise ConfigError("; ".join(faults), hint="see docs/settings.md or `weir config`")
        return settings

    def faults(self) -> list[str]:
        """Return what is wrong with the values; empty when nothing is."""
        found = [fault for name in _FIELDS if (fault := self._fault(name))]
        for name in ("project", "run_id"):
            value = getattr(self, name)
            fault = name_fault(value, max_bytes=MAX_ID_BYTES) if value else None
            found += [f"{name} = {value!r}: {fault}"] if fault else []
        found += [
            f"openmetrics = {page!r} is not name=http://…"
            for page in self.openmetrics
            if not page.partition("=")[2].startswith(("http://", "https://"))
        ]
        return found if self.project else [*found, "project must not be empty"]

    def describe(self) -> Iterator[tuple[str, str, str]]:
        """Iterate over (name, value, where it came from); secrets are masked."""
        for name, declared in _FIELDS.items():
            value = getattr(self, name)
            shown = "***" if declared.metadata.get("secret") and value else _show(value)
            yield name, shown, self.sources.get(name, "default")

    def _fault(self, name: str) -> str | None:
        value, rules = getattr(self, name), _FIELDS[name].metadata
        if "choices" in rules and value not in rules["choices"]:
            words = ", ".join(choice for choice in rules["choices"] if choice)
            return f"{name} = {value!r} is none of {words}"
        if "minimum" in rules and not value >= rules["minimum"]:
            return f"{name} = {value} is below {rules['minimum']}"
        if "maximum" in rules and not value <= rules["maximum"]:
            return f"{name} = {value} is above {rules['maximum']}"
        return None


_FIELDS: Final = {declared.name: declared for declared in fields(Settings)}
del _FIELDS["sources"]

RECORDS: Final = tuple(name for name in _FIELDS if name.startswith("record_"))
"""Settings that switch off, one by one, what a run records of its inputs."""


def read_fault() -> str:
    """Return WEIR_FAULT, where fault tests let this process die (docs/faults.md); mostly empty."""
    return os.environ.get("WEIR_FAULT", "")


def default_files() -> tuple[Path, ...]:
    """Return the settings files looked at: the working directory's before the user's."""
    return Path("weir.toml"), Path("~/.config/weir/weir.toml").expanduser()


def _read_file(path: Path, faults: list[str]) -> dict[str, Any]:
    try:
        section = tomllib.loads(path.read_text()).get("client", {})
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    except (OSError, ValueError) as error:
        faults.append(f"{path} cannot be read: {error}")
        return {}
    if not isinstance(section, dict):
        faults.append(f"{path}: client must be a table")
        return {}
    return section


def _from_environ(environ: Mapping[str, str]) -> dict[str, str]:
    found = ((name, environ.get(f"WEIR_{name.upper()}")) for name in _FIELDS)
    return {name: value for name, value in found if value}


def _choose(
    layers: list[tuple[str, dict[str, Any]]], faults: list[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Pick each setting from the first layer that has it; a value that cannot be read is a fault."""
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for name, declared in _FIELDS.items():
        source, raw = next(
            ((source, layer[name]) for source, layer in layers if name in layer),
            ("default", MISSING),
        )
        if raw is MISSING:
            continue
        try:
            values[name] = _CONVERTERS[type(declared.default)](raw)
            sources[name] = f"WEIR_{name.upper()}" if source == "environment" else source
        except (TypeError, ValueError):
            wanted = type(declared.default).__name__
            faults.append(f"{name} = {raw!r} is not {wanted} ({source})")
    return values, sources


def _to_bool(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text not in _TRUE | _FALSE:
        raise ValueError(raw)
    return text in _TRUE


def _to_int(raw: Any) -> int:
    if isinstance(raw, bool) or (isinstance(raw, float) and not raw.is_integer()):
        raise ValueError(raw)
    return int(raw)


def _to_float(raw: Any) -> float:
    if isinstance(raw, bool):
        raise ValueError(raw)
    return float(raw)


def _to_str(raw: Any) -> str:
    if not isinstance(raw, (str, os.PathLike)):
        raise ValueError(raw)
    return os.fspath(raw) if isinstance(raw, os.PathLike) else str(raw)


def _to_tuple(raw: Any) -> tuple[str, ...]:
    parts = raw.split(",") if isinstance(raw, str) else raw
    return tuple(_to_str(part).strip() for part in parts if part)


_CONVERTERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_str,
    tuple: _to_tuple,
}


def _show(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
