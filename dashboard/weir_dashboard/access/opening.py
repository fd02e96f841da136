"""Putting the door together, as the settings say."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.routing import Route

from weir_dashboard.access.config import AccessConfig, AccessError, Mode
from weir_dashboard.access.grants import KnownGrants
from weir_dashboard.access.register import Register
from weir_dashboard.access.share import Share
from weir_dashboard.access.sign_in import SignIn
from weir_dashboard.access.visits import Check, Door, Rights, open_to_all
from weir_store.tokens import KnownTokens, UnreadableTokens

_FILE: Final = "access.sqlite"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may come in, ready to be used.

    Attributes:
        check: Who is let in.
        routes: Of signing in and of share links; they are asked without a name.
        share: Share links; None = there are none.
    """

    check: Check = open_to_all
    routes: tuple[Route, ...] = ()
    share: Share | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody is asked who they are."""
        return self.check is open_to_all


OPEN_TO_ALL: Final = Access()


def open_access(config: AccessConfig) -> Access:
    """Return the door.

    Raises:
        AccessError: The settings cannot work, and which.
        OSError: The directory for sessions cannot be made.
    """
    if config.mode is Mode.NONE:
        return OPEN_TO_ALL
    secure = config.url.startswith("https://")
    rights = Rights(_tokens(config), _grants(config))
    register = Register(config.dir / _FILE)
    door = Door(config.mode, rights, register, config.proxy, secure=secure)
    share = Share(door, rights, register, most_days=config.link_days, secure=secure, url=config.url)
    routes = _sign_in(config, door, rights, register, secure=secure)
    has_links = config.link_days > 0
    return Access(
        door.check,
        (*routes, *(share.routes if has_links else ())),
        share if has_links else None,
    )


def _sign_in(
    config: AccessConfig, door: Door, rights: Rights, register: Register, *, secure: bool
) -> list[Route]:
    if config.mode is Mode.PROXY:
        return []
    provider = None
    if config.mode is Mode.OIDC:
        from weir_dashboard.access.oidc import Oidc

        provider = Oidc(config.oidc)
    sign_in = SignIn(
        door,
        rights,
        register,
        provider=provider.host if provider else "",
        secure=secure,
        session_s=config.session_hours * 3_600,
    )
    if provider is None:
        return sign_in.routes
    if not config.url:
        raise AccessError(
            "dashboard.auth = oidc needs dashboard.url: the provider sends people back there"
        )
    from weir_dashboard.access.sign_in_oidc import SignInOidc

    name = door.session_cookie.replace("_session_", "_oidc_")
    with_provider = SignInOidc(
        provider, sign_in, rights, register, url=config.url, cookie_name=name, secure=secure
    )
    return [*sign_in.routes, *with_provider.routes]


def _tokens(config: AccessConfig) -> KnownTokens | None:
    path = config.tokens_file
    if path is None:
        if config.mode is Mode.TOKEN:
            raise AccessError(
                "dashboard.auth = token needs gateway.tokens_file (`weir token create`)"
            )
        return None
    try:
        return KnownTokens(_there(path, "gateway.tokens_file"), complain=_complain)
    except UnreadableTokens as error:
        raise AccessError(f"cannot read the tokens file {error}") from error


def _grants(config: AccessConfig) -> KnownGrants | None:
    if config.mode is Mode.TOKEN:
        return None
    if config.grants_file is None:
        raise AccessError(f"dashboard.auth = {config.mode} needs dashboard.grants_file")
    if config.mode is Mode.PROXY and not config.proxy.addresses:
        raise AccessError("dashboard.auth = proxy needs dashboard.proxy_addresses")
    try:
        return KnownGrants(_there(config.grants_file, "dashboard.grants_file"), _complain)
    except UnreadableTokens as error:
        raise AccessError(f"cannot read the grants file {error}") from error


def _there(path: Path, setting: str) -> Path:
    if not path.is_file():
        raise AccessError(f"{setting}: there is no file {path}")
    return path


def _complain(problem: str) -> None:
    _log.error("who may come in is as it was before: %s", problem)
