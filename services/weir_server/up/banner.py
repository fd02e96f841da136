"""What people see once everything is ready. Pure."""

from __future__ import annotations

from typing import Final

from weir_server.catalog import Settings
from weir_server.up.data_dir import DataDir
from weir_server.up.plan import dashboard_url, gateway_address, objects_place, sql_url
from weir_server.up.probes import is_loopback

_CLIENT_DEFAULT: Final = "127.0.0.1:7700"


def banner(settings: Settings, data_dir: DataDir, took_s: float) -> str:
    """Return the doors of a running Weir and the three lines to paste into a script."""
    face = dashboard_url(settings) if settings.up.dashboard else "not started (--no-dashboard)"
    store = f"user {settings.clickhouse.user}, password in {data_dir.path / 'engine.password'}"
    lines = [
        "",
        f"  Weir is up after {took_s:.1f} s. Ctrl-C stops it.",
        "",
        f"  dashboard   {face}",
        f"  gateway     {gateway_address(settings)}",
        f"  sql         {_sql_door(settings)}",
        f"  clickhouse  {settings.clickhouse.url}  ({store})",
        f"  objects     {objects_place(settings)}",
        f"  data        {data_dir.path}",
        "",
        "  In a training script:",
        "",
        "      import weir",
        f"      run = weir.init({_arguments(settings)})",
        '      run.log({"loss": 0.1})',
        "",
    ]
    if warning := _open_door(settings):
        lines += [f"  {warning}", ""]
    return "\n".join(lines)


def _sql_door(settings: Settings) -> str:
    if not (url := sql_url(settings)):
        return "no door for other tools (gateway.sql_port = 0)"
    who = "any user, a token as password" if settings.gateway.tokens_file else "no password"
    return f"{url}  (ClickHouse HTTP, {who})"


def _arguments(settings: Settings) -> str:
    address = gateway_address(settings)
    project = '"my-project"'
    if address == _CLIENT_DEFAULT:
        return project
    return f'{project}, settings={{"server": "{address}"}}'


def _open_door(settings: Settings) -> str:
    """Return a warning when strangers on the network may come in."""
    if settings.gateway.tokens_file or is_loopback(settings.gateway.host):
        return ""
    return (
        f"Anybody who reaches {settings.gateway.host} may read and write: "
        "make tokens with `weir token create` and set gateway.tokens_file."
    )
