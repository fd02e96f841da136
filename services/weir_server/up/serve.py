"""`weir up`: start, watch, stop."""

from __future__ import annotations

import os
import time

import click

from weir_server.catalog import Settings
from weir_server.clock import SystemClock
from weir_server.config import Loaded
from weir_server.lifecycle import StopSignals
from weir_server.up.arrange import arrange, refuse_foreign_engines
from weir_server.up.banner import banner
from weir_server.up.data_dir import DataDir, hold
from weir_server.up.orphans import end_orphans
from weir_server.up.part import Part
from weir_server.up.plan import (
    Plan,
    dashboard_url,
    door_address,
    gateway_address,
    make_plan,
    metrics_url,
    sql_url,
)
from weir_server.up.redis_server import find_redis, make_socket_folder, socket_path
from weir_server.up.state import State, read_parts, remove_state, write_state
from weir_server.up.supervisor import Stopped, Supervisor


def serve(loaded: Loaded) -> int:
    """Run everything until SIGINT, SIGTERM or SIGHUP; a second one kills.

    Returns:
        The exit code: 0 after a stop that was asked for.

    Raises:
        StartupError: Something is missing, taken or full; whatever had been started is stopped.
    """
    signals = StopSignals()
    signals.install()
    refuse_foreign_engines(loaded)
    redis_binary = find_redis(loaded.settings.up.redis_server)
    with hold(loaded.settings.up.data_dir) as data_dir:
        end_orphans(read_parts(data_dir), say)
        remove_state(data_dir)
        settings = arrange(loaded, data_dir)
        make_socket_folder(socket_path(data_dir.redis))
        _run(settings, data_dir, make_plan(settings, data_dir, redis_binary), signals)
    return 0


def say(text: str) -> None:
    """Tell people; a terminal that is gone must not end us."""
    try:
        click.echo(f"{time.strftime('%H:%M:%S')}  {text}")
    except OSError:
        return


def _run(settings: Settings, data_dir: DataDir, plan: Plan, signals: StopSignals) -> None:
    clock = SystemClock()
    ready = False

    def write() -> None:
        write_state(data_dir, _state(settings, supervisor, ready=ready))

    supervisor = Supervisor(signals, clock, say, write)
    began_s = clock.monotonic_s()
    try:
        _start(supervisor, plan)
        ready = True
        write()
        _greet(banner(settings, data_dir, clock.monotonic_s() - began_s))
        supervisor.watch()
        say("stopping; once more to stop at once")
    except Stopped:
        say("stopped while starting")
    finally:
        supervisor.stop()
        remove_state(data_dir)
    say("stopped")


def _start(supervisor: Supervisor, plan: Plan) -> None:
    supervisor.start([Part(spec) for spec in plan.engines])
    supervisor.run_once(Part(plan.migrate))
    supervisor.start([Part(spec) for spec in plan.services])
    supervisor.start([Part(spec) for spec in plan.faces])


def _greet(text: str) -> None:
    try:
        click.echo(text)
    except OSError:
        return


def _state(settings: Settings, supervisor: Supervisor, *, ready: bool) -> State:
    store = settings.clickhouse
    return State(
        pid=os.getpid(),
        gateway=gateway_address(settings),
        dashboard=dashboard_url(settings) if settings.up.dashboard else "",
        clickhouse={
            "url": store.url,
            "user": store.user,
            "password": store.password.get_secret_value(),
        },
        stream=settings.stream.url,
        metrics={
            "gateway": metrics_url(settings.gateway.host, settings.gateway.metrics_port),
            "writer": metrics_url(settings.writer.host, settings.writer.metrics_port),
            "rules": metrics_url(settings.rules.host, settings.rules.metrics_port),
        },
        objects=door_address(settings),
        sql=sql_url(settings),
        ready=ready,
        parts=supervisor.notes(),
    )
