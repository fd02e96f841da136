"""Settings as given → settings as run: ports chosen, engines addressed, passwords made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr

from weir_server.catalog import Settings
from weir_server.config import Loaded
from weir_server.errors import StartupError
from weir_server.sql_address import door_host
from weir_server.up.data_dir import DataDir
from weir_server.up.ports import Wanted, choose_ports
from weir_server.up.probes import address, reachable_host
from weir_server.up.redis_server import socket_path

# `weir up` brings these along; a value given for one of them would not be honoured.
_OURS: Final = (
    "stream.url",
    "clickhouse.url",
    "clickhouse.user",
    "clickhouse.password",
    "clickhouse.cluster",
    "engine.path",
    "writer.shards",
)
# The writer of a shard is always the one we started: when it is killed, its successor need not
# wait as long for the lease as a stranger on another machine would.
_LEASE_S: Final = 3.0


def refuse_foreign_engines(loaded: Loaded) -> None:
    """Refuse settings that point elsewhere.

    Raises:
        StartupError: Names every one, and where it was said.
    """
    given = [f"{name} ({loaded.source(name)})" for name in _OURS if name in loaded.sources]
    if given:
        raise StartupError(
            f"weir up brings its own engines and would not honour {', '.join(given)}",
            hint="take them out, or run `weir serve gateway`, `weir serve writer` … against yours",
        )


def arrange(loaded: Loaded, data_dir: DataDir) -> Settings:
    """Return the settings that every part is started with.

    Raises:
        StartupError: Ports are taken, or settings point to other engines.
    """
    refuse_foreign_engines(loaded)
    given = loaded.settings
    ports = choose_ports(wanted_ports(given))
    password = given.engine.password.get_secret_value() or data_dir.read_or_make_password()
    engine = reachable_host(given.engine.host), ports["engine.port"]
    gateway = reachable_host(given.gateway.host), ports["gateway.port"]
    groups: dict[str, dict[str, Any]] = {
        "up": {"data_dir": data_dir.path},
        "engine": {"path": data_dir.clickhouse, "password": SecretStr(password)},
        "clickhouse": {
            "url": f"http://{address(*engine)}",
            "user": given.engine.user,
            "password": SecretStr(password),
        },
        "stream": {"url": f"unix://{socket_path(data_dir.redis)}"},
        "writer": {} if "writer.lease_s" in loaded.sources else {"lease_s": _LEASE_S},
        "rules": {} if "rules.lease_s" in loaded.sources else {"lease_s": _LEASE_S},
        "gateway": {},
        # Whoever names an S3, or another directory, keeps it.
        "objects": {} if "objects.dir" in loaded.sources else {"dir": data_dir.objects},
        "dashboard": {}
        if "dashboard.gateway" in loaded.sources
        else {"gateway": address(*gateway)},
    }
    for setting, port in ports.items():
        group, field = setting.split(".")
        groups[group][field] = port
    if "dashboard.access_dir" not in loaded.sources:
        groups["dashboard"]["access_dir"] = data_dir.access
    if "dashboard.metrics" not in loaded.sources:
        groups["dashboard"]["metrics"] = _pages(given, ports)
    return given.model_copy(
        update={
            group: getattr(given, group).model_copy(update=update)
            for group, update in groups.items()
        }
    )


def _pages(settings: Settings, ports: Mapping[str, int]) -> list[str]:
    """Return where each part of this Weir shows its /metrics."""
    parts = {
        "gateway": (settings.gateway.host, ports["gateway.metrics_port"]),
        "writer": (settings.writer.host, ports["writer.metrics_port"]),
        "rules": (settings.rules.host, ports["rules.metrics_port"]),
        "engine": (settings.engine.host, ports["engine.port"]),
    }
    return [
        f"{name}=http://{address(reachable_host(host), port)}/metrics"
        for name, (host, port) in parts.items()
    ]


def wanted_ports(settings: Settings) -> list[Wanted]:
    """Return every port that `weir up` opens."""
    wanted = [
        Wanted("gateway.port", settings.gateway.host, settings.gateway.port),
        Wanted("gateway.metrics_port", settings.gateway.host, settings.gateway.metrics_port),
        Wanted("writer.metrics_port", settings.writer.host, settings.writer.metrics_port),
        Wanted("rules.metrics_port", settings.rules.host, settings.rules.metrics_port),
        Wanted("engine.port", settings.engine.host, settings.engine.port),
    ]
    if settings.gateway.sql_port:
        wanted.append(
            Wanted("gateway.sql_port", door_host(settings.gateway), settings.gateway.sql_port)
        )
    if settings.objects.kind == "local":
        door = settings.objects.door_port
        wanted.append(Wanted("objects.door_port", settings.gateway.host, door))
    if settings.up.dashboard:
        wanted.append(Wanted("dashboard.port", settings.dashboard.host, settings.dashboard.port))
    return wanted
