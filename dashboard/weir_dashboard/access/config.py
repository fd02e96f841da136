"""How people come in: plain values, handed down by whoever starts the dashboard, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Mode(StrEnum):
    """Who is asked for what."""

    NONE = "none"  # nobody is asked: right on a loopback address
    TOKEN = "token"
    OIDC = "oidc"
    PROXY = "proxy"


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """An OpenID Connect provider.

    Attributes:
        issuer: Its address; `/.well-known/openid-configuration` is below it.
        client_id: Ours, there.
        client_secret: Ours; "" = a public client.
        scopes: What is asked for, with spaces between.
        name_claim: What people are called by.
        groups_claim: A list of what they belong to, for grants.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret: str = ""
    scopes: str = "openid profile email"
    name_claim: str = "email"
    groups_claim: str = "groups"


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """A reverse proxy that signs people in.

    Attributes:
        addresses: IP addresses and networks it calls from; others are not believed.
        user_header: Names the user.
        groups_header: Names their groups, with commas between.
    """

    addresses: tuple[str, ...] = ()
    user_header: str = "X-Forwarded-User"
    groups_header: str = "X-Forwarded-Groups"


@dataclass(frozen=True, slots=True)
class AccessConfig:
    """Who may come in, and for how long.

    Attributes:
        mode: What people are asked for.
        url: Where people reach the dashboard, e.g. `https://weir.example.org`; "" = as their browsers say.
        dir: Sessions and share links lie there, as digests.
        session_hours: Until people are asked again.
        link_days: The longest life of a share link; 0 = there are none.
        tokens_file: The gateway's; None = tokens let nobody in.
        grants_file: What names and groups of the provider or proxy may; None = nobody may anything.
        oidc: The provider.
        proxy: The proxy.
    """

    mode: Mode = Mode.NONE
    url: str = ""
    dir: Path = Path("weir-data/dashboard")
    session_hours: float = 12.0
    link_days: int = 30
    tokens_file: Path | None = None
    grants_file: Path | None = None
    oidc: OidcConfig = OidcConfig()
    proxy: ProxyConfig = ProxyConfig()


class AccessError(Exception):
    """The settings cannot work as they are; says which to change."""
