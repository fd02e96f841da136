"""Where clients and processes reach the bytes. Pure."""

from __future__ import annotations

from weir_server.settings import GatewaySettings, ObjectsSettings
from weir_server.up.probes import address, reachable_host


def door_url(settings: ObjectsSettings, gateway: GatewaySettings, port: int) -> str:
    """Return the door to a directory as clients reach it."""
    scheme = "https" if gateway.tls_cert else "http"
    return settings.url.rstrip("/") or f"{scheme}://{address(reachable_host(gateway.host), port)}"


def with_scheme(endpoint: str, settings: ObjectsSettings) -> str:
    """Return an endpoint of an S3 as a URL; an empty one stays empty."""
    if not endpoint or "://" in endpoint:
        return endpoint
    return f"{'https' if settings.secure else 'http'}://{endpoint}"
