"""Settings on the command line: every group.field has its flag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from weir_server.catalog import ROLES, allowed, list_settings
from weir_server.config import Loaded, load


def settings_flags(role: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--config` and the flag of every setting that a process of this role reads.

    They are left out of `--help`, which would be pages long: docs/settings.md has them.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for setting in reversed(list(list_settings(*ROLES[role]))):
            command = click.option(
                setting.flag,
                _parameter(setting.name),
                metavar=allowed(setting).upper(),
                help=setting.info.description,
                hidden=True,
            )(command)
        return click.option(
            "--config",
            "config_file",
            type=click.Path(path_type=Path),
            help="TOML file of settings; else WEIR_CONFIG, else ./weir.toml.",
        )(command)

    return decorate


def load_given(parameters: Mapping[str, Any], **shorthands: str | None) -> Loaded:
    """Load the settings with the flags that were given.

    Args:
        parameters: What click passed to a command that has `settings_flags`.
        **shorthands: Values of shorter flags by parameter name, e.g. `up__data_dir`; None = not
            given. They win over the long ones.

    Raises:
        StartupError: Something is wrong; the message lists every fault.
    """
    given = {**parameters, **{name: value for name, value in shorthands.items() if value}}
    flags = {
        name.replace("__", ".", 1): value
        for name, value in given.items()
        if "__" in name and value is not None
    }
    return load(flags, file=parameters.get("config_file"))


def _parameter(name: str) -> str:
    return name.replace(".", "__")
