"""Where a webhook may go: never to this machine, nor to what clouds tell their machines about themselves."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from weir_server.gateway.findings import has_control, is_longer
from weir_store.errors import InvalidQuery

_MAX_URL_BYTES: Final = 2_048
_PORTS: Final = {"http": 80, "https": 443}
# Beside link-local ones: Alibaba's, Azure's and AWS's own services of a machine.
_METADATA: Final = frozenset(
    map(ipaddress.ip_address, ("100.100.100.200", "168.63.129.16", "fd00:ec2::254"))
)

Resolve = Callable[[str, int], Iterable[str]]
"""Returns the addresses of a host."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to: `ip` is what was checked, so that a name cannot change its mind."""

    scheme: str
    host: str
    ip: str
    port: int
    target: str


def check_url(url: str) -> None:
    """Raise `InvalidQuery` for what is no http or https address; asks no name server."""
    _split(url)


def address_of(url: str, *, anywhere: bool, resolve: Resolve | None = None) -> Address:
    """Return where a webhook goes.

    Args:
        url: As a person wrote it.
        anywhere: Loopback and link-local addresses are good too.
        resolve: Finds the addresses of a name.

    Raises:
        InvalidQuery: It is no address, or one that webhooks must not go to.
        OSError: The name cannot be found.
    """
    scheme, host, port, target = _split(url)
    ips = list((resolve or resolved)(host, port))
    for ip in ips:
        if not anywhere and is_forbidden(ip):
            raise InvalidQuery(
                f"webhooks must not go to {host} ({ip})",
                hint="an address of another machine; or set gateway.webhooks_anywhere",
            )
    if not ips:
        raise OSError(f"{host} has no address")
    return Address(scheme, host, ips[0], port, target)


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses that a name stands for now."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_forbidden(ip: str) -> bool:
    """Tell whether an address is this machine, a neighbour without a name, or nobody."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _of_nat64(address)
        if inner is not None:
            return is_forbidden(str(inner))
    return (
        address.is_loopback
        or address.is_link_local
        or address.is_unspecified
        or address.is_multicast
        or address.is_reserved
        or address in _METADATA
        or (address.version == 4 and address in ipaddress.ip_network("0.0.0.0/8"))
    )


def _of_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _split(url: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        parts, port = urlsplit(""), 0
    bad = has_control(url) or " " in url or is_longer(url, _MAX_URL_BYTES)
    if bad or parts.scheme not in _PORTS or not parts.hostname or not port or parts.username:
        raise InvalidQuery(
            f"{url[:100]!r} is no address for a webhook",
            hint="http://… or https://…, without user and password",
        )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, parts.hostname, port, target
