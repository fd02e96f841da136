"""The dashboard is another package's process: how it is started."""

from __future__ import annotations

import sys

from weir_server.settings import ClickHouseSettings, DashboardSettings


def command_line(dashboard: DashboardSettings, clickhouse: ClickHouseSettings) -> list[str]:
    """Return the command; the password travels by environment (WEIR_CLICKHOUSE__PASSWORD)."""
    options = {
        "--host": dashboard.host,
        "--port": dashboard.port,
        "--clickhouse-url": clickhouse.url,
        "--user": clickhouse.user,
        "--database": clickhouse.database,
        "--gateway": dashboard.gateway,
        "--query-timeout-s": clickhouse.query_timeout_s,
    }
    words = [str(word) for option in options.items() for word in option]
    return [sys.executable, "-P", "-m", "weir_dashboard", *words]
