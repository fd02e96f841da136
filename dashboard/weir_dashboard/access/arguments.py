"""Who may come in, as plain arguments; the provider's secret comes by environment."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from weir_dashboard.access.config import AccessConfig, Mode, OidcConfig, ProxyConfig

_SECRET: Final = "WEIR_DASHBOARD__OIDC_CLIENT_SECRET"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    known = AccessConfig()
    group = parser.add_argument_group("who may come in")
    group.add_argument("--auth", choices=list(Mode), default=known.mode)
    group.add_argument("--url", default=known.url, help="where people reach this dashboard")
    group.add_argument("--access-dir", type=Path, default=known.dir, help="sessions, share links")
    group.add_argument("--session-hours", type=float, default=known.session_hours)
    group.add_argument("--link-days", type=int, default=known.link_days, help="0 = no share links")
    group.add_argument("--tokens-file", type=Path, help="as `weir token` writes it")
    group.add_argument("--grants-file", type=Path, help="what names and groups may")
    group.add_argument("--oidc-issuer", default=known.oidc.issuer)
    group.add_argument("--oidc-client-id", default=known.oidc.client_id)
    group.add_argument("--oidc-scopes", default=known.oidc.scopes)
    group.add_argument("--oidc-name-claim", default=known.oidc.name_claim)
    group.add_argument("--oidc-groups-claim", default=known.oidc.groups_claim)
    group.add_argument("--proxy-address", action="append", default=[], help="repeat it")
    group.add_argument("--proxy-user-header", default=known.proxy.user_header)
    group.add_argument("--proxy-groups-header", default=known.proxy.groups_header)


def config_of(given: argparse.Namespace, environment: Mapping[str, str]) -> AccessConfig:
    """Return what was given."""
    return AccessConfig(
        mode=Mode(given.auth),
        url=given.url,
        dir=given.access_dir,
        session_hours=given.session_hours,
        link_days=given.link_days,
        tokens_file=given.tokens_file,
        grants_file=given.grants_file,
        oidc=OidcConfig(
            given.oidc_issuer,
            given.oidc_client_id,
            environment.get(_SECRET, ""),
            given.oidc_scopes,
            given.oidc_name_claim,
            given.oidc_groups_claim,
        ),
        proxy=ProxyConfig(
            tuple(given.proxy_address), given.proxy_user_header, given.proxy_groups_header
        ),
    )
