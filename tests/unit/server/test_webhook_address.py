"""Webhooks go out of this machine, whatever a name or a number pretends to be."""

from __future__ import annotations

import pytest

from weir_server.gateway.webhook_address import address_of, check_url, is_forbidden
from weir_store.errors import InvalidQuery


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "0.1.2.3", "::", "169.254.169.254",
        "fe80::1", "fe80::1%eth0", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "2002:7f00:1::", "fd00:ec2::254", "100.100.100.200",
        "168.63.129.16", "224.0.0.1", "255.255.255.255", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_of_this_machine_or_of_its_cloud_is_refused(ip: str) -> None:
    assert is_forbidden(ip)
    with pytest.raises(InvalidQuery):
        address_of("https://example.org/", anywhere=False, resolve=lambda *_: ["203.0.113.7", ip])
    assert address_of("https://example.org/", anywhere=True, resolve=lambda *_: [ip]).ip == ip


@pytest.mark.parametrize("ip", ["8.8.8.8", "10.0.0.5", "2606:4700::1111"])
def test_other_machines_are_good_also_those_of_ones_own_network(ip: str) -> None:
    address = address_of("http://ci.local:8080/a?b=c", anywhere=False, resolve=lambda *_: [ip])
    assert (address.ip, address.host, address.port, address.target) == (
        ip, "ci.local", 8080, "/a?b=c",
    )  # fmt: skip


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "localhost", "[::1]"])
def test_other_spellings_of_this_machine_are_this_machine(host: str) -> None:
    with pytest.raises((InvalidQuery, OSError)):
        address_of(f"http://{host}/", anywhere=False)


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org/", "http://", "http://u:p@example.org/",
     "http://example.org:99999/", "http://exa mple.org/", "http://example.org/\r\nX: y",
     "https://example.org/" + "x" * 2_048],
)  # fmt: skip
def test_what_is_no_http_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidQuery):
        check_url(url)
