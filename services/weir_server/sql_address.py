"""Where the SQL door listens, as the gateway binds it and `weir up` shows it. Pure."""

from __future__ import annotations

from weir_server.settings import GatewaySettings
from weir_server.up.probes import is_loopback

_LOOPBACK = "127.0.0.1"


def door_host(settings: GatewaySettings) -> str:
    """Return the address to bind: where nobody needs a token, only this machine may ask."""
    if settings.tokens_file is not None or is_loopback(settings.host):
        return settings.host
    return _LOOPBACK
