"""What a gateway offers besides what every gateway does: a gRPC service with a life of its own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


async def _nothing() -> None:
    """Do nothing: the service needs no start, or no stop."""


@dataclass(frozen=True, slots=True)
class Service:
    """A gRPC service, and what it needs at the beginning and the end.

    Attributes:
        name: As reflection and health know it, e.g. `weir.v1.Sql`.
        add: The generated `add_…Servicer_to_server`.
        servicer: What answers.
        start: Awaited in the gateway's loop before the door opens.
        drain: Awaited when the gateway begins to stop: asks those to leave who would stay for ever.
        stop: Awaited after the last call has ended; bounded by itself.
    """

    name: str
    add: Callable[..., None]
    servicer: Any
    start: Callable[[], Awaitable[None]] = _nothing
    drain: Callable[[], Awaitable[None]] = _nothing
    stop: Callable[[], Awaitable[None]] = _nothing
