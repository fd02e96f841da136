"""The parts of `weir up`, the order they start in, and how each says that it is ready. Pure.

redis, engine ─▶ migrate (once) ─▶ writer, gateway, rules ─▶ dashboard
Stopping goes the other way: nobody outlives what it needs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from weir_server import dashboard
from weir_server.catalog import Settings
from weir_server.config import variables
from weir_server.sql_address import door_host
from weir_server.up.data_dir import DataDir
from weir_server.up.part import PartSpec
from weir_server.up.probes import (
    address,
    http_answers,
    port_answers,
    reachable_host,
    redis_answers,
)
from weir_server.up.redis_server import command_line, socket_path

_MODULE: Final = (sys.executable, "-P", "-m", "weir_server")
# Redis reads its file back and the engine its parts: minutes, when there is much of either.
_ENGINE_READY_S: Final = 300.0
_READY_S: Final = 90.0
# … and they hold data: killing one that is only slow costs more than waiting.
_ENGINE_PATIENCE: Final = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Parts that start side by side, stage after stage."""

    engines: tuple[PartSpec, ...]
    migrate: PartSpec
    services: tuple[PartSpec, ...]
    faces: tuple[PartSpec, ...]


def make_plan(settings: Settings, data_dir: DataDir, redis_binary: Path) -> Plan:
    """Return what to run for settings that `arrange` has completed."""
    known = variables(settings)
    socket = socket_path(data_dir.redis)
    redis = command_line(redis_binary, data_dir.redis, socket, settings.up.redis_max_bytes)

    def part(
        name: str,
        command: tuple[str, ...],
        ready: Callable[[], bool],
        *,
        ready_within_s: float = _READY_S,
        stop_within_s: float,
        alive: Callable[[], bool] | None = None,
        patience_s: float = settings.up.patience_s,
    ) -> PartSpec:
        return PartSpec(
            name,
            command,
            known,
            data_dir.log_file(name),
            ready,
            ready_within_s,
            stop_within_s,
            alive or ready,
            patience_s,
        )

    gateway, writer, rules = settings.gateway, settings.writer, settings.rules
    engine_patience_s = _ENGINE_PATIENCE * settings.up.patience_s
    return Plan(
        engines=(
            part(
                "redis",
                tuple(redis),
                lambda: redis_answers(socket),
                ready_within_s=_ENGINE_READY_S,
                stop_within_s=30,
                patience_s=engine_patience_s,
            ),
            part(
                "engine",
                (*_MODULE, "serve", "engine"),
                lambda: http_answers(f"{settings.clickhouse.url}/ping"),
                ready_within_s=_ENGINE_READY_S,
                stop_within_s=30,
                patience_s=engine_patience_s,
            ),
        ),
        migrate=part("migrate", (*_MODULE, "migrate"), lambda: True, stop_within_s=0),
        services=(
            part(
                "writer",
                (*_MODULE, "serve", "writer"),
                lambda: http_answers(alive_url(writer.host, writer.metrics_port)),
                stop_within_s=30,
            ),
            part(
                "gateway",
                (*_MODULE, "serve", "gateway"),
                lambda: port_answers(reachable_host(gateway.host), gateway.port),
                stop_within_s=gateway.drain_s + 10,
                # A stopped process still takes connections: the kernel does it. The door to the
                # objects turns in the same loop.
                alive=lambda: http_answers(alive_url(gateway.host, gateway.metrics_port)),
            ),
            part(
                "rules",
                (*_MODULE, "serve", "rules"),
                lambda: http_answers(alive_url(rules.host, rules.metrics_port)),
                stop_within_s=rules.query_s + rules.delivery_s + 10,
            ),
        ),
        faces=(
            part(
                "dashboard",
                tuple(dashboard.command_line(settings)),
                lambda: http_answers(f"{dashboard_url(settings)}/_stcore/health"),
                stop_within_s=10,
            ),
        )
        if settings.up.dashboard
        else (),
    )


def metrics_url(host: str, port: int) -> str:
    """Return where a part's telemetry is, as this machine reaches it."""
    return f"http://{address(reachable_host(host), port)}/metrics"


def alive_url(host: str, port: int) -> str:
    """Return where a part says whether it does its work."""
    return f"http://{address(reachable_host(host), port)}/alive"


def gateway_address(settings: Settings) -> str:
    """Return the gateway as this machine reaches it."""
    return address(reachable_host(settings.gateway.host), settings.gateway.port)


def door_address(settings: Settings) -> str:
    """Return the door to the object directory as this machine reaches it; "" when there is none."""
    if settings.objects.kind != "local":
        return ""
    return address(reachable_host(settings.gateway.host), settings.objects.door_port)


def objects_place(settings: Settings) -> str:
    """Return where the bytes of artifacts and media go, in words."""
    objects = settings.objects
    if objects.kind == "s3":
        return f"bucket {objects.bucket} at {objects.endpoint}"
    scheme = "https" if settings.gateway.tls_cert else "http"
    return f"{objects.url or f'{scheme}://{door_address(settings)}'}  (in {objects.dir})"


def sql_url(settings: Settings) -> str:
    """Return where tools ask SQL, as this machine reaches it; "" when there is no such door."""
    if not settings.gateway.sql_port:
        return ""
    scheme = "https" if settings.gateway.tls_cert else "http"
    host = reachable_host(door_host(settings.gateway))
    return f"{scheme}://{address(host, settings.gateway.sql_port)}"


def dashboard_url(settings: Settings) -> str:
    """Return the dashboard as this machine reaches it."""
    return f"http://{address(reachable_host(settings.dashboard.host), settings.dashboard.port)}"
