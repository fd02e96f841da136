"""The dashboard is another package's process: how it is started."""

from __future__ import annotations

import sys

from weir_server.catalog import Settings
from weir_server.objects.address import door_url, with_scheme


def _access(settings: Settings) -> dict[str, object]:
    """Return who may come in; the provider's secret travels by environment, too."""
    dashboard = settings.dashboard
    given: dict[str, object] = {
        "--auth": dashboard.auth,
        "--url": dashboard.url,
        "--access-dir": dashboard.access_dir,
        "--session-hours": dashboard.session_hours,
        "--link-days": dashboard.link_days,
        "--oidc-issuer": dashboard.oidc_issuer,
        "--oidc-client-id": dashboard.oidc_client_id,
        "--oidc-scopes": dashboard.oidc_scopes,
        "--oidc-name-claim": dashboard.oidc_name_claim,
        "--oidc-groups-claim": dashboard.oidc_groups_claim,
        "--proxy-user-header": dashboard.proxy_user_header,
        "--proxy-groups-header": dashboard.proxy_groups_header,
    }
    if settings.gateway.tokens_file is not None:
        given["--tokens-file"] = settings.gateway.tokens_file
    if dashboard.grants_file is not None:
        given["--grants-file"] = dashboard.grants_file
    return given


def command_line(settings: Settings) -> list[str]:
    """Return the command; secrets travel by environment.

    They are WEIR_CLICKHOUSE__PASSWORD, WEIR_OBJECTS__SECRET_KEY and WEIR_DASHBOARD__OIDC_CLIENT_SECRET.
    """
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
        **_access(settings),
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
    words += [
        word for each in dashboard.proxy_addresses or () for word in ("--proxy-address", each)
    ]
    words += [word for page in dashboard.metrics or () for word in ("--metrics", page)]
    switches = ["--edit-rules"] if dashboard.edit_rules else []
    switches += ["--edit-runs"] if dashboard.edit_runs else []
    switches += ["--edit-documents"] if dashboard.edit_documents else []
    return [sys.executable, "-P", "-m", "weir_dashboard", *words, *switches]
