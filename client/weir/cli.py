"""The `weir` command: what people type on a training machine, and, when installed, the server's.

Commands of the server come from the entry-point group `weir.commands`: an iterable of click
commands. One that is called `config` becomes `weir config --server`.
"""

import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import entry_points

import click

from weir._agent_command import agent
from weir._config_command import config
from weir._status_command import status
from weir._sync_command import sync
from weir._version import __version__
from weir.errors import WeirError

_INSTALL_SERVER = 'install it with `pip install "weir[server]"`'


def main() -> None:
    """Run the command line."""
    try:
        weir_command()()
    except WeirError as error:
        raise SystemExit(f"weir: {error}") from error


def weir_command() -> click.Group:
    """Return the `weir` command with every command that is installed here."""
    group = click.Group("weir", help="Weir records what training jobs do.")
    click.version_option(__version__, prog_name="weir")(group)
    for command in (sync, status, agent, config, *_api_commands()):
        group.add_command(command)
    try:
        _add_server_commands(group)
    except ImportError as error:
        _explain_missing_server(group, error)
    return group


def _api_commands() -> Iterable[click.Command]:
    yield from import_module("weir._api_commands").COMMANDS
    yield import_module("weir._verify_command").verify
    yield import_module("weir._logs_command").logs
    yield import_module("weir._edit_command").edit
    yield from import_module("weir._delete_command").COMMANDS
    yield import_module("weir._hold_command").hold
    yield import_module("weir._retention_command").retention
    yield import_module("weir._cold_command").cold
    yield import_module("weir._artifact_command").artifact
    yield import_module("weir._model_command").model
    yield import_module("weir._diff_command").diff
    yield import_module("weir._rules_command").rules
    yield import_module("weir._sql_command").sql
    yield import_module("weir._ranks_command").ranks
    yield import_module("weir._report_command").report
    yield from import_module("weir._reproduce_command").COMMANDS
    yield from import_module("weir._export_command").COMMANDS


def _add_server_commands(group: click.Group) -> None:
    for entry_point in entry_points(group="weir.commands"):
        for command in entry_point.load():
            if command.name == "config":
                group.context_settings["obj"] = {"server_config": command}
            else:
                group.add_command(command)


def _explain_missing_server(group: click.Group, error: ImportError) -> None:
    """Say why there are no server commands, when somebody asks for one."""
    group.epilog = f"The server's commands are not here ({error}); {_INSTALL_SERVER}."
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    if asked and asked not in group.commands:
        raise SystemExit(f"weir: `weir {asked}` needs the server ({error}) — {_INSTALL_SERVER}")


if __name__ == "__main__":
    main()
