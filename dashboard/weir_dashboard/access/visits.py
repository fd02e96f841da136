"""Who stands at the door: what a request shows, held against what counts just now."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, TypeAlias

from starlette.datastructures import Headers
from starlette.types import Scope

from weir_dashboard.access.config import AccessError, Mode, ProxyConfig
from weir_dashboard.access.cookies import cookie
from weir_dashboard.access.grants import KnownGrants
from weir_dashboard.access.records import Link, Person
from weir_dashboard.access.register import Register
from weir_dashboard.access.viewer import ANYBODY, Via, Viewer
from weir_store.tokens import KnownTokens, Role

_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who was let in, and by what: the same words for the same session, and for no other."""

    viewer: Viewer
    shown: str


Check: TypeAlias = Callable[[Scope], Visit | None]
"""Tells who sends an HTTP or websocket scope; None turns them away. Asked again while a websocket is open."""


def open_to_all(_: Scope) -> Visit:
    """Let everyone in: right on a loopback address."""
    return Visit(ANYBODY, "")


class Rights:
    """What people may at this moment, by the tokens file and the grants file."""

    def __init__(self, tokens: KnownTokens | None, grants: KnownGrants | None) -> None:
        self.tokens = tokens
        self._grants = grants

    def of(self, person: Person) -> Viewer | None:
        """Return somebody with what they may now; None = nothing any more."""
        if person.via is Via.TOKEN:
            token = self.tokens.of_digest(person.sha256) if self.tokens else None
            if token is None:
                return None
            return Viewer(token.name, token.role, token.projects, None, Via.TOKEN, token.sha256)
        grant = self._grants.of(person.name, person.groups) if self._grants else None
        if grant is None:
            return None
        return Viewer(person.name, grant.role, grant.projects, via=person.via, groups=person.groups)

    def of_secret(self, secret: str) -> Person | None:
        """Return whose token this is."""
        token = self.tokens.of_secret(secret) if self.tokens else None
        return Person(token.name, Via.TOKEN, token.sha256) if token else None

    def of_link(self, link: Link) -> Viewer | None:
        """Return who comes by a share link: a reader of what it names, while its maker may still share that."""
        maker = self.of(link.by)
        if maker is None or not all(maker.may_edit(project) for project in link.projects):
            return None
        runs = link.runs or None
        return Viewer(f"link {link.link_id}", Role.READER, link.projects, runs, Via.LINK)


class Door:
    """Checks what requests show: a session, a share link, a token as a header, or a proxy's word."""

    def __init__(
        self, mode: Mode, rights: Rights, register: Register, proxy: ProxyConfig, *, secure: bool
    ) -> None:
        """Hold it.

        Args:
            mode: What people are asked for.
            rights: What they may.
            register: Sessions and links.
            proxy: Whom to believe, in mode `proxy`.
            secure: Whether browsers come by https.
        """
        self._mode = mode
        self._rights = rights
        self._register = register
        self._proxy = proxy
        self._networks = networks(proxy.addresses)
        prefix = "__Host-weir" if secure else "weir"
        self.session_cookie = f"{prefix}_session_{register.instance}"
        self.link_cookie = f"{prefix}_link_{register.instance}"

    def check(self, scope: Scope) -> Visit | None:
        """Tell who it is: see `Check`. What somebody is themselves comes before a link they hold."""
        return self.person(scope) or self._by_link(scope)

    def person(self, scope: Scope) -> Visit | None:
        """Tell who it is, share links aside."""
        found = self._by_proxy(scope) if self._mode is Mode.PROXY else self._by_session(scope)
        return found or self._by_header(scope)

    def peer(self, scope: Scope) -> str:
        """Return the address a request comes from: beyond the proxies that are believed."""
        peer = _peer(scope)
        hops = [hop.strip() for hop in Headers(scope=scope).get("x-forwarded-for", "").split(",")]
        while hops and hops[-1] and self._is_proxy(peer):
            peer = hops.pop()
        return peer

    def _by_session(self, scope: Scope) -> Visit | None:
        secret = cookie(scope, self.session_cookie)
        return self._visit(self._register.session(secret) if secret else None, "session", secret)

    def _by_header(self, scope: Scope) -> Visit | None:
        secret = _bearer(scope)
        return self._visit(self._rights.of_secret(secret) if secret else None, "bearer", secret)

    def _by_proxy(self, scope: Scope) -> Visit | None:
        person = self._proxied(scope)
        return self._visit(person, "proxy", repr(person))

    def _by_link(self, scope: Scope) -> Visit | None:
        secret = cookie(scope, self.link_cookie)
        link = self._register.link(secret) if secret else None
        viewer = self._rights.of_link(link) if link else None
        return Visit(viewer, _shown("link", secret)) if viewer else None

    def _visit(self, person: Person | None, how: str, secret: str) -> Visit | None:
        viewer = self._rights.of(person) if person else None
        return Visit(viewer, _shown(how, secret)) if viewer else None

    def _proxied(self, scope: Scope) -> Person | None:
        """Return whom the proxy names; a header that is there twice was not put there by it alone."""
        headers = Headers(scope=scope)
        names = headers.getlist(self._proxy.user_header)
        groups = headers.getlist(self._proxy.groups_header)
        if not self._is_proxy(_peer(scope)) or len(names) != 1 or len(groups) > 1:
            return None
        listed = [group.strip() for group in "".join(groups).split(",")]
        name = names[0].strip()
        return Person(name, Via.PROXY, groups=tuple(filter(None, listed))) if name else None

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(known, ipaddress.IPv6Address) and known.ipv4_mapped:
            known = known.ipv4_mapped
        return any(known in network for network in self._networks)


def networks(
    addresses: tuple[str, ...],
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Read addresses and networks. Raises `AccessError`."""
    try:
        return [ipaddress.ip_network(text) for text in addresses]
    except ValueError as wrong:
        raise AccessError(f"dashboard.proxy_addresses: {wrong}") from wrong


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""


def _bearer(scope: Scope) -> str:
    said = Headers(scope=scope).get("authorization", "")
    return said[len(_BEARER) :].strip() if said.lower().startswith(_BEARER) else ""


def _shown(how: str, secret: str) -> str:
    return blake2b(f"{how} {secret}".encode(), digest_size=16).hexdigest()
