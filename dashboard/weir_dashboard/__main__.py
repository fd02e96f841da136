"""`python -m weir_dashboard`: plain arguments in, the dashboard up; the password comes by environment."""

from __future__ import annotations

import argparse
import os
import sys

from weir_dashboard.config import DashboardConfig
from weir_dashboard.serve import serve

_PASSWORD = "WEIR_CLICKHOUSE__PASSWORD"


def main() -> int:
    """Read the arguments and serve."""
    known = DashboardConfig()
    parser = argparse.ArgumentParser(prog="python -m weir_dashboard", description=__doc__)
    parser.add_argument("--host", default=known.host, help="address to bind")
    parser.add_argument("--port", type=int, default=known.port, help="0 picks a free one")
    parser.add_argument("--clickhouse-url", default=known.clickhouse_url)
    parser.add_argument("--user", default=known.user, help="ClickHouse user")
    parser.add_argument("--database", default=known.database)
    parser.add_argument("--gateway", default=known.gateway, help="shown in the quick start")
    parser.add_argument("--query-timeout-s", type=float, default=known.query_timeout_s)
    given = vars(parser.parse_args())
    config = DashboardConfig(**given, password=os.environ.get(_PASSWORD, ""))
    try:
        return serve(config)
    except OSError as error:
        sys.stderr.write(
            f"weir: cannot listen on {config.host}:{config.port}: {error.strerror or error}"
            " — set dashboard.port, or 0 to pick a free one\n"
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
