"""What the settings say about who may come in reaches the dashboard's process."""

from __future__ import annotations

from pathlib import Path

import pytest

from weir_dashboard import __main__ as started
from weir_dashboard.access.config import AccessConfig, Mode, OidcConfig, ProxyConfig
from weir_server.catalog import Settings
from weir_server.config import variables
from weir_server.dashboard import command_line


def handed_on(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AccessConfig:
    for name, value in variables(settings).items():
        monkeypatch.setenv(name, value)
    words = command_line(settings)
    return started._config(
        started._parser().parse_args(words[words.index("weir_dashboard") + 1 :])
    ).access


def test_nobody_is_asked_unless_somebody_says_so(monkeypatch):
    assert handed_on(Settings(), monkeypatch).mode is Mode.NONE
    assert AccessConfig().mode is Mode.NONE


def test_every_setting_arrives_and_the_secret_is_not_on_the_command_line(monkeypatch):
    settings = Settings(
        gateway={"tokens_file": "/t.toml"},
        dashboard={
            "auth": "oidc",
            "url": "https://weir.example.org",
            "access_dir": "/var/access",
            "session_hours": 2.5,
            "link_days": 7,
            "grants_file": "/g.toml",
            "oidc_issuer": "https://login.example.org",
            "oidc_client_id": "weir",
            "oidc_client_secret": "s3cret-of-ours",
            "oidc_scopes": "openid groups",
            "oidc_name_claim": "preferred_username",
            "oidc_groups_claim": "roles",
            "proxy_addresses": "10.0.0.0/8,::1",
            "proxy_user_header": "X-User",
            "proxy_groups_header": "X-Groups",
        },
    )
    assert "s3cret-of-ours" not in " ".join(command_line(settings))
    assert handed_on(settings, monkeypatch) == AccessConfig(
        Mode.OIDC,
        "https://weir.example.org",
        Path("/var/access"),
        2.5,
        7,
        Path("/t.toml"),
        Path("/g.toml"),
        OidcConfig(
            "https://login.example.org",
            "weir",
            "s3cret-of-ours",
            "openid groups",
            "preferred_username",
            "roles",
        ),
        ProxyConfig(("10.0.0.0/8", "::1"), "X-User", "X-Groups"),
    )
