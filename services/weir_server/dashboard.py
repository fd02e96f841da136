"""The dashboard is another package's process: how it is started."""

from __future__ import annotations

import sys

from weir_server.catalog import Settings
from weir_server.objects.address import door_url, with_scheme


def command_line(settings: Settings) -> list[str]:
    """Return the command; secrets travel by environment (WEIR_CLICKHOUSE__PASSWORD, WEIR_OBJECTS__SECRET_KEY)."""
    dashboard, clickhouse, objects = settings.dashboard, settings.clickhouse, settings.objects
    options: dict[str, object] = {
        "--host": dashboard.host,
        "--port": dashboard.port,
        "--clickhouse-url": clickhouse.url,
        "--user": clickhouse.user,
        "--database": clickhouse.database,
        "--cluster": clickhouse.cluster,
        "--gateway": dashboard.gateway,
        "--query-timeout-s": clickhouse.query_timeout_s,
    }
    if objects.kind == "s3" and not objects.endpoint:
        pass  # the gateway says what is missing; pages do without the bytes
    elif objects.kind == "s3":
        options |= {
            "--objects": "s3",
            "--s3-endpoint": with_scheme(objects.endpoint, objects),
            "--s3-public-endpoint": with_scheme(objects.public_endpoint, objects),
            "--s3-access-key": objects.access_key,
            "--s3-bucket": objects.bucket,
            "--s3-region": objects.region,
        }
    else:
        # A door on a free port is known to the gateway alone.
        door = (objects.url or objects.door_port) and door_url(
            objects, settings.gateway, objects.door_port
        )
        options |= {
            "--objects": "local",
            "--objects-dir": objects.dir,
            "--objects-url": door or "",
        }
    words = [str(word) for option in options.items() for word in option]
    switches = ["--edit-rules"] if dashboard.edit_rules else []
    return [sys.executable, "-P", "-m", "weir_dashboard", *words, *switches]
