"""A network link of a known rate on one machine: a namespace behind a pair of virtual cables."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """How to reach what runs behind the link, and how to start it there.

    Attributes:
        host: Its address.
        command: What to put before a command so that it runs there; empty = it runs here.
    """

    host: str = "127.0.0.1"
    command: tuple[str, ...] = ()


@contextmanager
def open_link(mbit_per_s: int) -> Iterator[Link]:
    """Yield a link of that rate in both directions; 0 = loopback. Needs root and iproute2."""
    if not mbit_per_s:
        yield Link()
        return
    name, net = f"weir{os.getpid()}", os.getpid() % 200
    here, there = f"{name}a"[-15:], f"{name}b"[-15:]
    inside = ("ip", "netns", "exec", name)
    shape = ("root", "tbf", "rate", f"{mbit_per_s}mbit", "burst", "1mb", "latency", "20ms")
    try:
        for command in (
            ("ip", "netns", "add", name),
            ("ip", "link", "add", here, "type", "veth", "peer", "name", there, "netns", name),
            ("ip", "addr", "add", f"10.77.{net}.1/24", "dev", here),
            ("ip", "link", "set", here, "up"),
            (*inside, "ip", "addr", "add", f"10.77.{net}.2/24", "dev", there),
            (*inside, "ip", "link", "set", there, "up"),
            ("tc", "qdisc", "add", "dev", here, *shape),
            (*inside, "tc", "qdisc", "add", "dev", there, *shape),
        ):
            subprocess.run(command, check=True)
        yield Link(f"10.77.{net}.2", inside)
    finally:
        with suppress(subprocess.CalledProcessError):
            subprocess.run(("ip", "netns", "del", name), check=True)
