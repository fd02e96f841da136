"""The gateway put together: services, health and reflection behind one port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from weir_proto.v1 import artifacts_pb2_grpc, ingest_pb2_grpc, query_pb2_grpc, runs_pb2_grpc
from weir_server.clock import Clock, SystemClock
from weir_server.errors import StartupError
from weir_server.gateway.artifacts import ArtifactsService
from weir_server.gateway.auth import Auth
from weir_server.gateway.cardinality import MetricCounter, MetricSeeds
from weir_server.gateway.greeting import Greeter
from weir_server.gateway.history import RunHistory
from weir_server.gateway.ingest import IngestService
from weir_server.gateway.intake import Intake
from weir_server.gateway.interceptor import Interceptor
from weir_server.gateway.judge import Judge
from weir_server.gateway.limits import Limits
from weir_server.gateway.query import QueryService
from weir_server.gateway.rates import Rates
from weir_server.gateway.runs import RunsService
from weir_server.gateway.service import Service
from weir_server.gateway.watch import Watch
from weir_server.gateway.watermarks import StoredWatermarks
from weir_server.objects.door_server import DoorServer
from weir_server.settings import GatewaySettings
from weir_server.stream.base import Appender
from weir_store.base import Inserter, Reader
from weir_store.console.base import ConsoleReader
from weir_store.editor import Editor
from weir_store.system.base import SystemReader

_SERVICES: Final = ("weir.v1.Ingest", "weir.v1.Query", "weir.v1.Runs", "weir.v1.Artifacts")
_MESSAGE_BYTES: Final = 8 << 20
_OPTIONS: Final = (
    ("grpc.so_reuseport", 0),  # a second gateway on the port must fail, not share it
    ("grpc.max_concurrent_streams", 1_024),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS: agents ping every 30 s
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_send_message_length", -1),
)


class Gateway:
    """One gateway in one event loop. `start`, then `stop`, once each."""

    def __init__(
        self,
        settings: GatewaySettings,
        shards: int,
        *,
        appender: Appender,
        inserter: Inserter,
        reader: Reader,
        system: SystemReader,
        console: ConsoleReader,
        editor: Editor,
        auth: Auth,
        clock: Clock | None = None,
        artifacts: ArtifactsService | None = None,
        door: DoorServer | None = None,
        services: Sequence[Service] = (),
    ) -> None:
        clock = clock or SystemClock()
        self._settings = settings
        self._appender = appender
        self._auth = auth
        self._watermarks = StoredWatermarks(inserter)
        self._history = RunHistory(reader, clock)
        self._watch = Watch(appender, self._watermarks, poll_s=settings.commit_poll_s, clock=clock)
        counter = MetricCounter(settings.max_metrics_per_run)
        self._seeds = MetricSeeds(counter, self._history, clock)
        judge = Judge(Limits.of(settings), counter)
        rates = Rates(points_per_s=settings.max_points_per_s, bytes_per_s=settings.max_bytes_per_s)
        self._ingest = IngestService(
            auth,
            Greeter(
                settings, shards, appender, self._watermarks, self._history, clock, self._seeds
            ),
            Intake(judge, appender, self._watermarks, clock, rates, self._seeds),
            self._watch,
            appender,
            clock,
        )
        self._query = QueryService(reader, system, console, auth)
        self._runs = RunsService(reader, editor, appender, auth, clock, shards=shards)
        self._artifacts = artifacts
        self._door = door
        self._more = tuple(services)
        self._begun: list[Service] = []
        always = _SERVICES if artifacts else _SERVICES[:-1]
        self._services = (*always, *(service.name for service in self._more))
        self._health = health.aio.HealthServicer()
        self._server: grpc.aio.Server | None = None
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> int:
        """Open the door; returns its port.

        Raises:
            StartupError: The port is taken, or TLS files are wrong.
        """
        self._server = self._make_server()
        port = _bind(self._server, self._settings)
        if self._door is not None:
            await self._door.start()
        if self._artifacts is not None:
            self._artifacts.start()
        for service in self._more:
            await service.start()
            self._begun.append(service)
        await self._server.start()
        self._watching = asyncio.create_task(self._watch.run())
        for name in ("", *self._services):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return port

    async def stop(self) -> None:
        """Ask clients to leave, wait for them at most `drain_s`, and let go of everything."""
        await self._health.enter_graceful_shutdown()
        if self._server is not None:
            # Half of the time for clients to leave by themselves, half for calls under way.
            patience_s = self._settings.drain_s / 2
            for service in self._begun:
                await service.drain()
            await self._ingest.drain(patience_s)
            await self._server.stop(patience_s)
        if self._door is not None:
            await self._door.stop()
        if self._artifacts is not None:
            await self._artifacts.stop(self._settings.drain_s / 2)
        for service in self._begun:
            await service.stop()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._seeds.close()
        await self._watermarks.close()
        self._history.close()
        await self._appender.close()

    def _make_server(self) -> grpc.aio.Server:
        largest = max(_MESSAGE_BYTES, 2 * self._settings.max_frame_bytes)
        server = grpc.aio.server(
            interceptors=[Interceptor(self._auth)],
            options=[*_OPTIONS, ("grpc.max_receive_message_length", largest)],
        )
        _register(ingest_pb2_grpc.add_IngestServicer_to_server, self._ingest, server)
        _register(query_pb2_grpc.add_QueryServicer_to_server, self._query, server)
        _register(runs_pb2_grpc.add_RunsServicer_to_server, self._runs, server)
        if self._artifacts is not None:
            _register(artifacts_pb2_grpc.add_ArtifactsServicer_to_server, self._artifacts, server)
        for service in self._more:
            service.add(service.servicer, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection(
            (*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME), server
        )
        return server


def _register(
    add: Callable[[object, grpc.aio.Server], None], service: object, server: grpc.aio.Server
) -> None:
    add(service, server)  # generated, hence untyped


def _bind(server: grpc.aio.Server, settings: GatewaySettings) -> int:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{host}:{settings.port}"
    try:
        if settings.tls_cert is not None and settings.tls_key is not None:
            port = server.add_secure_port(
                address, _credentials(settings.tls_cert, settings.tls_key)
            )
        else:
            port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise StartupError(
            f"cannot listen on {address}",
            hint="is a gateway running already? choose another gateway.port",
        ) from error
    return int(port)


def _credentials(cert: Path, key: Path) -> grpc.ServerCredentials:
    try:
        return grpc.ssl_server_credentials([(key.read_bytes(), cert.read_bytes())])
    except OSError as error:
        raise StartupError(
            f"cannot read {error.filename}: {error.strerror}",
            hint="check gateway.tls_cert and gateway.tls_key",
        ) from error
