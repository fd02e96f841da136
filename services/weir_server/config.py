"""Loading the settings: flag > environment > file > default, and where each value came from.

`load()` reports every fault at once, with field, value, source and what is allowed.
`python -m weir_server.config --docs` writes docs/settings.md.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsError, TomlConfigSettingsSource

from weir_server.catalog import MASK, PREFIX, Setting, Settings, allowed, list_settings, shown
from weir_server.errors import StartupError
from weir_server.settings import read_config_file

DEFAULT_FILE: Final = Path("weir.toml")
_CLIENT_GROUP: Final = "client"  # the same file may hold the SDK's settings; they are not ours


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and the source of each value that is not a default."""

    settings: Settings
    sources: Mapping[str, str]

    def source(self, name: str) -> str:
        """Return `flag`, `environment`, the file's path, or `default`."""
        return self.sources.get(name, "default")

    def value(self, setting: Setting) -> Any:
        """Return the effective value, secrets included."""
        return getattr(getattr(self.settings, setting.group), setting.field)


def load(flags: Mapping[str, str] | None = None, *, file: Path | None = None) -> Loaded:
    """Read, merge and check every setting.

    Args:
        flags: Values from the command line by setting name, e.g. `{"gateway.port": "7800"}`.
        file: The TOML file; None = the one WEIR_CONFIG names, else ./weir.toml if there is one.

    Raises:
        StartupError: Something is wrong; the message lists every fault.
    """
    merged: dict[str, dict[str, Any]] = {}
    sources: dict[str, str] = {}
    faults: list[str] = []
    for source, groups in _layers(flags or {}, file, faults):
        for group, fields in groups.items():
            if not isinstance(fields, Mapping):
                faults.append(f"{group} ({source}): is a group; write {group}.<field>")
                continue
            for field, value in fields.items():
                merged.setdefault(group, {})[field] = value
                sources[f"{group}.{field}"] = source
    try:
        loaded = Loaded(Settings.model_validate(merged), sources)
    except ValidationError as error:
        faults += [_fault(detail, sources) for detail in error.errors(include_url=False)]
    else:
        faults += _faults_together(loaded)
    if faults:
        raise StartupError(
            "\n  ".join(["the settings cannot be used", *faults])
            + "\nsee docs/settings.md, or `weir config` for every value and its source"
        )
    return loaded


def variables(settings: Settings) -> dict[str, str]:
    """Return the environment that makes another process load exactly these settings."""
    found = {"WEIR_CONFIG": "/dev/null"}  # no file may add to what is said here
    for setting in list_settings():
        value = getattr(getattr(settings, setting.group), setting.field)
        if value is not None:
            found[setting.variable] = _as_variable(value)
    return found


def _as_variable(value: Any) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)


# ── the sources ────────────────────────────────────────────────────────────


def _layers(
    flags: Mapping[str, str], file: Path | None, faults: list[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each source and its groups, weakest first."""
    yield from _read_file(file, faults)
    try:
        environment = EnvSettingsSource(Settings)
        faults += _unknown_variables(environment.env_vars)
        yield "environment", environment()
    except SettingsError as error:
        faults.append(f"environment: {error}".splitlines()[0])
    given: dict[str, Any] = {}
    for name, value in flags.items():
        group, _, field = name.partition(".")
        given.setdefault(group, {})[field] = value
    yield "flag", given


def _read_file(file: Path | None, faults: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    file = file or read_config_file()
    path = file or DEFAULT_FILE
    if not path.exists():
        if file is not None:
            faults.append(f"{path}: no such file (named by --config or WEIR_CONFIG)")
        return
    try:
        groups = TomlConfigSettingsSource(Settings, path).toml_data
    except (OSError, ValueError) as error:
        faults.append(f"{path}: {error}")
        return
    yield str(path), {name: value for name, value in groups.items() if name != _CLIENT_GROUP}


def _unknown_variables(names: Mapping[str, Any]) -> Iterator[str]:
    """Yield a fault for every WEIR_GROUP__FIELD whose group does not exist."""
    for name in names:
        group, delimiter, _ = name.removeprefix(PREFIX.lower()).partition("__")
        ours = name.startswith(PREFIX.lower()) and delimiter
        if ours and group not in (*Settings.model_fields, _CLIENT_GROUP):
            yield f"{name.upper()} (environment): there is no group {group}" + _meant(
                group, Settings.model_fields
            )


# ── the faults ─────────────────────────────────────────────────────────────


def _fault(detail: ErrorDetails, sources: Mapping[str, str]) -> str:
    group, field, *_ = (*map(str, detail["loc"]), "", "")
    name = f"{group}.{field}".rstrip(".")
    source = sources.get(name, "default")
    known = {setting.name: setting for setting in list_settings()}
    if name not in known:
        if group not in Settings.model_fields:
            return f"{group} ({source}): there is no such group" + _meant(
                group, Settings.model_fields
            )
        return f"{name} ({source}): there is no such setting" + _meant(name, known)
    setting = known[name]
    value = MASK if setting.secret else repr(detail["input"])
    return f"{name} = {value} ({source}): must be {allowed(setting)}; {setting.info.description}"


def _faults_together(loaded: Loaded) -> Iterator[str]:
    """Yield what is wrong between settings that are each right by themselves."""
    gateway = loaded.settings.gateway
    if (gateway.tls_cert is None) != (gateway.tls_key is None):
        yield "gateway.tls_cert and gateway.tls_key: give both or neither"
    for name, path in (
        ("tls_cert", gateway.tls_cert),
        ("tls_key", gateway.tls_key),
        ("tokens_file", gateway.tokens_file),
    ):
        if path is not None and not path.is_file():
            yield f"gateway.{name} = {path} ({loaded.source(f'gateway.{name}')}): no such file"


def _meant(name: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


# ── the page ───────────────────────────────────────────────────────────────

_PAGE_HEAD: Final = """# Settings

<!-- Generated from services/weir_server/settings.py by `python -m weir_server.config --docs`. -->

Flag > environment > file > default. `gateway.port` is the flag `--gateway.port`, the variable `WEIR_GATEWAY__PORT` and
`port` under `[gateway]` in `weir.toml` (or the file that `WEIR_CONFIG` or `--config` names). `weir config` prints every
value with its source; faults are reported all at once, before any port opens.
The SDK's own settings are shown by `weir config`.
"""


def page() -> str:
    """Return docs/settings.md."""
    lines = [_PAGE_HEAD]
    for group, model in Settings.model_fields.items():
        kind = model.annotation
        assert isinstance(kind, type)
        purpose = (kind.__doc__ or "").strip().splitlines()[0]
        lines += [f"## {group}", "", purpose, "", "| setting | default | may be | what |"]
        lines += ["|---|---|---|---|"]
        for setting in list_settings(group):
            default = shown(setting, setting.info.default)
            lines.append(
                f"| `{setting.name}` | {f'`{default}`' if default != 'none' else '–'} "
                f"| {allowed(setting).replace('|', chr(92) + '|')} | {setting.info.description} |"
            )
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:] != ["--docs"]:
        sys.exit("usage: python -m weir_server.config --docs > docs/settings.md")
    sys.stdout.write(page())
