"""The dashboard over ClickHouse, as `weir serve dashboard` starts it."""

from __future__ import annotations

from weir_dashboard import listening
from weir_dashboard.app import build
from weir_dashboard.config import DashboardConfig
from weir_dashboard.guard import Check, open_to_all
from weir_store import clickhouse
from weir_store.reader import ClickHouseReader


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
        reader = ClickHouseReader(connection, config.database)
        listening.run(build(reader, config.gateway, check), config.host, config.port)
    finally:
        connection.close()
    return 0
