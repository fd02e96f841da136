"""The server's commands: up, serve, migrate, config, doctor, token; deadletter has its own package."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

import click

from weir_server.catalog import list_settings, shown
from weir_server.config import variables
from weir_server.deadletter.commands import deadletter
from weir_server.flags import load_given, settings_flags
from weir_server.log import configure_logs
from weir_server.plain_words import in_words

_EVERY_SETTING: Final = "Every setting in docs/settings.md is a flag too, e.g. --gateway.port 7800."


@click.command(epilog=_EVERY_SETTING)
@settings_flags("up")
@click.option("--data-dir", metavar="DIR", help="The one data directory (up.data_dir).")
@click.option("--port", metavar="N", help="Port of the gateway (gateway.port).")
@click.option("--no-dashboard", is_flag=True, help="Leave the dashboard out (up.dashboard).")
@in_words
def up(data_dir: str | None, port: str | None, *, no_dashboard: bool, **flags: Any) -> NoReturn:
    """Start Weir on this machine: Redis, ClickHouse engine, writer, gateway, rules, dashboard."""
    from weir_server.up.serve import serve

    loaded = load_given(
        flags,
        up__data_dir=data_dir,
        gateway__port=port,
        up__dashboard="false" if no_dashboard else None,
    )
    sys.exit(serve(loaded))


@click.group()
def serve() -> None:
    """Run one process of a cluster."""


@serve.command(epilog=_EVERY_SETTING)
@settings_flags("gateway")
@in_words
def gateway(**flags: Any) -> NoReturn:
    """Run a gateway: the gRPC door for agents and questions."""
    from weir_server.gateway.serve import serve

    settings = load_given(flags).settings
    configure_logs(settings.log, service="gateway")
    sys.exit(serve(settings.gateway, settings.stream, settings.clickhouse, settings.objects))


@serve.command(epilog=_EVERY_SETTING)
@settings_flags("writer")
@in_words
def writer(**flags: Any) -> NoReturn:
    """Run a writer: from the stream into ClickHouse."""
    from weir_server.writer.serve import serve

    settings = load_given(flags).settings
    configure_logs(settings.log, service="writer")
    sys.exit(serve(settings.writer, settings.stream, settings.clickhouse))


@serve.command(epilog=_EVERY_SETTING)
@settings_flags("rules")
@in_words
def rules(**flags: Any) -> NoReturn:
    """Evaluate rules, raise alerts, carry out their actions."""
    from weir_server.rules.serve import serve

    settings = load_given(flags).settings
    configure_logs(settings.log, service="rules")
    sys.exit(serve(settings.rules, settings.gateway, settings.stream, settings.clickhouse))


@serve.command(epilog=_EVERY_SETTING)
@settings_flags("engine")
@in_words
def engine(**flags: Any) -> NoReturn:
    """Run the embedded ClickHouse engine alone."""
    from weir_server.engine.serve import serve

    settings = load_given(flags).settings
    configure_logs(settings.log, service="engine")
    sys.exit(serve(settings.engine))


@serve.command(epilog=_EVERY_SETTING)
@settings_flags("dashboard")
@in_words
def dashboard(**flags: Any) -> NoReturn:
    """Run a dashboard."""
    from weir_server.dashboard import command_line

    settings = load_given(flags).settings
    command = command_line(settings)
    environment = {**os.environ, **variables(settings)}  # noqa: TID251 - handed on, not read
    os.execve(command[0], command, environment)


@click.command(epilog=_EVERY_SETTING)
@settings_flags("migrate")
@click.option(
    "--sql-users", is_flag=True, help="Make users of ClickHouse from the tokens file, too."
)
@click.option("--print-sql-users", is_flag=True, help="Only print the SQL that would make them.")
@in_words
def migrate(*, sql_users: bool, print_sql_users: bool, **flags: Any) -> None:
    """Bring the tables to what this release needs; safe to repeat."""
    from weir_server.sql_users import apply_users, plan_users
    from weir_server.store import connect_store
    from weir_store.migrate import migrate as apply_missing

    settings = load_given(flags).settings
    store = settings.clickhouse
    if print_sql_users:
        for statement in plan_users(settings.gateway, store, []):
            click.echo(f"{statement};")
        return
    clickhouse = connect_store(store)
    try:
        applied = apply_missing(clickhouse, store.database, store.cluster)
        click.echo(f"applied {', '.join(applied)}" if applied else "the tables are up to date")
        if sql_users:
            made = apply_users(clickhouse, settings.gateway, store)
            click.echo(f"users of ClickHouse: {', '.join(made) or 'none'}")
    finally:
        clickhouse.close()


@click.command()
@settings_flags("up")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@in_words
def config(*, as_json: bool, **flags: Any) -> None:
    """Show every setting of the server, its value and where it came from; secrets are masked."""
    loaded = load_given(flags)
    rows = [
        (setting.name, shown(setting, loaded.value(setting)), loaded.source(setting.name))
        for setting in list_settings()
    ]
    if as_json:
        found = {name: {"value": value, "source": source} for name, value, source in rows}
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    width = max(len(name) for name, _, _ in rows)
    value_width = min(40, max(len(value) for _, value, _ in rows))
    for name, value, source in rows:
        click.echo(f"{name:<{width}}  {value:<{value_width}}  {source}")


@click.command(epilog=_EVERY_SETTING)
@settings_flags("up")
@click.option("--data-dir", metavar="DIR", help="Examine the Weir of this data directory.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
@in_words
def doctor(data_dir: str | None, *, as_json: bool, **flags: Any) -> NoReturn:
    """Examine settings, engines, disk, ports and clocks; say what to do about each finding."""
    from weir_server.doctor import examine, exit_code

    findings = list(examine(load_given(flags, up__data_dir=data_dir)))
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=1))
    else:
        for finding in findings:
            click.echo(finding.line())
    sys.exit(exit_code(findings))


@click.group()
def token() -> None:
    """Make, list and revoke tokens: who may come in."""


_tokens_file = click.option(
    "--file",
    "path",
    type=click.Path(path_type=Path),
    help="The tokens file; else gateway.tokens_file, else ./tokens.toml.",
)


@token.command("create")
@_tokens_file
@click.option("--name", required=True, help="Whose it is.")
@click.option(
    "--role", type=click.Choice(["reader", "writer", "admin"]), default="writer", show_default=True
)
@click.option("--project", "projects", multiple=True, help="A project; repeat it. '*' = all.")
@in_words
def create_token(path: Path | None, name: str, role: str, projects: tuple[str, ...]) -> None:
    """Make a token and print it, once: it is kept nowhere."""
    from weir_server.gateway import tokens

    path = _tokens_path(path)
    secret = tokens.create_token(path, name=name, role=tokens.Role(role), projects=projects)
    click.echo(secret)
    click.echo(f"noted in {path}; clients need WEIR_TOKEN={secret}", err=True)


@token.command("list")
@_tokens_file
@in_words
def list_tokens(path: Path | None) -> None:
    """List names, roles and projects."""
    from weir_server.gateway import tokens

    found = tokens.read_tokens(_tokens_path(path))
    for entry in found:
        click.echo(f"{entry.name:<24}  {entry.role.value:<6}  {', '.join(entry.projects)}")
    if not found:
        click.echo(f"there are no tokens in {_tokens_path(path)}", err=True)


@token.command("revoke")
@_tokens_file
@click.argument("name")
@in_words
def revoke_token(path: Path | None, name: str) -> None:
    """Take a token out of the file."""
    from weir_server.gateway import tokens

    tokens.revoke_token(_tokens_path(path), name)
    click.echo(f"revoked {name}")


def _tokens_path(given: Path | None) -> Path:
    return given or load_given({}).settings.gateway.tokens_file or Path("tokens.toml")


commands: Final[tuple[click.Command, ...]] = (
    up,
    serve,
    migrate,
    config,
    doctor,
    token,
    deadletter,
)
