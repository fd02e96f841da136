"""`python -m weir_dashboard`: plain arguments in, the dashboard up; secrets come by environment."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from weir_dashboard.access import arguments
from weir_dashboard.access.config import AccessError
from weir_dashboard.config import DashboardConfig
from weir_dashboard.serve import serve
from weir_store.objects.opening import Place

_PASSWORD = "WEIR_CLICKHOUSE__PASSWORD"
_SECRET_KEY = "WEIR_OBJECTS__SECRET_KEY"


def main() -> int:
    """Read the arguments and serve."""
    config = _config(_parser().parse_args())
    try:
        return serve(config)
    except AccessError as error:
        sys.stderr.write(f"weir: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(
            f"weir: cannot listen on {config.host}:{config.port}: {error.strerror or error}"
            " — set dashboard.port, or 0 to pick a free one\n"
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    known = DashboardConfig()
    parser = argparse.ArgumentParser(prog="python -m weir_dashboard", description=__doc__)
    parser.add_argument("--host", default=known.host, help="address to bind")
    parser.add_argument("--port", type=int, default=known.port, help="0 picks a free one")
    parser.add_argument("--clickhouse-url", default=known.clickhouse_url)
    parser.add_argument("--user", default=known.user, help="ClickHouse user")
    parser.add_argument("--database", default=known.database)
    parser.add_argument("--cluster", default=known.cluster, help="ClickHouse's; empty = one server")
    parser.add_argument("--gateway", default=known.gateway, help="shown in the quick start")
    parser.add_argument("--query-timeout-s", type=float, default=known.query_timeout_s)
    parser.add_argument("--edit-rules", action="store_true", help="let people change rules")
    parser.add_argument("--edit-runs", action="store_true", help="let people change runs")
    parser.add_argument(
        "--edit-documents", action="store_true", help="let people save views and reports"
    )
    parser.add_argument("--metrics", action="append", default=[], help="name=url; repeated")
    arguments.add_to(parser)
    objects = parser.add_argument_group("where the bytes of files lie")
    objects.add_argument("--objects", choices=["none", "local", "s3"], default="none")
    objects.add_argument("--objects-dir", type=Path, default=Path("weir-data/objects"))
    objects.add_argument("--objects-url", default="", help="the door to the directory")
    objects.add_argument("--s3-endpoint", default="")
    objects.add_argument("--s3-public-endpoint", default="")
    objects.add_argument("--s3-access-key", default="")
    objects.add_argument("--s3-bucket", default="weir")
    objects.add_argument("--s3-region", default="us-east-1")
    return parser


def _config(given: argparse.Namespace) -> DashboardConfig:
    return DashboardConfig(
        host=given.host,
        port=given.port,
        clickhouse_url=given.clickhouse_url,
        user=given.user,
        password=os.environ.get(_PASSWORD, ""),
        database=given.database,
        cluster=given.cluster,
        gateway=given.gateway,
        query_timeout_s=given.query_timeout_s,
        edit_rules=given.edit_rules,
        edit_runs=given.edit_runs,
        edit_documents=given.edit_documents,
        metrics=tuple(given.metrics),
        objects=None if given.objects == "none" else _place(given),
        access=arguments.config_of(given, os.environ),
    )


def _place(given: argparse.Namespace) -> Place:
    return Place(
        kind=given.objects,
        dir=given.objects_dir,
        url=given.objects_url,
        endpoint=given.s3_endpoint,
        public_endpoint=given.s3_public_endpoint,
        access_key=given.s3_access_key,
        secret_key=os.environ.get(_SECRET_KEY, ""),
        bucket=given.s3_bucket,
        region=given.s3_region,
    )


if __name__ == "__main__":
    sys.exit(main())
