"""The dashboard over ClickHouse, as `weir serve dashboard` starts it."""

from __future__ import annotations

from weir_dashboard import listening
from weir_dashboard.app import build
from weir_dashboard.config import DashboardConfig
from weir_dashboard.guard import Check, open_to_all
from weir_dashboard.sources import Sources
from weir_store import clickhouse
from weir_store.artifacts.clickhouse import ClickHouseArtifacts
from weir_store.console.reader import ClickHouseConsole
from weir_store.objects.opening import open_for_reading
from weir_store.reader import ClickHouseReader
from weir_store.system.reader import ClickHouseSystem


def serve(config: DashboardConfig, check: Check = open_to_all) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code.

    The store may still be down: pages say so and recover.

    Raises:
        OSError: The address cannot be bound.
    """
    connection = clickhouse.connect(
        config.clickhouse_url,
        user=config.user,
        password=config.password,
        query_timeout_s=config.query_timeout_s,
    )
    try:
        sources = Sources(
            ClickHouseReader(connection, config.database),
            system=ClickHouseSystem(connection, config.database),
            console=ClickHouseConsole(connection, config.database),
            artifacts=ClickHouseArtifacts(connection, config.database),
            objects=open_for_reading(config.objects) if config.objects else None,
        )
        listening.run(build(sources, config.gateway, check), config.host, config.port)
    finally:
        connection.close()
    return 0
